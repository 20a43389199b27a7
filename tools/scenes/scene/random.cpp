// Owns: lattice noise.
// Must not know: what is drawn by it.

#include "scene/random.h"

namespace video_depth::scene {

namespace {

float lattice(int x, int y, int z, uint32_t seed) {
  const uint32_t mixed = static_cast<uint32_t>(x) * 0x8da6b343U ^ static_cast<uint32_t>(y) * 0xd8163841U ^
                         static_cast<uint32_t>(z) * 0xcb1ab31fU ^ seed * 0x9e3779b9U;
  return static_cast<float>(scramble(mixed) >> 8) * 0x1p-24f;
}

} // namespace

float noise(Vec3 p, uint32_t seed) {
  const int x = floor_of(p.x), y = floor_of(p.y), z = floor_of(p.z);
  const auto ease = [](float t) { return t * t * (3 - 2 * t); };
  const float u = ease(p.x - static_cast<float>(x)), v = ease(p.y - static_cast<float>(y)),
              w = ease(p.z - static_cast<float>(z));
  const auto row = [&](int j, int k) {
    return mix(lattice(x, y + j, z + k, seed), lattice(x + 1, y + j, z + k, seed), u);
  };
  return mix(mix(row(0, 0), row(1, 0), v), mix(row(0, 1), row(1, 1), v), w);
}

float fractal_noise(Vec3 p, int octaves, uint32_t seed) {
  float sum = 0, weight = 0, strength = 1;
  for (int i = 0; i < octaves; i++) {
    sum += strength * noise(p, seed + static_cast<uint32_t>(i));
    weight += strength;
    strength *= 0.5f;
    p = p * 2.03f;
  }
  return sum / weight;
}

} // namespace video_depth::scene

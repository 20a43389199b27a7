// Owns: how surfaces answer to light.
// Must not know: pictures, triangles.

#include "scene/shade.h"

#include <array>

namespace video_depth::scene {

namespace {

Vec3 through_fog(const Light& light, Vec3 colour, float distance) {
  if (light.fog <= 0) return colour;
  return mix(light.fog_colour, colour, std::exp(-light.fog * distance));
}

} // namespace

Vec3 shade(const Material& material, const Light& light, const ShadowMap& shadows, const Spot& spot,
           Vec3 eye) {
  const Vec3 colour = colour_of(material, spot.local, spot.local_normal, spot.footprint);
  const Vec3 to_lamp = light.sun - spot.position;
  const float lamp_square = dot(to_lamp, to_lamp);
  const Vec3 to_light = light.is_lamp ? normalize(to_lamp) : light.sun;
  const float strength = light.is_lamp ? 1 / (0.3f + 0.25f * lamp_square) : 1;
  const float lambert = dot(spot.normal, to_light);
  const float lit = lambert > 0 ? shadows.lit(spot.position, spot.normal) * strength : 0;
  const Vec3 around = mix(light.from_below, light.from_above, 0.5f + 0.5f * spot.normal.z) * spot.open;
  Vec3 out = colour * (light.colour * (lit * std::max(0.f, lambert)) + around);
  if (material.gloss > 0 && lit > 0) {
    const Vec3 half = normalize(to_light + normalize(eye - spot.position));
    out +=
        light.colour * (lit * material.gloss * 0.6f * std::pow(std::max(0.f, dot(half, spot.normal)), 40.f));
  }
  if (material.glow > 0) out += colour * material.glow;
  return through_fog(light, out, length(eye - spot.position)) * light.exposure;
}

Vec3 sky(const Light& light, Vec3 d) {
  const float height = std::max(0.f, d.z);
  Vec3 colour = mix(light.horizon, light.zenith, std::sqrt(height));
  if (light.clouds > 0 && d.z > 0.01f) {
    const Vec3 at{2.5f * d.x / (d.z + 0.15f), 2.5f * d.y / (d.z + 0.15f), 0.5f};
    const float cover =
        smooth_step(1 - light.clouds - 0.15f, 1 - light.clouds + 0.2f, fractal_noise(at, 4, light.seed));
    colour =
        mix(colour, Vec3{0.85f, 0.87f, 0.9f} * length(light.horizon), cover * smooth_step(0.01f, 0.12f, d.z));
  }
  if (!light.is_lamp) {
    const float near_sun = std::max(0.f, dot(d, light.sun));
    colour += light.colour * (0.15f * std::pow(near_sun, 12.f) + (near_sun > 0.9995f ? 2.f : 0.f));
  }
  // Fog hides the sky at the horizon more than above.
  const float veil = light.fog > 0 ? std::exp(-light.fog * 60 / (height + 0.1f)) : 1.f;
  return mix(light.fog_colour, colour, veil) * light.exposure;
}

float to_screen(float light) {
  // Highlights roll off softly; then sRGB's curve, roughly. A table of square roots, so that shadows have
  // steps, too.
  static const std::array<float, 1025> table = [] {
    std::array<float, 1025> t{};
    for (size_t i = 0; i < t.size(); i++) {
      const float root = static_cast<float>(i) / 1024, linear = root * root * 8;
      const float soft = linear * (1 + linear / 9) / (1 + linear);
      t[i] = 255 * std::pow(std::min(1.f, soft), 1 / 2.2f);
    }
    return t;
  }();
  const float at = std::sqrt(std::min(1.f, std::max(0.f, light) / 8)) * 1024;
  const auto i = std::min<size_t>(1023, static_cast<size_t>(at));
  return mix(table[i], table[i + 1], at - static_cast<float>(i));
}

} // namespace video_depth::scene

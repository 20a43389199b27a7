// Owns: the patterns' colours.
// Must not know: lights, cameras, meshes.

#include "scene/material.h"

namespace video_depth::scene {

namespace {

/// Where a point lies on the surface's main plane: two coordinates, metres; walls have z as the second one.
struct Flat {
  float u, v;
};

Flat flatten(Vec3 p, Vec3 n) {
  const float x = std::fabs(n.x), y = std::fabs(n.y), z = std::fabs(n.z);
  if (z >= x && z >= y) return {p.x, p.y};
  return x > y ? Flat{p.y, p.z} : Flat{p.x, p.z};
}

float fraction(float v) {
  return v - static_cast<float>(floor_of(v));
}

uint32_t cell(float u, float v, uint32_t seed) {
  const auto x = static_cast<uint32_t>(floor_of(u));
  const auto y = static_cast<uint32_t>(floor_of(v));
  return scramble(x * 0x8da6b343U ^ y * 0xd8163841U ^ seed * 0x9e3779b9U);
}

float unit(uint32_t bits) {
  return static_cast<float>(bits & 0xffffU) / 65535.f;
}

/// Share of `second` in a line of width `line` at whole numbers of v. @param blur of the edge, in units of v
float joint(float v, float line, float blur) {
  const float distance = std::fabs(fraction(v + 0.5f) - 0.5f);
  return 1 - smooth_step(line / 2 - blur / 2, line / 2 + blur / 2 + 1e-4f, distance);
}

/// Share of `second` at a point whose coordinates count repetitions. @param fine pixels' size in repetitions
float share(const Material& m, Vec3 p, Flat at, float fine) {
  const uint32_t seed = m.seed;
  switch (m.pattern) {
    case Pattern::plain:
      return 0.15f * fractal_noise(p * 2, 2, seed);
    case Pattern::clouds:
      return smooth_step(0.3f, 0.7f, fractal_noise(p * 2, 4, seed));
    case Pattern::checker:
      return (floor_of(at.u) + floor_of(at.v)) & 1 ? 1.f : 0.f;
    case Pattern::brick: {
      const float row = std::floor(2 * at.v), u = at.u + 0.5f * fraction(row / 2) * 2;
      const float mortar = std::max(joint(u, 0.05f, fine), joint(2 * at.v, 0.1f, 2 * fine));
      return std::max(mortar, 0.35f * unit(cell(u, row, seed)));
    }
    case Pattern::planks: {
      const float board = std::floor(at.u),
                  grain = fractal_noise({at.u * 6, at.v * 0.5f + 7 * board, board}, 3, seed);
      return std::max(0.6f * joint(at.u, 0.05f, fine), mix(0.5f * unit(cell(board, 0, seed)), grain, 0.5f));
    }
    case Pattern::tiles:
      return std::max(std::max(joint(at.u, 0.05f, fine), joint(at.v, 0.05f, fine)),
                      0.2f * unit(cell(at.u, at.v, seed)));
    case Pattern::marble: {
      const float wave = std::sin((p.x + p.y + p.z) * 3 + 6 * fractal_noise(p * 2, 3, seed));
      return std::pow(0.5f + 0.5f * wave, 3.f);
    }
    case Pattern::stripes:
      return joint(at.u, 0.5f, fine);
    case Pattern::dots: {
      const float u = fraction(at.u) - 0.5f, v = fraction(at.v) - 0.5f;
      return 1 - smooth_step(0.28f - fine / 2, 0.28f + fine / 2 + 1e-4f, std::sqrt(u * u + v * v));
    }
    case Pattern::grass:
      return mix(fractal_noise(p * 1.1f, 2, seed), noise(p * 14, seed + 9), 0.5f);
    case Pattern::windows: {
      const float u = fraction(at.u) - 0.5f, v = fraction(at.v) - 0.5f;
      const bool glass = std::fabs(u) < 0.27f && std::fabs(v) < 0.33f;
      return glass ? 0.75f + 0.25f * unit(cell(at.u, at.v, seed)) : 0.1f * fractal_noise(p, 2, seed);
    }
    case Pattern::patches: {
      // Cells of unequal width in rows.
      const float row = std::floor(at.v), shift = 7.3f * unit(cell(0, row, seed));
      const float u = at.u * mix(1.f, 3.f, unit(cell(1, row, seed))) + shift;
      return unit(cell(u, row, seed + 1));
    }
    case Pattern::gradient:
      return clamp01(p.z + 0.5f);
  }
  return 0;
}

/// What the pattern is from afar.
float mean_share(Pattern pattern) {
  switch (pattern) {
    case Pattern::plain:
      return 0.075f;
    case Pattern::brick:
      return 0.3f;
    case Pattern::tiles:
      return 0.19f;
    case Pattern::planks:
      return 0.4f;
    case Pattern::marble:
      return 0.31f;
    case Pattern::dots:
      return 0.25f;
    case Pattern::windows:
      return 0.35f;
    default:
      return 0.5f;
  }
}

} // namespace

Vec3 colour_of(const Material& m, Vec3 p, Vec3 normal, float footprint) {
  const float fine = footprint / m.scale;
  const Vec3 counted = p * (1 / m.scale);
  const float mean = mean_share(m.pattern);
  // Patterns vanish where a pixel covers half a repetition.
  const float faded = m.pattern == Pattern::gradient ? 0.f : smooth_step(0.2f, 0.7f, fine);
  float s = mean;
  if (faded < 1) {
    const Flat at = flatten(counted, normal);
    s = mix(share(m, counted, at, fine), mean, faded);
    if (m.pattern == Pattern::patches && faded < 1) {
      // Hues vary, too.
      const Vec3 mixed = mix(m.first, m.second, s);
      const float turn = unit(scramble(static_cast<uint32_t>(s * 4096) + m.seed));
      return mix(mixed, Vec3{mixed.y, mixed.z, mixed.x}, turn * (1 - faded));
    }
  }
  return mix(m.first, m.second, s);
}

Vec3 random_colour(Random& random, float darkest, float brightest, float saturation) {
  const float brightness = random.between(darkest, brightest), colourful = saturation * random.next();
  const float hue = random.between(0, 3);
  const auto wheel = [&](float at) {
    const float d = std::fabs(std::fmod(hue - at + 4.5f, 3.f) - 1.5f);
    return clamp01(1.5f - d * 1.5f);
  };
  const Vec3 pure{wheel(0), wheel(1), wheel(2)};
  const Vec3 colour = mix(Vec3{1, 1, 1}, pure, colourful);
  const float level = 0.3f * colour.x + 0.6f * colour.y + 0.1f * colour.z;
  const Vec3 scaled = colour * (brightness / std::max(0.05f, level));
  return {std::min(0.95f, scaled.x), std::min(0.95f, scaled.y), std::min(0.95f, scaled.z)};
}

Material random_material(Random& random, float scale) {
  Material m;
  m.pattern = static_cast<Pattern>(random.whole(0, kPatterns - 1));
  if (random.chance(0.25f)) m.pattern = Pattern::plain;
  m.first = random_colour(random, 0.04f, 0.7f, 0.8f);
  m.second =
      random.chance(0.6f) ? m.first * random.between(0.3f, 0.8f) : random_colour(random, 0.03f, 0.8f, 0.8f);
  m.scale = scale * random.log_between(0.5f, 2.f);
  m.gloss = random.chance(0.3f) ? random.next() : 0;
  m.seed = random.bits();
  return m;
}

} // namespace video_depth::scene

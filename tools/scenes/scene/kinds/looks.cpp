// Owns: fitting materials and lights of scenes.
// Must not know: bodies, layouts.
#include "scene/kinds/parts.h"

namespace video_depth::scene {
namespace {

/// In braces, so that what is drawn is drawn in this order.
struct Look {
  Pattern pattern;
  Vec3 first, second;
  float scale, gloss;
};

Material patterned(Random& random, const Look& look) {
  Material m;
  m.pattern = look.pattern;
  m.first = look.first;
  m.second = look.second;
  m.scale = look.scale;
  m.gloss = look.gloss;
  m.seed = random.bits();
  return m;
}

Vec3 tinted(Random& random, Vec3 colour, float spread) {
  const float light = random.between(1 - spread, 1 + spread);
  const auto shift = [&](float c) {
    return std::min(0.95f, c * light * random.between(1 - 0.3f * spread, 1 + 0.3f * spread));
  };
  const float x = shift(colour.x), y = shift(colour.y), z = shift(colour.z);
  return {x, y, z};
}

/// Between two colours, somewhere.
Vec3 blend(Random& random, Vec3 a, Vec3 b) {
  return tinted(random, mix(a, b, random.next()), 0.2f);
}

} // namespace

Material painted(Vec3 colour, float gloss) {
  Material m;
  m.first = colour;
  m.second = colour * 0.7f;
  m.gloss = gloss;
  return m;
}

Material glowing(Vec3 colour, float strength) {
  Material m = painted(colour);
  m.glow = strength;
  return m;
}

Material wall_cover(Random& random) {
  const Vec3 base = random_colour(random, 0.3f, 0.8f, 0.35f);
  switch (random.whole(0, 7)) {
    case 0:
      return patterned(random,
                       {Pattern::stripes, base, tinted(random, base, 0.4f), random.between(0.1f, 0.4f), 0});
    case 1:
      return patterned(random, {Pattern::brick,
                                blend(random, {0.35f, 0.14f, 0.09f}, {0.5f, 0.42f, 0.36f}),
                                {0.5f, 0.48f, 0.45f},
                                random.between(0.2f, 0.35f),
                                0});
    case 2:
      return patterned(random,
                       {Pattern::dots, base, tinted(random, base, 0.5f), random.between(0.1f, 0.4f), 0});
    case 3:
      return patterned(random, {Pattern::tiles, base, base * 0.6f, random.between(0.15f, 0.5f), 0.3f});
    case 4:
      return random_material(random, random.between(0.3f, 1.f));
    case 5:
      return patterned(random, {Pattern::planks,
                                blend(random, {0.3f, 0.17f, 0.08f}, {0.6f, 0.5f, 0.4f}),
                                {0.2f, 0.1f, 0.05f},
                                random.between(0.1f, 0.25f),
                                0.1f});
    default:
      return patterned(random,
                       {Pattern::clouds, base, tinted(random, base, 0.15f), random.between(0.5f, 3.f), 0});
  }
}

Material flooring(Random& random) {
  const Vec3 base = random_colour(random, 0.12f, 0.6f, 0.35f);
  switch (random.whole(0, 6)) {
    case 0:
      return patterned(random, {Pattern::tiles, base, base * 0.5f, random.between(0.2f, 0.8f), 0.4f});
    case 1:
      return patterned(random, {Pattern::checker, base, tinted(random, base * 0.5f, 0.4f),
                                random.between(0.3f, 0.9f), 0.4f});
    case 2:
      return patterned(random, {Pattern::grass, base, base * 0.7f, random.between(0.1f, 0.3f), 0});
    case 3:
      return patterned(random, {Pattern::marble, base, base * 0.5f, random.between(0.5f, 2.f), 0.5f});
    case 4:
      return patterned(random, {Pattern::clouds, base, base * 0.75f, random.between(0.5f, 2.f), 0.1f});
    default: {
      Material m = wood(random);
      m.pattern = Pattern::planks;
      m.scale = random.between(0.08f, 0.22f);
      return m;
    }
  }
}

Material wood(Random& random) {
  const Vec3 base = blend(random, {0.1f, 0.045f, 0.02f}, {0.55f, 0.36f, 0.19f});
  return patterned(random, {Pattern::planks, base, base * random.between(0.5f, 0.85f),
                            random.between(0.1f, 0.5f), random.between(0, 0.4f)});
}

Material metal(Random& random) {
  const Vec3 base = random.chance(0.6f) ? random_colour(random, 0.12f, 0.6f, 0.08f)
                                        : random_colour(random, 0.1f, 0.5f, 0.7f);
  return patterned(random, {Pattern::clouds, base, base * random.between(0.6f, 1.f),
                            random.between(0.2f, 1.f), random.between(0.3f, 0.8f)});
}

Material fabric(Random& random) {
  if (random.chance(0.25f)) return random_material(random, random.between(0.05f, 0.3f));
  const Vec3 base = random_colour(random, 0.06f, 0.6f, 0.7f);
  constexpr Pattern kWeaves[] = {Pattern::plain, Pattern::stripes, Pattern::grass, Pattern::checker};
  return patterned(random, {kWeaves[random.whole(0, 3)], base, tinted(random, base * 0.7f, 0.4f),
                            random.between(0.04f, 0.25f), 0});
}

Material masonry(Random& random) {
  const Vec3 base = blend(random, {0.35f, 0.16f, 0.1f}, {0.65f, 0.6f, 0.5f});
  constexpr Pattern kCourses[] = {Pattern::brick, Pattern::clouds, Pattern::tiles};
  return patterned(random, {kCourses[random.whole(0, 2)], base, base * random.between(0.6f, 0.9f),
                            random.between(0.3f, 0.9f), 0});
}

Material facade(Random& random) {
  const Vec3 base = random.chance(0.7f) ? blend(random, {0.35f, 0.16f, 0.1f}, {0.75f, 0.68f, 0.55f})
                                        : random_colour(random, 0.2f, 0.7f, 0.4f);
  return patterned(random, {Pattern::windows, base, random_colour(random, 0.02f, 0.12f, 0.3f),
                            random.between(2.2f, 3.6f), 0.1f});
}

Material soil(Random& random) {
  if (random.chance(0.55f)) {
    const Vec3 base = blend(random, {0.06f, 0.14f, 0.03f}, {0.25f, 0.26f, 0.09f});
    return patterned(
        random, {Pattern::grass, base, base * random.between(0.5f, 0.8f), random.between(0.3f, 1.2f), 0});
  }
  const Vec3 base = blend(random, {0.2f, 0.13f, 0.08f}, {0.48f, 0.43f, 0.36f});
  return patterned(
      random, {Pattern::clouds, base, base * random.between(0.55f, 0.85f), random.between(0.8f, 4.f), 0});
}

Material stone(Random& random) {
  const Vec3 base = blend(random, {0.16f, 0.16f, 0.17f}, {0.5f, 0.42f, 0.33f});
  return patterned(
      random, {random.chance(0.7f) ? Pattern::clouds : Pattern::marble, base,
               base * random.between(0.45f, 0.8f), random.between(0.3f, 1.5f), random.between(0, 0.15f)});
}

Material leaves(Random& random) {
  const Vec3 base = random.chance(0.8f) ? blend(random, {0.04f, 0.1f, 0.02f}, {0.2f, 0.26f, 0.06f})
                                        : blend(random, {0.4f, 0.2f, 0.03f}, {0.5f, 0.35f, 0.3f});
  return patterned(random, {random.chance(0.6f) ? Pattern::grass : Pattern::clouds, base,
                            base * random.between(0.4f, 0.7f), random.between(0.15f, 0.5f), 0});
}

Material carton(Random& random) {
  if (random.chance(0.2f)) return random_material(random, random.between(0.1f, 0.6f));
  if (random.chance(0.3f)) return wood(random);
  if (random.chance(0.3f)) {
    const Vec3 colour = random_colour(random, 0.06f, 0.6f, 0.8f);
    return painted(colour, random.between(0, 0.5f));
  }
  const Vec3 base = tinted(random, {0.42f, 0.28f, 0.16f}, 0.25f);
  return patterned(random, {random.chance(0.5f) ? Pattern::clouds : Pattern::stripes, base, base * 0.85f,
                            random.between(0.2f, 0.8f), 0});
}

Light outdoors(Random& random, float shadow_radius) {
  Light light;
  light.shadow_radius = shadow_radius;
  light.seed = random.bits();
  const float azimuth = random.between(-kPi, kPi), kind = random.next();
  float elevation = random.between(0.5f, 1.2f);
  light.clouds = random.between(0, 0.7f);
  if (kind < 0.25f) { // evening
    elevation = random.between(0.2f, 0.4f);
    light.colour = {2.4f, random.between(1.3f, 1.7f), random.between(0.7f, 1.1f)};
    light.from_above = {0.34f, 0.34f, 0.46f};
    light.horizon = {0.85f, random.between(0.5f, 0.65f), random.between(0.35f, 0.5f)};
    light.zenith = {0.14f, 0.2f, 0.42f};
    light.exposure = random.between(0.9f, 1.2f);
  } else if (kind < 0.5f) { // overcast
    const float grey = random.between(0.5f, 0.8f);
    light.colour = {random.between(0.3f, 0.7f), 0.5f, 0.5f};
    light.from_above = Vec3{0.85f, 0.9f, 0.98f} * random.between(0.8f, 1.1f);
    light.from_below = {0.36f, 0.35f, 0.34f};
    light.clouds = random.between(0.7f, 1.f);
    light.horizon = {grey, grey, grey * 1.04f};
    light.zenith = Vec3{0.8f, 0.85f, 0.92f} * grey;
    light.exposure = random.between(0.75f, 1.1f);
  } else { // noon
    light.colour = light.colour * random.between(0.75f, 1.1f);
    light.exposure = random.between(0.7f, 1.1f);
  }
  light.sun = {std::cos(azimuth) * std::cos(elevation), std::sin(azimuth) * std::cos(elevation),
               std::sin(elevation)};
  if (random.chance(0.25f)) {
    light.fog = random.log_between(0.003f, 0.02f);
    light.fog_colour = light.horizon * random.between(0.8f, 1.f);
  }
  return light;
}

Light indoors(Random& random, Vec3 lamp, float reach) {
  Light light;
  light.is_lamp = true;
  light.sun = lamp;
  light.shadow_radius = reach;
  light.seed = random.bits();
  const float warm = random.next(), strength = random.between(0.9f, 1.6f) * (1 + 0.35f * reach);
  light.colour = mix({0.85f, 0.95f, 1.1f}, {1.15f, 0.9f, 0.62f}, warm) * strength;
  const float ambient = random.between(0.14f, 0.5f);
  light.from_above = mix({0.9f, 0.98f, 1.1f}, {1.1f, 0.95f, 0.8f}, random.next()) * ambient;
  light.from_below = light.from_above * random.between(0.5f, 0.8f);
  light.exposure = random.log_between(0.65f, 1.3f);
  return light;
}

} // namespace video_depth::scene

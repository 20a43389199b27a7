// Owns: corridors: doors, columns, pipes, arches, stairs, boxes at the sides, people walking.
// Must not know: how they are drawn.
#include <utility>

#include "scene/camera.h"
#include "scene/kinds/create.h"
#include "scene/kinds/parts.h"

namespace video_depth::scene {
namespace {

struct Corridor {
  World& world;
  Random& random;
  float half_width, half_length, height;
};

/// Side rooms behind openings need a wall of their own.
constexpr float kSideRoom = 3;

void add_walls(Corridor& c) {
  Random& random = c.random;
  const Material wall = wall_cover(random);
  const float w = c.half_width, l = c.half_length, h = c.height;
  const bool has_openings = random.chance(0.5f);
  const float outer = has_openings ? w + kSideRoom : w;
  c.world.add(moved(inner_box({outer, l, 0.5f * h + 0.1f}), at(0, 0, 0.5f * h)),
              has_openings ? wall_cover(random) : wall);
  c.world.add(plate(outer, l, 4), flooring(random));
  c.world.add(box({outer, l, 0.05f}),
              random.chance(0.7f) ? painted(random_colour(random, 0.4f, 0.85f, 0.1f)) : wall,
              at(0, 0, h + 0.05f));
  for (const float s : {-1.f, 1.f}) {
    float y = -l;
    Mesh walls;
    while (y < l) {
      const float solid = std::min(l - y, random.between(1.2f, 5.f)), gap = random.between(0.9f, 1.8f);
      if (has_openings)
        walls.append(box({0.08f, 0.5f * solid, 0.5f * h}), at(s * (w + 0.08f), y + 0.5f * solid, 0.5f * h));
      y += solid;
      if (y + gap > l - 0.3f) continue;
      const float lintel = 0.5f * (h - 2.1f);
      if (has_openings)
        walls.append(box({0.08f, 0.5f * gap, lintel}), at(s * (w + 0.08f), y + 0.5f * gap, h - lintel));
      else
        add_door(c.world, random, at(s * (w - 0.02f), y + 0.5f * gap, 0, s * kPi / 2));
      y += gap;
    }
    if (has_openings) c.world.add(std::move(walls), wall);
  }
}

void add_structure(Corridor& c) {
  Random& random = c.random;
  const float w = c.half_width, l = c.half_length, h = c.height, gap = random.between(2.5f, 6.f);
  const Material material =
      random.chance(0.5f) ? masonry(random) : painted(random_colour(random, 0.1f, 0.8f, 0.4f));
  // Arches of wide or low corridors would come down to the camera.
  const int style = random.whole(w < 2 && h > 2.6f ? 0 : 1, 3);
  for (float y = -l + 1; y < l - 0.5f; y += gap) {
    Mesh mesh;
    if (style == 0 && w > 0.9f) mesh = arch(w, h, 0.15f, w - 0.15f, h - 0.3f);
    if (style == 1)
      for (const float s : {-1.f, 1.f}) mesh.append(cylinder(0.16f, 0.13f, h, 12), at(s * (w - 0.16f), 0));
    if (style == 2) {
      for (const float s : {-1.f, 1.f})
        mesh.append(box({0.08f, 0.15f, 0.5f * h}), at(s * (w - 0.08f), 0, 0.5f * h));
      mesh.append(box({w, 0.15f, 0.1f}), at(0, 0, h - 0.1f));
    }
    if (!mesh.triangles.empty()) c.world.add(std::move(mesh), material, at(0, y));
    if (!random.chance(0.8f)) continue;
    const Vec3 light = random_colour(random, 0.7f, 0.95f, 0.2f);
    c.world.add(box({0.3f * w, 0.3f, 0.03f}), glowing(light, random.between(0.5f, 1.2f)),
                at(0, y + 0.5f * gap, h - 0.03f));
  }
  for (int i = random.whole(0, 4); i > 0; i--) {
    const float r = random.between(0.03f, 0.1f), x = random.aside(0.6f, 0.95f) * (w - r),
                z = h - random.between(0.15f, 0.4f);
    c.world.add(tube({{x, -l, z}, {x, -0.3f * l, z}, {x, 0.4f * l, z - 0.02f}, {x, l, z}}, r), metal(random));
  }
}

void add_end(Corridor& c, float s) {
  Random& random = c.random;
  const float w = c.half_width, l = c.half_length;
  switch (random.whole(0, 3)) {
    case 0: {
      const int steps = random.whole(5, 10);
      const float depth = 0.28f;
      c.world.add(stairs(steps, 2 * w, depth, 0.17f), masonry(random),
                  at(0, s * (l - depth * static_cast<float>(steps)), 0, s > 0 ? 0 : kPi));
      break;
    }
    case 1:
      add_door(c.world, random, at(0, s * (l - 0.02f), 0, s > 0 ? kPi : 0));
      break;
    case 2:
      c.world.add(box({0.6f * w, 0.02f, 0.6f}), glowing({0.8f, 0.9f, 1.f}, random.between(0.6f, 1.f)),
                  at(0, s * l, 1.5f));
      add_plant(c.world, random, at(0.4f * w, s * (l - 0.4f)), 1.2f);
      break;
    default:
      add_pile(c.world, random, at(-0.3f * w, s * (l - 0.6f)), 0.4f, 3);
      break;
  }
}

void add_things(Corridor& c) {
  Random& random = c.random;
  for (const float s : {-1.f, 1.f}) {
    float y = -c.half_length + 3;
    while (y < c.half_length - 3) {
      const float x = s * (c.half_width - 0.25f), facing = s * kPi / 2;
      switch (random.whole(0, 8)) {
        case 0: {
          const float angle = random.between(-0.2f, 0.2f), half = random.between(0.15f, 0.25f);
          add_pile(c.world, random, at(x, y, 0, angle), half, random.whole(1, 4));
          break;
        }
        case 1:
          add_chair(c.world, random, at(x, y, 0, facing));
          break;
        case 2: {
          const float angle = random.between(0, 6);
          add_plant(c.world, random, at(x, y, 0, angle), random.between(0.6f, 1.6f));
          break;
        }
        case 3:
          add_cupboard(c.world, random, at(x, y, 0, facing),
                       {random.between(0.3f, 0.7f), 0.2f, random.between(0.4f, 1.f)});
          break;
        case 4:
          add_shelf(c.world, random, at(x, y, 0, facing),
                    {random.between(0.3f, 0.6f), 0.17f, random.between(0.5f, 1.f)});
          break;
        case 5: {
          const float half_width = random.between(0.2f, 0.5f);
          add_poster(c.world, random, at(s * (c.half_width - 0.012f), y, 1.6f, facing), half_width,
                     random.between(0.2f, 0.45f));
          break;
        }
        case 6:
          add_bench(c.world, random, at(x, y, 0, facing));
          break;
        case 7:
          add_ball(c.world, random, at(x, y), random.between(0.08f, 0.22f));
          break;
        default:
          break;
      }
      y += random.log_between(1.f, 3.5f);
    }
  }
  if (!random.chance(0.6f)) return;
  for (int i = random.whole(1, 4); i > 0; i--) {
    const float way = random.sign(),
                x = random.sign() * std::max(0.f, c.half_width - random.between(0.35f, 0.6f));
    const float reach = random.between(0.3f, 0.7f) * c.half_length;
    const Walk walk = random.chance(0.8f) ? Walk{{0, way * random.between(0.5f, 1.4f), 0}, reach} : Walk{};
    add_person(c.world, random, at(x, random.between(-0.25f, 0.25f) * c.half_length, 0, way > 0 ? 0 : kPi),
               walk);
  }
}

} // namespace

World create_corridor(uint64_t seed) {
  Random random(seed * 8 + 2);
  World world;
  Corridor c{world, random, random.log_between(0.95f, 2.6f), random.log_between(6, 16),
             random.between(2.3f, 3.6f)};
  add_walls(c);
  add_structure(c);
  add_end(c, 1);
  add_end(c, -1);
  add_things(c);
  const Vec3 lamp{0, random.between(-0.4f, 0.4f) * c.half_length, c.height - 0.25f};
  world.light = indoors(random, lamp, 0.3f * c.half_length);
  world.light.from_above = world.light.from_above * 1.25f;
  world.light.from_below = world.light.from_below * 1.25f;
  const float eye = random.chance(0.75f) ? random.between(1.2f, 1.8f) : random.between(0.4f, 1.2f);
  const Hand hand{random.between(0, 0.02f), random.chance(0.6f) ? random.between(0.01f, 0.03f) : 0};
  const float s = random.sign(), aside = random.between(-1, 1) *
                                         std::max(0.f, std::min(c.half_width - 1.f, 0.35f * c.half_width));
  const float half = (c.half_length - 3.2f) * random.between(0.4f, 0.9f), speed = random.between(0.4f, 1.5f);
  if (random.chance(0.75f)) {
    // Starts behind so that there is much ahead.
    world.camera = patrol(random, {aside, -s * (c.half_length - 3.2f - half), eye}, {0, s, 0}, half, speed,
                          random.between(-0.02f, 0.15f), hand);
  } else {
    world.camera = watch(random, {aside, -s * 0.5f * c.half_length, eye},
                         {0.2f * c.half_width, 0.25f * c.half_length, 0.1f}, speed,
                         {0, s * 0.9f * c.half_length, 0.4f * c.height}, {c.half_width, 0, 0.3f}, hand);
  }
  world.field_of_view = random.between(42, 70);
  clear_path(world, 90, 0.4f);
  return world;
}

} // namespace video_depth::scene

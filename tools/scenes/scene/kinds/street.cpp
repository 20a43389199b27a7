// Owns: streets: road, pavements, houses, cars, trees, people.
// Must not know: how they are drawn.
#include <utility>

#include "scene/camera.h"
#include "scene/kinds/create.h"
#include "scene/kinds/parts.h"

namespace video_depth::scene {
namespace {

struct Street {
  World& world;
  Random& random;
  float road, pavement; ///< half the road; all of one pavement
  float half_length;
  float kerb = 0.12f;

  float house_front() const { return road + pavement; }
};

void add_ground(Street& s) {
  Random& random = s.random;
  s.world.add(plate(300, 300, 6), soil(random), at(0, 0, -0.02f));
  const uint32_t seed = random.bits();
  const float high = random.chance(0.6f) ? random.between(5, 40) : 0;
  if (high > 0)
    s.world.add(height_field(290, 44,
                             [=](float x, float y) {
                               const float ring = smooth_step(110, 240, std::hypot(x, y));
                               return -1 + high * ring * (0.2f + fractal_noise({x / 60, y / 60, 0}, 3, seed));
                             }),
                leaves(random));
  Material asphalt = painted(random_colour(random, 0.04f, 0.2f, 0.1f));
  asphalt.pattern = random.chance(0.8f) ? Pattern::clouds : Pattern::brick;
  asphalt.scale = asphalt.pattern == Pattern::brick ? 0.3f : 3;
  asphalt.seed = random.bits();
  s.world.add(plate(s.road, s.half_length + 40, 8), asphalt);
  const Material slabs = random.chance(0.7f) ? flooring(random) : soil(random);
  const float gap = random.chance(0.3f) ? 1.5f : 0;
  for (const float side : {-1.f, 1.f})
    s.world.add(box({0.5f * s.pavement + gap, s.half_length + 40, 0.5f * s.kerb}), slabs,
                at(side * (s.road + 0.5f * s.pavement + gap), 0, 0.5f * s.kerb - 0.001f));
  if (!random.chance(0.6f)) return;
  Mesh marks;
  for (float y = -s.half_length; y < s.half_length; y += 4)
    marks.append(box({0.07f, 1, 0.003f}), at(0, y, 0.002f));
  s.world.add(std::move(marks), painted({0.75f, 0.75f, 0.7f}));
}

void add_houses(Street& s) {
  Random& random = s.random;
  const float tallest = random.log_between(4, 18);
  const bool is_dense = random.chance(0.6f);
  for (const float side : {-1.f, 1.f}) {
    float y = -s.half_length - 15;
    while (y < s.half_length + 15) {
      const float share = random.between(0.6f, 1);
      const Vec3 half{random.between(3, 8), random.between(3, 6),
                      random.between(0.4f, 0.5f) * tallest * share};
      const float back = is_dense ? random.between(0, 0.4f) : random.between(1, 5);
      add_house(s.world, random, at(side * (s.house_front() + half.y + back), y + half.x, 0, side * kPi / 2),
                half);
      if (!is_dense && random.chance(0.6f)) {
        Mesh fence = block({half.x, 0.06f, 0.5f}, {0, 0, 0.5f});
        s.world.add(std::move(fence), random.chance(0.5f) ? leaves(random) : wood(random),
                    at(side * (s.house_front() + 0.3f), y + half.x, 0, kPi / 2));
      }
      y += 2 * half.x + (is_dense && random.chance(0.8f) ? 0 : random.between(1.5f, 7));
    }
  }
  // Something at both ends.
  for (const float end : {-1.f, 1.f}) {
    if (random.chance(0.5f)) {
      add_house(s.world, random, at(0, end * (s.half_length + 45), 0, end > 0 ? kPi : 0),
                {s.road + 8, 5, 0.5f * tallest});
    } else {
      for (int i = 0; i < 5; i++) {
        const float x = random.between(-12, 12), y = end * (s.half_length + random.between(35, 55));
        add_tree(s.world, random, at(x, y), random.between(6, 12), false);
      }
    }
  }
}

void add_traffic(Street& s) {
  Random& random = s.random;
  for (const float side : {-1.f, 1.f}) {
    if (random.chance(0.75f))
      for (float y = -s.half_length + random.between(0, 8); y < s.half_length;
           y += random.log_between(5.5f, 22))
        add_car(s.world, random,
                at(side * (s.road - 1.05f), y, 0,
                   random.chance(0.85f) ? (side > 0 ? 0 : kPi) : (side > 0 ? kPi : 0)));
    if (s.road > 2.9f && random.chance(0.4f)) {
      const float speed = random.between(2, 8);
      add_car(s.world, random,
              at(side * (s.road - 3.1f > 1 ? 1.1f : 0.95f), random.between(-10, 10), 0, side > 0 ? 0 : kPi),
              {{0, side * speed, 0}, s.half_length + 25});
    }
  }
}

void add_pavement_things(Street& s) {
  Random& random = s.random;
  const bool is_windy = random.chance(0.35f), has_trees = random.chance(0.6f),
             has_lamps = random.chance(0.6f);
  const float lamp = random.between(3.5f, 7), gap = random.between(8, 14), x = s.road + 0.4f;
  int trees = 0;
  for (const float side : {-1.f, 1.f}) {
    int i = 0;
    for (float y = -s.half_length + random.between(0, 5); y < s.half_length; y += 0.5f * gap) {
      if (has_lamps && i % 2 == 0)
        add_street_lamp(s.world, random, at(side * x, y, s.kerb, side * kPi / 2), lamp);
      if (has_trees && i % 2 == 1 && trees < 9) {
        trees++;
        const float angle = random.between(0, 6);
        add_tree(s.world, random, at(side * (x + 0.1f), y, s.kerb, angle), random.between(4, 8),
                 is_windy && trees < 4);
      }
      if (random.chance(0.45f)) {
        const Placement p = at(side * (s.house_front() - 0.45f), y + 1.5f, s.kerb, side * kPi / 2);
        switch (random.whole(0, 4)) {
          case 0:
            add_bench(s.world, random, p);
            break;
          case 1:
            add_plant(s.world, random, p, random.between(0.8f, 1.5f));
            break;
          case 2:
            add_bush(s.world, random, p, random.between(0.3f, 0.5f));
            break;
          case 3:
            add_crate(s.world, random, p, {0.3f, 0.3f, random.between(0.3f, 0.6f)});
            break;
          default:
            add_removable(s.world, cylinder(0.25f, 0.3f, 0.9f, 14), metal(random), p);
            break;
        }
      }
      i++;
    }
  }
  if (!random.chance(0.85f)) return;
  for (int i = random.whole(2, 8); i > 0; i--) {
    const float way = random.sign(), side = random.sign();
    const Walk walk =
        random.chance(0.75f) ? Walk{{0, way * random.between(0.7f, 1.5f), 0}, random.between(8, 25)} : Walk{};
    const float x = side * (s.road + random.between(0.5f, 0.95f) * s.pavement),
                y = random.between(-0.6f, 0.6f) * s.half_length;
    add_person(s.world, random, at(x, y, s.kerb, way > 0 ? 0 : kPi), walk);
  }
}

void set_camera(Street& s) {
  Random& random = s.random;
  const float way = random.sign(), kind = random.next(), half = random.between(8, 0.7f * s.half_length);
  const Vec3 heading{0, way, 0};
  if (kind < 0.45f) { // on the pavement
    const float side = random.sign(), x = side * (s.road + random.between(0.4f, 0.75f) * s.pavement);
    const Hand hand{random.between(0.005f, 0.02f), random.between(0.01f, 0.03f)};
    const float up = s.kerb + random.between(1.2f, 1.8f), speed = random.between(0.6f, 1.6f);
    s.world.camera = patrol(random, {x, 0, up}, heading, half, speed, random.between(-0.03f, 0.08f), hand);
  } else if (kind < 0.65f) { // from a car
    const float up = random.between(1.1f, 1.6f), speed = random.between(2, 5);
    s.world.camera = patrol(random, {way * 0.3f * s.road, 0, up}, heading, half, speed,
                            random.between(-0.02f, 0.06f), {0.006f, 0});
  } else if (kind < 0.85f) { // a drone
    const float up = random.between(3, 9), down = 0.06f + 0.03f * up,
                x = random.between(-0.5f, 0.5f) * s.road, speed = random.between(1, 5);
    s.world.camera =
        patrol(random, {x, 0, up}, heading, half, speed, down * random.between(0.8f, 1.3f), {0.01f, 0});
  } else { // across the street
    const float side = random.sign(), up = s.kerb + random.between(1.3f, 1.8f),
                speed = random.between(0.3f, 1);
    const Vec3 target{-side * s.road, way * random.between(10, 20), 1.5f};
    s.world.camera = watch(random, {side * (s.road + 0.3f * s.pavement), 0, up}, {0.2f, 4, 0.1f}, speed,
                           target, {1, 5, 0.5f}, {0.015f, 0.01f});
  }
}

} // namespace

World create_street(uint64_t seed) {
  Random random(seed * 8 + 3);
  World world;
  Street street{world, random, random.between(2.2f, 5.5f), random.between(1.6f, 3.8f),
                random.between(25, 45)};
  add_ground(street);
  add_houses(street);
  add_traffic(street);
  add_pavement_things(street);
  world.light = outdoors(random, random.between(20, 32));
  set_camera(street);
  world.field_of_view = random.between(42, 68);
  clear_path(world, 90, 0.7f);
  return world;
}

} // namespace video_depth::scene

// Owns: warehouses: racks with boxes, trusses, lamps, lift trucks. Held out: networks never learn from them.
// Must not know: how they are drawn.
#include <utility>
#include <vector>

#include "scene/camera.h"
#include "scene/kinds/create.h"
#include "scene/kinds/parts.h"

namespace video_depth::scene {
namespace {

struct Hall {
  World& world;
  Random& random;
  Vec3 half;              ///< of the inside; the floor is z = 0
  float aisle, rack_deep; ///< widths
};

void add_shell(Hall& h) {
  Random& random = h.random;
  const float top = 2 * h.half.z;
  Material sheet = metal(random);
  sheet.pattern = Pattern::stripes;
  sheet.scale = random.between(0.2f, 0.5f);
  h.world.add(moved(inner_box(h.half + Vec3{0, 0, 0.1f}), at(0, 0, h.half.z)),
              random.chance(0.6f) ? sheet : masonry(random));
  Material floor = painted(random_colour(random, 0.2f, 0.45f, 0.1f), 0.3f);
  floor.pattern = Pattern::clouds;
  floor.scale = 3;
  h.world.add(plate(h.half.x, h.half.y, 6), floor);
  h.world.add(box({h.half.x, h.half.y, 0.05f}), painted(random_colour(random, 0.3f, 0.7f, 0.1f)),
              at(0, 0, top + 0.05f));
  Mesh trusses, lamps;
  for (float y = -h.half.y + 2; y < h.half.y; y += 5) {
    for (const float z : {0.1f, 0.8f}) trusses.append(box({h.half.x, 0.05f, 0.05f}), at(0, y, top - z));
    for (float x = -h.half.x + 0.5f; x < h.half.x - 0.5f; x += 1.4f)
      trusses.append(box({0.03f, 0.03f, 0.5f}), {turn({0, 1, 0}, 0.78f), {x, y, top - 0.45f}});
    for (float x = -h.half.x + 2; x < h.half.x; x += 4)
      lamps.append(box({0.15f, 0.8f, 0.05f}), at(x, y + 2.5f, top - 0.5f));
  }
  h.world.add(std::move(trusses), metal(random));
  h.world.add(std::move(lamps), glowing({0.9f, 0.92f, 0.95f}, random.between(0.7f, 1.3f)));
  const float gate = 0.4f * h.half.x;
  for (const float s : {-1.f, 1.f})
    h.world.add(block({gate, 0.05f, 1.9f}, {0, 0, 1.9f}), sheet, at(s * 0.3f * h.half.x, s * h.half.y));
}

/// Posts, beams and boxes of one row along y.
void add_rack(Hall& h, float x, float from, float to, const Material& posts, const Material& beams) {
  Random& random = h.random;
  const float bay = 2.7f, deep = h.rack_deep, level = random.between(1.1f, 1.7f);
  const int levels = std::max(2, static_cast<int>((2 * h.half.z - 1.3f) / level));
  Mesh frame, boards;
  std::vector<Mesh> goods(4);
  for (float y = from; y <= to + 0.01f; y += bay) {
    for (const float s : {-1.f, 1.f})
      frame.append(box({0.05f, 0.05f, 0.5f * level * static_cast<float>(levels)}),
                   at(x + s * deep, y, 0.5f * level * static_cast<float>(levels)));
    if (y + bay > to + 0.01f) break;
    for (int i = 0; i < levels; i++) {
      const float z = i == 0 ? 0.1f : level * static_cast<float>(i);
      for (const float s : {-1.f, 1.f})
        boards.append(box({0.03f, 0.5f * bay, 0.06f}), at(x + s * deep, y + 0.5f * bay, z - 0.03f));
      boards.append(box({deep, 0.5f * bay, 0.02f}), at(x, y + 0.5f * bay, z));
      float at_y = y + 0.1f;
      while (at_y < y + bay - 0.5f) {
        const Vec3 half{deep * random.between(0.6f, 0.95f), random.between(0.2f, 0.55f),
                        level * random.between(0.15f, 0.42f)};
        if (at_y + 2 * half.y > y + bay - 0.08f) break;
        if (random.chance(0.82f))
          goods[static_cast<size_t>(random.whole(0, 3))].append(box(half),
                                                                at(x, at_y + half.y, z + 0.02f + half.z));
        at_y += 2 * half.y + random.between(0.02f, 0.25f);
      }
    }
  }
  h.world.add(std::move(frame), posts);
  h.world.add(std::move(boards), beams);
  for (Mesh& mesh : goods)
    if (!mesh.triangles.empty()) h.world.add(std::move(mesh), carton(random));
}

void add_lift_truck(Hall& h, const Placement& p, Walk walk) {
  Random& random = h.random;
  const float w = random.between(0.5f, 0.65f), l = random.between(0.8f, 1.1f), mast = random.between(1, 1.5f);
  const size_t first = h.world.bodies.size();
  Mesh body = block({w, l, 0.4f}, {0, -0.1f, 0.6f});
  body.append(box({w, 0.25f, 0.3f}), at(0, -l, 1.1f));
  add_removable(h.world, std::move(body), painted(random_colour(random, 0.2f, 0.6f, 0.9f), 0.5f), p);
  Mesh steel;
  for (const float s : {-1.f, 1.f}) {
    steel.append(box({0.05f, 0.06f, mast}), at(s * 0.6f * w, l, mast + 0.1f));
    steel.append(box({0.06f, 0.55f, 0.025f}), at(s * 0.5f * w, l + 0.6f, 0.25f));
    for (const float y : {-0.9f, 0.4f})
      steel.append(box({0.03f, 0.03f, 0.55f}), at(s * (w - 0.05f), y * l, 1.5f));
  }
  steel.append(box({w, 0.7f * l, 0.03f}), at(0, -0.2f * l, 2.05f));
  add_removable(h.world, std::move(steel), painted({0.06f, 0.06f, 0.065f}, 0.4f), p);
  Mesh wheels;
  for (const float x : {-1.f, 1.f})
    for (const float y : {-0.7f, 0.6f})
      wheels.append(cylinder(0.24f, 0.24f, 0.2f, 12),
                    {turn({0, 1, 0}, kPi / 2), {x * w - 0.1f, y * l, 0.24f}});
  add_removable(h.world, std::move(wheels), painted({0.02f, 0.02f, 0.02f}), p);
  if (random.chance(0.6f))
    add_removable(h.world, block({0.45f, 0.45f, 0.4f}, {0, l + 0.6f, 0.68f}), carton(random), p);
  for (size_t i = first; i < h.world.bodies.size(); i++) {
    h.world.bodies[i].motion.velocity = walk.velocity;
    h.world.bodies[i].motion.turn_after = walk.turn_after;
  }
}

void add_floor_things(Hall& h, const std::vector<float>& aisles) {
  Random& random = h.random;
  const auto some_aisle = [&] {
    return aisles[static_cast<size_t>(random.whole(0, static_cast<int>(aisles.size()) - 1))];
  };
  for (int i = random.whole(3, 10); i > 0; i--) {
    const float middle = some_aisle(), x = middle + random.sign() * (h.aisle - 0.55f),
                y = random.between(-0.9f, 0.9f) * h.half.y;
    const Placement p = at(x, y, 0, random.between(-0.2f, 0.2f));
    add_removable(h.world, block({0.5f, 0.5f, 0.07f}, {0, 0, 0.07f}), wood(random), p);
    if (!random.chance(0.7f)) continue;
    const float tall = random.between(0.2f, 0.6f); // half of it; stands on the pallet
    add_removable(h.world, block({0.42f, 0.42f, tall}, {0, 0, 0.14f + tall}), carton(random), p);
  }
  for (int i = random.whole(1, 3); i > 0; i--) {
    const float way = random.sign();
    const bool drives = random.chance(0.4f);
    const float x = some_aisle() + 0.3f * h.aisle, y = random.between(-0.7f, 0.7f) * h.half.y;
    add_lift_truck(h, at(x, y, 0, way > 0 ? 0 : kPi),
                   drives ? Walk{{0, way * random.between(0.6f, 2), 0}, 5} : Walk{});
  }
  for (int i = random.whole(3, 8); i > 0; i--) { // at the ends of the hall
    const float x = random.between(-0.9f, 0.9f) * h.half.x, end = random.sign(),
                y = end * (h.half.y - random.between(0.6f, 0.9f)), half = random.between(0.3f, 0.55f);
    add_pile(h.world, random, at(x, y), half, random.whole(1, 4));
  }
  for (int i = random.whole(0, 3); i > 0; i--) {
    const float way = random.sign(), x = some_aisle() - 0.5f * h.aisle,
                y = random.between(-0.5f, 0.5f) * h.half.y;
    add_person(h.world, random, at(x, y, 0, way > 0 ? 0 : kPi),
               random.chance(0.7f) ? Walk{{0, way * random.between(0.6f, 1.3f), 0}, 6} : Walk{});
  }
}

} // namespace

World create_warehouse(uint64_t seed) {
  Random random(seed * 8 + 7);
  World world;
  const float aisle = random.between(1.3f, 2.2f), deep = random.between(0.45f, 0.6f);
  const int aisles = random.whole(2, 3);
  const float pitch = 2 * (aisle + deep), across = 0.5f * static_cast<float>(aisles) * pitch + deep + 0.05f;
  Hall hall{world, random, {across, random.between(13, 21), random.between(2.2f, 3.6f)}, aisle, deep};
  add_shell(hall);
  const Material posts = metal(random);
  const Material beams =
      random.chance(0.5f) ? painted(random_colour(random, 0.2f, 0.6f, 0.9f)) : metal(random);
  std::vector<float> middles;
  for (int i = 0; i <= aisles; i++) {
    const float x = -across + deep + 0.05f + static_cast<float>(i) * pitch;
    if (i < aisles) middles.push_back(x + deep + aisle);
    const float start = random.between(2.5f, 4), end = random.between(2.5f, 4);
    if (random.chance(0.93f)) add_rack(hall, x, -hall.half.y + start, hall.half.y - end, posts, beams);
  }
  add_floor_things(hall, middles);
  const float x = middles[static_cast<size_t>(random.whole(0, aisles - 1))], way = random.sign();
  world.light = indoors(random, {x, random.between(-0.3f, 0.3f) * hall.half.y, 2 * hall.half.z - 1}, 9);
  world.light.from_above = world.light.from_above * 1.4f;
  world.light.from_below = world.light.from_below * 1.3f;
  const float eye = random.chance(0.7f) ? random.between(1.2f, 1.9f) : random.between(1.9f, 3),
              speed = random.between(0.5f, 1.6f);
  const Hand hand{random.between(0.003f, 0.02f), random.chance(0.5f) ? random.between(0.01f, 0.03f) : 0};
  const float half = random.between(3, hall.half.y - 6);
  if (random.chance(0.7f)) {
    world.camera = patrol(random, {x, -way * (hall.half.y - 2.5f - half), eye}, {0, way, 0}, half, speed,
                          random.between(-0.05f, 0.12f), hand);
  } else { // in the free strip before the racks
    const float y = -way * (hall.half.y - 2);
    world.camera = watch(random, {0, y, eye}, {across - 1.5f, 0.6f, 0.15f}, speed, {0, way * 3, 1.2f},
                         {0.7f * across, 3, 0.4f}, hand);
  }
  world.field_of_view = random.between(45, 68);
  clear_path(world, 90, 0.5f);
  return world;
}

} // namespace video_depth::scene

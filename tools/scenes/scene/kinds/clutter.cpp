// Owns: many small bodies on a table or on the floor, seen from near.
// Must not know: how they are drawn.
#include <utility>

#include "scene/camera.h"
#include "scene/kinds/create.h"
#include "scene/kinds/parts.h"

namespace video_depth::scene {
namespace {

struct Heap {
  World& world;
  Random& random;
  float top; ///< height of what they stand on
  Vec3 half; ///< of the area in use
};

struct Thing {
  Mesh mesh;    ///< its origin is its middle
  float bottom; ///< below the origin
  bool is_round = false;
};

Vec3 random_half(Random& random, float size) {
  return Vec3{random.between(0.4f, 1.3f), random.between(0.4f, 1.3f), random.between(0.4f, 1.3f)} * size;
}

Mesh lowered(const Mesh& mesh, float by) {
  return moved(mesh, at(0, 0, -by));
}

Thing random_thing(Random& random, float size) {
  const Vec3 h = random_half(random, size);
  switch (random.whole(0, 11)) {
    case 0:
      return {sphere(size, 18), size, true};
    case 1:
      return {ellipsoid(h, 16), h.z, true};
    case 2:
      return {lowered(cylinder(h.x, h.x, 2 * h.z, 18), h.z), h.z};
    case 3:
      return {lowered(cylinder(h.x, 0, 2.5f * h.z, 18), h.z), h.z};
    case 4:
      return {torus(1.1f * size, random.between(0.2f, 0.45f) * size, 18), 0.2f * size};
    case 5:
      return {lowered(capsule(0.5f * size, 2.2f * size, 12), size), size};
    case 6:
      return {lowered(wedge(h), h.z), h.z};
    case 7:
      return {moved(stairs(random.whole(3, 5), 1.6f * size, 0.4f * size, 0.35f * size), at(0, -size, -size)),
              size};
    case 8:
      return {lowered(arch(1.2f * size, 2 * size, 0.4f * size, 0.7f * size, 1.4f * size), size), size};
    case 9: {
      const float a = random.between(2, 6), b = random.between(0, 6);
      return {lowered(lathe(2.4f * size, 12, 18,
                            [=](float t) { return size * (0.55f + 0.3f * std::sin(a * t + b)); }),
                      size),
              size};
    }
    case 10: {
      const float roughness = random.between(0.1f, 0.5f);
      return {rock(size, roughness, random.bits(), 12), 0.85f * size, true};
    }
    default:
      return {box(h), h.z};
  }
}

void move_somehow(Random& random, Body& body, float size, bool is_round) {
  Motion& m = body.motion;
  m.phase = random.between(0, 6);
  switch (random.whole(0, 4)) {
    case 0:
      m.bounce = random.between(0.5f, 3) * size;
      m.bounce_rate = random.between(0.2f, 0.6f);
      break;
    case 1:
      m.spin_axis = {0, 0, 1};
      m.spin = random.aside(0.3f, 2);
      break;
    case 2:
      m.sway = Vec3{random.between(-1, 1), random.between(-1, 1), 0} * (2 * size);
      m.sway_rate = random.between(0.05f, 0.25f);
      break;
    case 3:
      body.deformation.kind = Deformation::Kind::squash;
      body.deformation.amount = random.between(0.1f, 0.3f);
      body.deformation.rate = random.between(0.2f, 0.8f);
      m.bounce = is_round ? 0.4f * size : 0;
      m.bounce_rate = random.between(0.2f, 0.5f);
      break;
    default:
      m.spin_axis = is_round ? random.direction() : Vec3{0, 0, 1};
      m.spin = random.between(0.3f, 1.5f);
      m.sway = Vec3{random.between(-1, 1), random.between(-1, 1), 0} * size;
      m.sway_rate = random.between(0.05f, 0.2f);
  }
}

void add_cloth(Heap& h) {
  Random& random = h.random;
  const float w = random.between(0.1f, 0.4f), angle = random.between(-kPi, kPi);
  const Placement p{yaw(angle) * turn({1, 0, 0}, random.chance(0.6f) ? kPi / 2 : random.between(0.1f, 1.2f)),
                    {random.between(-1, 1) * h.half.x, random.between(-1, 1) * h.half.y, h.top + w + 0.05f}};
  Body& cloth = add_removable(h.world, plate(w, w, 14), random_material(random, 0.5f * w), p);
  cloth.two_sided = true;
  cloth.deformation.kind = Deformation::Kind::wave;
  cloth.deformation.amount = random.between(0.05f, 0.15f) * w;
  cloth.deformation.length = random.between(0.6f, 1.6f) * w;
  cloth.deformation.rate = random.between(0.1f, 0.7f);
}

void add_things(Heap& h) {
  Random& random = h.random;
  const int count = random.whole(15, 45);
  const float moving = random.chance(0.6f) ? random.between(0.1f, 0.5f) : 0,
              common = random.log_between(0.05f, 0.12f);
  for (int i = 0; i < count; i++) {
    const float size = common * random.log_between(0.5f, 2.2f);
    float x = 0, y = 0, z = h.top;
    do { // more of them in the middle
      x = 0.5f * random.normal();
      y = 0.5f * random.normal();
    } while (std::max(std::fabs(x), std::fabs(y)) > 1);
    x *= h.half.x;
    y *= h.half.y;
    for (int layer = random.chance(0.25f) ? random.whole(2, 3) : 1; layer > 0; layer--) {
      Thing thing = random_thing(random, size * (0.7f + 0.15f * static_cast<float>(layer)));
      const bool lies = !thing.is_round && layer == 1 && random.chance(0.15f);
      Placement p = at(x, y, z + thing.bottom, random.between(-kPi, kPi));
      if (lies) p.rotation = p.rotation * turn({1, 0, 0}, random.between(-0.6f, 0.6f));
      z += 2 * thing.bottom;
      Body& body = add_removable(h.world, std::move(thing.mesh),
                                 random_material(random, random.between(0.3f, 1.5f) * size), p);
      if (layer == 1 && random.chance(moving)) move_somehow(random, body, size, thing.is_round);
    }
  }
  if (random.chance(0.3f)) add_cloth(h);
}

void add_place(Heap& h, Vec3 room) {
  Random& random = h.random;
  h.world.add(moved(inner_box({room.x, room.y, room.z + 0.1f}), at(0, 0, room.z)), wall_cover(random));
  h.world.add(plate(room.x, room.y), flooring(random));
  h.world.add(box({room.x, room.y, 0.05f}), painted(random_colour(random, 0.4f, 0.85f, 0.2f)),
              at(0, 0, 2 * room.z + 0.05f));
  if (h.top > 0) {
    const Material material = random.chance(0.5f) ? wood(random) : random_material(random, 0.4f);
    Mesh table;
    if (random.chance(0.3f)) {
      const float r = 1.25f * std::max(h.half.x, h.half.y);
      table = moved(cylinder(r, r, 0.05f, 40), at(0, 0, h.top - 0.05f));
      table.append(cylinder(0.2f, 0.1f, h.top - 0.02f, 16));
    } else {
      table = block({h.half.x + 0.12f, h.half.y + 0.12f, 0.025f}, {0, 0, h.top - 0.025f});
      for (const float sx : {-1.f, 1.f})
        for (const float sy : {-1.f, 1.f})
          table.append(box({0.035f, 0.035f, 0.5f * h.top - 0.02f}),
                       at(sx * h.half.x, sy * h.half.y, 0.5f * h.top - 0.02f));
    }
    h.world.add(std::move(table), material);
  } else if (random.chance(0.5f)) {
    h.world.add(box({h.half.x + 0.3f, h.half.y + 0.3f, 0.004f}), fabric(random), at(0, 0, 0.002f));
  }
  // The room behind: things along its walls.
  for (int i = random.whole(3, 9); i > 0; i--) {
    const float angle = random.between(-kPi, kPi),
                s = std::max(std::fabs(std::cos(angle)), std::fabs(std::sin(angle)));
    const Placement p = at((room.x - 0.45f) * std::cos(angle) / s, (room.y - 0.45f) * std::sin(angle) / s, 0,
                           random.between(-kPi, kPi));
    switch (random.whole(0, 4)) {
      case 0:
        add_chair(h.world, random, p);
        break;
      case 1:
        add_plant(h.world, random, p, random.between(0.6f, 1.6f));
        break;
      case 2:
        add_pile(h.world, random, p, 0.3f, random.whole(1, 5));
        break;
      case 3:
        add_floor_lamp(h.world, random, p);
        break;
      default: {
        const float radius = random.between(0.2f, 0.5f);
        add_rock(h.world, random, p, radius, random_material(random, 0.3f));
        break;
      }
    }
  }
}

void set_camera(Heap& h, float room) {
  Random& random = h.random;
  const float wide = std::max(h.half.x, h.half.y), most = room - 0.9f;
  const float away = std::min(most, wide + random.between(0.4f, 1.1f)),
              up = random.between(h.top > 0 ? 0.42f : 0.35f, 1);
  const Vec3 target{0, 0, h.top + 0.05f};
  const Hand hand{random.between(0, 0.015f), 0};
  const float speed = random.between(0.1f, 0.5f);
  if (random.chance(0.35f)) {
    h.world.camera = orbit(random, target, away, up, speed, hand);
    return;
  }
  const float angle = random.between(-kPi, kPi);
  const Vec3 centre{away * std::cos(angle), away * std::sin(angle), h.top + up};
  const float free = std::max(0.1f, std::min(most - away + 0.3f, 0.6f));
  h.world.camera = watch(random, centre, {free, free, 0.25f * up}, speed, target,
                         {0.6f * h.half.x, 0.6f * h.half.y, 0.1f}, hand);
}

} // namespace

World create_clutter(uint64_t seed) {
  Random random(seed * 8 + 5);
  World world;
  const float top = random.chance(0.6f) ? random.between(0.5f, 0.95f) : 0;
  const Vec3 room{random.between(1.8f, 3.5f), random.between(1.8f, 3.5f), random.between(1.2f, 1.6f)};
  Heap heap{world, random, top, {random.between(0.3f, 0.9f), random.between(0.3f, 0.7f), 0}};
  add_place(heap, room);
  add_things(heap);
  const Vec3 lamp{random.between(-1.f, 1.f), random.between(-1.f, 1.f),
                  random.between(1.9f, 2 * room.z - 0.2f)};
  world.light = indoors(random, lamp, 2);
  world.add(cylinder(0.16f, 0.16f, 0.06f, 16), glowing({0.9f, 0.85f, 0.75f}, 1),
            at(lamp.x, lamp.y, 2 * room.z - 0.06f));
  set_camera(heap, std::min(room.x, room.y));
  world.field_of_view = random.between(40, 65);
  clear_path(world, 90, 0.3f);
  return world;
}

} // namespace video_depth::scene

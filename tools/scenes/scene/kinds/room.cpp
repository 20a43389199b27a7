// Owns: rooms: walls, furniture along them, lamps, people.
// Must not know: how they are drawn.
#include <utility>

#include "scene/camera.h"
#include "scene/kinds/create.h"
#include "scene/kinds/parts.h"

namespace video_depth::scene {
namespace {

struct Room {
  World& world;
  Random& random;
  Vec3 half; ///< of the inside; the floor is z = 0
};

void add_shell(Room& r) {
  const Vec3 h = r.half;
  r.world.add(moved(inner_box({h.x, h.y, h.z + 0.1f}), at(0, 0, h.z)), wall_cover(r.random));
  r.world.add(plate(h.x, h.y), flooring(r.random));
  const Material ceiling =
      r.random.chance(0.75f) ? painted(random_colour(r.random, 0.55f, 0.85f, 0.1f)) : wall_cover(r.random);
  r.world.add(box({h.x, h.y, 0.05f}), ceiling, at(0, 0, 2 * h.z + 0.05f));
  if (r.random.chance(0.7f)) {
    Mesh skirting;
    for (const float s : {-1.f, 1.f}) {
      skirting.append(box({0.015f, h.y, 0.05f}), at(s * h.x, 0, 0.05f));
      skirting.append(box({h.x, 0.015f, 0.05f}), at(0, s * h.y, 0.05f));
    }
    r.world.add(std::move(skirting), wood(r.random));
  }
  if (r.random.chance(0.3f)) {
    Mesh beams;
    for (float y = -h.y + 0.5f; y < h.y; y += 1.1f)
      beams.append(box({h.x, 0.08f, 0.1f}), at(0, y, 2 * h.z - 0.1f));
    r.world.add(std::move(beams), wood(r.random));
  }
}

/// A place on the wall `side`: x along it, y out of it into the room.
Placement on_wall(const Room& r, int side, float along, float out, float z) {
  switch (side) {
    case 0:
      return at(-along, r.half.y - out, z, kPi);
    case 1:
      return at(along, -r.half.y + out, z, 0);
    case 2:
      return at(r.half.x - out, along, z, kPi / 2);
    default:
      return at(-r.half.x + out, -along, z, -kPi / 2);
  }
}

void add_window(Room& r, const Placement& p, float w, float h) {
  const Vec3 light = random_colour(r.random, 0.6f, 0.95f, 0.2f);
  r.world.add(box({w, 0.01f, h}), glowing(light, r.random.between(0.7f, 1.2f)), p);
  Mesh frame = box({0.025f, 0.03f, h});
  for (const float s : {-1.f, 1.f}) {
    frame.append(box({w + 0.05f, 0.04f, 0.04f}), at(0, 0, s * h));
    frame.append(box({0.04f, 0.04f, h}), at(s * w, 0));
  }
  r.world.add(std::move(frame), painted(random_colour(r.random, 0.3f, 0.85f, 0.2f)), p);
  if (!r.random.chance(0.5f)) return;
  const Material cloth = fabric(r.random);
  for (const float s : {-1.f, 1.f}) {
    Placement q = p;
    q.position = p(Vec3{s * (w + 0.1f), 0.12f, -0.1f});
    q.rotation = p.rotation * turn({1, 0, 0}, kPi / 2);
    Body& curtain = r.world.add(plate(0.32f, h + 0.25f, 10), cloth, q);
    curtain.two_sided = true;
    curtain.removable = true;
    curtain.deformation.kind = Deformation::Kind::wave;
    curtain.deformation.amount = 0.03f;
    curtain.deformation.length = 0.2f;
    curtain.deformation.rate = r.random.chance(0.4f) ? r.random.between(0.1f, 0.3f) : 0;
  }
}

/// Furniture of a width; what it is depends on chance. Returns half its width.
float add_by_wall(Room& r, int side, float start, float space, bool may_be_door) {
  Random& random = r.random;
  const float ceiling = 2 * r.half.z;
  const auto place = [&](float half_x, float half_y) {
    return on_wall(r, side, start + half_x, half_y + 0.03f, 0);
  };
  float w = std::min(0.5f * space, random.between(0.3f, 0.9f));
  switch (random.whole(0, may_be_door ? 9 : 8)) {
    case 0:
      add_shelf(r.world, random, place(w, 0.18f),
                {w, 0.18f, std::min(0.45f * ceiling, random.between(0.5f, 1.1f))});
      break;
    case 1:
      add_cupboard(r.world, random, place(w, 0.3f), {w, 0.3f, random.between(0.35f, 1.05f)});
      break;
    case 2:
      w = std::min(0.5f * space, random.between(0.6f, 1.1f));
      add_sofa(r.world, random, place(w, 0.45f), w);
      break;
    case 3: {
      const float deep = random.between(0.3f, 0.4f);
      add_table(r.world, random, place(w, deep), {std::max(w, 0.4f), deep, random.between(0.34f, 0.39f)});
      if (random.chance(0.7f)) add_chair(r.world, random, on_wall(r, side, start + w, 2 * deep + 0.15f, 0));
      break;
    }
    case 4:
      if (space < 2) break;
      w = 0.95f;
      add_bed(r.world, random, place(w, 1.03f));
      break;
    case 5:
      w = 0.25f;
      add_floor_lamp(r.world, random, place(w, 0.25f));
      break;
    case 6:
      w = 0.25f;
      add_plant(r.world, random, place(w, 0.25f), random.between(0.5f, 1.7f));
      break;
    case 7: {
      w = 0.25f;
      const float half = random.between(0.15f, 0.25f);
      add_pile(r.world, random, place(w, 0.25f), half, random.whole(1, 4));
      break;
    }
    case 8:
      w = 0.25f;
      add_chair(r.world, random, place(w, 0.25f));
      break;
    default:
      w = 0.6f;
      add_door(r.world, random, on_wall(r, side, start + w, 0.02f, 0));
      break;
  }
  return w;
}

void furnish(Room& r) {
  const int first = r.random.whole(0, 3), second = r.random.chance(0.3f) ? (first + 1) % 4 : first;
  for (int side = 0; side < 4; side++) {
    const float half = side < 2 ? r.half.x : r.half.y, margin = side < 2 ? 0.1f : 0.95f;
    const bool has_window = side == first || side == second;
    float along = -half + margin;
    while (along < half - margin - 0.6f) {
      if (r.random.chance(0.92f))
        along += 2 * add_by_wall(r, side, along, half - margin - along, !has_window);
      along += r.random.between(0.03f, 0.45f);
    }
    if (has_window) {
      const float w = r.random.between(0.4f, 0.9f), middle = r.random.between(-0.4f, 0.4f) * half;
      add_window(r, on_wall(r, side, middle, 0.01f, 1.5f), w, r.random.between(0.4f, 0.65f));
    } else {
      for (int i = r.random.whole(1, 4); i > 0; i--) {
        const float middle = r.random.between(-0.8f, 0.8f) * half, z = r.random.between(1.4f, 1.8f),
                    w = r.random.between(0.15f, 0.5f);
        add_poster(r.world, r.random, on_wall(r, side, middle, 0.012f, z), w, r.random.between(0.15f, 0.45f));
      }
    }
  }
}

/// A piece of wall or a column that stands out into the room.
void add_partition(Room& r) {
  Random& random = r.random;
  const Material material = wall_cover(random);
  const float tall = random.chance(0.6f) ? r.half.z : random.between(0.4f, 0.8f);
  if (random.chance(0.4f)) {
    const float x = random.between(-0.6f, 0.6f) * r.half.x;
    const Placement p = at(x, random.between(-0.6f, 0.6f) * r.half.y);
    const float w = random.between(0.1f, 0.25f);
    if (random.chance(0.5f))
      add_removable(r.world, block({w, w, r.half.z}, {0, 0, r.half.z}), material, p);
    else
      add_removable(r.world, cylinder(w, w, 2 * r.half.z, 16), material, p);
    return;
  }
  const float out = random.between(0.2f, 0.45f) * r.half.x, side = random.sign();
  const Placement p = at(side * (r.half.x - out), random.between(-0.5f, 0.5f) * r.half.y);
  add_removable(r.world, block({out, 0.07f, tall}, {0, 0, tall}), material, p);
}

void fill_middle(Room& r) {
  Random& random = r.random;
  const auto somewhere = [&] {
    const float x = random.between(-0.6f, 0.6f) * (r.half.x - 0.5f),
                y = random.between(-0.6f, 0.6f) * (r.half.y - 0.5f);
    return at(x, y, 0, random.between(-kPi, kPi));
  };
  if (random.chance(0.6f)) {
    const Material rug = fabric(random);
    const float x = random.between(-0.5f, 0.5f), y = random.between(-0.5f, 0.5f);
    const Placement p = at(x, y, 0.008f, random.chance(0.7f) ? 0 : random.between(0, 3));
    r.world.add(random.chance(0.7f) ? box({random.between(0.5f, 0.5f * r.half.x),
                                           random.between(0.5f, 0.5f * r.half.y), 0.008f})
                                    : cylinder(random.between(0.5f, 1.f), 1.f, 0.01f, 32),
                rug, p);
  }
  if (random.chance(0.65f)) {
    const Placement p = somewhere();
    const Vec3 half{random.between(0.4f, 0.9f), random.between(0.35f, 0.5f), random.between(0.2f, 0.38f)};
    add_table(r.world, random, p, half);
    for (const float s : {-1.f, 1.f}) {
      if (half.z < 0.32f || random.chance(0.3f)) continue;
      const Vec3 seat = p(Vec3{random.between(-0.3f, 0.3f), s * (half.y + 0.1f), 0});
      add_chair(r.world, random, {p.rotation * yaw(s < 0 ? 0 : kPi), seat});
    }
  }
  for (int i = random.whole(0, 3); i > 0; i--) add_chair(r.world, random, somewhere());
  for (int i = random.whole(0, 3); i > 0; i--) {
    const Placement p = somewhere();
    add_ball(r.world, random, p, random.between(0.06f, 0.3f));
    if (!random.chance(0.4f)) continue;
    r.world.bodies.back().motion.bounce = random.between(0.1f, 0.8f);
    r.world.bodies.back().motion.bounce_rate = random.between(0.2f, 0.5f);
  }
  if (random.chance(0.45f))
    for (int i = random.whole(1, 3); i > 0; i--) {
      const bool walks = random.chance(0.5f);
      const Placement p = somewhere();
      const Vec3 ahead = p.rotation(Vec3{0, 1, 0});
      const float room = std::min(r.half.x, r.half.y) * 0.4f;
      add_person(r.world, random, p, walks ? Walk{ahead * random.between(0.3f, 0.9f), room - 0.3f} : Walk{});
    }
}

void light_up(Room& r) {
  const float reach = std::max(r.half.x, r.half.y), top = 2 * r.half.z;
  Vec3 lamp{r.random.between(-0.5f, 0.5f) * r.half.x, r.random.between(-0.5f, 0.5f) * r.half.y, top - 0.3f};
  r.world.light = indoors(r.random, lamp, reach);
  const Vec3 glow = random_colour(r.random, 0.7f, 0.95f, 0.2f);
  if (r.random.chance(0.5f)) {
    r.world.add(cylinder(0.2f, 0.15f, 0.08f, 20), glowing(glow, 1), at(lamp.x, lamp.y, top - 0.08f));
  } else {
    Mesh shade = cylinder(0.18f, 0.05f, 0.16f, 20);
    shade.append(cylinder(0.008f, 0.008f, 0.2f, 6), at(0, 0, 0.1f));
    r.world.add(std::move(shade), glowing(glow, 0.6f), at(lamp.x, lamp.y, top - 0.25f));
  }
}

void set_camera(Room& r) {
  Random& random = r.random;
  const float eye = random.chance(0.7f) ? random.between(1.1f, 1.8f) : random.between(0.4f, 1.1f);
  const Vec3 free{std::max(0.15f, r.half.x - 1.1f), std::max(0.15f, r.half.y - 1.1f), 0};
  const Hand hand{random.between(0, 0.02f), random.chance(0.4f) ? random.between(0.008f, 0.02f) : 0};
  const float speed = random.between(0.3f, 1);
  const Vec3 half{free.x * random.between(0.4f, 1), free.y * random.between(0.4f, 1),
                  random.between(0.02f, 0.25f)};
  const Vec3 centre{random.sign() * (free.x - half.x), random.sign() * (free.y - half.y), eye};
  const float kind = random.next();
  if (kind < 0.2f) {
    r.world.camera = wander(random, centre, half, 0.7f * speed, random.between(0, 0.2f), hand);
  } else if (kind < 0.6f) {
    // From one end of the room, over all of the rest.
    const float s = random.sign(), deep = random.between(0.15f, 0.4f);
    const bool is_along_x = r.half.x > r.half.y;
    const float back = -s * (1 - deep), ahead = s * 0.65f, z = random.between(0.6f, 1.3f);
    r.world.camera = is_along_x
                         ? watch(random, {back * free.x, 0, eye}, {deep * free.x, free.y, half.z}, speed,
                                 {ahead * r.half.x, 0, z}, {0.25f * r.half.x, 0.8f * r.half.y, 0.3f}, hand)
                         : watch(random, {0, back * free.y, eye}, {free.x, deep * free.y, half.z}, speed,
                                 {0, ahead * r.half.y, z}, {0.8f * r.half.x, 0.25f * r.half.y, 0.3f}, hand);
  } else {
    // From one corner across the room.
    const float sx = random.sign(), sy = random.sign();
    const Vec3 corner{sx * free.x * 0.7f, sy * free.y * 0.7f, eye};
    const Vec3 target{-sx * 0.8f * r.half.x, -sy * 0.8f * r.half.y, random.between(0.5f, 1.3f)};
    r.world.camera = watch(random, corner, Vec3{0.3f * free.x, 0.3f * free.y, half.z}, speed, target,
                           {0.3f * r.half.x, 0.3f * r.half.y, 0.3f}, hand);
  }
}

} // namespace

World create_room(uint64_t seed) {
  Random random(seed * 8 + 1);
  World world;
  Room room{world,
            random,
            {random.log_between(2.f, 6.f), random.log_between(2.f, 5.f), random.between(1.2f, 1.8f)}};
  add_shell(room);
  furnish(room);
  fill_middle(room);
  if (random.chance(0.4f)) add_partition(room);
  light_up(room);
  set_camera(room);
  world.field_of_view = random.between(48, 74);
  clear_path(world, 90, 0.4f);
  return world;
}

} // namespace video_depth::scene

// Owns: courtyards: colonnades, arches, walls, plinths, crates, far hills.
// Must not know: how they are drawn.
#include <utility>

#include "scene/camera.h"
#include "scene/kinds/create.h"
#include "scene/kinds/parts.h"

namespace video_depth::scene {
namespace {

struct Court {
  World& world;
  Random& random;
  Vec3 half; ///< of the yard; z: height of the walls
};

void add_ground(Court& c) {
  Random& random = c.random;
  c.world.add(plate(120, 120, 8), soil(random), at(0, 0, -0.03f));
  c.world.add(box({c.half.x + 0.5f, c.half.y + 0.5f, 0.05f}),
              random.chance(0.7f) ? flooring(random) : soil(random), at(0, 0, -0.05f));
  const uint32_t seed = random.bits();
  const float high = random.between(6, 25);
  c.world.add(height_field(130, 40,
                           [=](float x, float y) {
                             const float far = std::hypot(x, y);
                             return -1 + high * smooth_step(45, 110, far) *
                                             (0.3f + fractal_noise({x / 35, y / 35, 0}, 3, seed));
                           }),
              soil(random));
}

/// What stands on one side: a wall with gates, a colonnade, an arcade, or little.
void add_side(Court& c, int side, const Material& wall, const Material& other) {
  Random& random = c.random;
  const bool along_x = side < 2;
  const float length = along_x ? c.half.x : c.half.y, away = along_x ? c.half.y : c.half.x, h = c.half.z;
  const float angle = side == 0 ? 0 : side == 1 ? kPi : side == 2 ? kPi / 2 : -kPi / 2;
  const Placement middle{yaw(angle), yaw(angle)(Vec3{0, -away, 0})};
  const auto inside = [&](float x, float y, float z) {
    return Placement{middle.rotation, middle(Vec3{x, y, z})};
  };
  switch (random.whole(0, 3)) {
    case 0: { // a wall with a gate
      const float gate = random.between(0.9f, 1.6f), part = 0.5f * (length - gate - 0.4f),
                  beside = gate + 0.4f + part;
      for (const float s : {-1.f, 1.f})
        c.world.add(block({part, 0.2f, 0.5f * h}, {0, 0, 0.5f * h}), wall, inside(s * beside, 0, 0));
      c.world.add(arch(gate + 0.4f, h + 0.6f, 0.35f, gate, std::min(h, 2 * gate)), other, middle);
      break;
    }
    case 1: { // columns below a beam
      const float gap = random.between(1.6f, 3), r = random.between(0.13f, 0.3f);
      Mesh columns;
      for (float x = -length; x <= length + 0.01f; x += gap) {
        columns.append(cylinder(r, 0.85f * r, h, 14), at(x, 0));
        columns.append(box({1.3f * r, 1.3f * r, 0.1f}), at(x, 0, 0.1f));
      }
      c.world.add(std::move(columns), other, middle);
      c.world.add(box({length + 0.4f, 1.4f * r, 0.2f}), wall, inside(0, 0, h + 0.2f));
      c.world.add(block({length + 2, 0.2f, 0.6f * h}, {0, 0, 0.6f * h}), wall, inside(0, -3, 0));
      if (random.chance(0.6f))
        c.world.add(box({length + 0.6f, 1.7f, 0.08f}), other, inside(0, -1.5f, h + 0.48f));
      break;
    }
    case 2: { // an arcade
      const int n = std::max(2, static_cast<int>(length / random.between(1.2f, 2)));
      const float w = length / static_cast<float>(n);
      Mesh arcade;
      for (int i = 0; i < n; i++)
        arcade.append(arch(w, h, 0.25f, 0.75f * w, std::min(h - 0.3f, 0.75f * w + 1.4f)),
                      at(-length + w * static_cast<float>(2 * i + 1), 0));
      c.world.add(std::move(arcade), wall, middle);
      if (random.chance(0.5f))
        c.world.add(block({length, 0.2f, 0.5f * h}, {0, 0, 0.5f * h}), other, inside(0, -2.5f, 0));
      break;
    }
    default: // a low wall and trees behind
      c.world.add(block({length, 0.15f, 0.45f}, {0, 0, 0.45f}), wall, middle);
      for (int i = random.whole(1, 4); i > 0; i--) {
        const float x = random.between(-1, 1) * length, y = random.between(-10, -2),
                    height = random.between(3, 8);
        add_tree(c.world, random, inside(x, y, 0), height, random.chance(0.3f));
      }
  }
}

void add_monument(Court& c, const Placement& p, const Material& base) {
  Random& random = c.random;
  const float r = random.between(0.25f, 0.6f), h = random.between(0.4f, 1.2f);
  add_removable(
      c.world, random.chance(0.5f) ? block({r, r, 0.5f * h}, {0, 0, 0.5f * h}) : cylinder(r, 0.9f * r, h, 20),
      base, p);
  const Material top = random.chance(0.5f) ? stone(random) : random_material(random, 0.4f);
  const float seed = random.between(0, 6);
  Mesh mesh;
  switch (random.whole(0, 4)) {
    case 0:
      mesh = moved(sphere(0.9f * r, 20), at(0, 0, h + 0.88f * r));
      break;
    case 1:
      mesh =
          moved(lathe(2.6f * r, 12, 18, [=](float t) { return r * (0.5f + 0.3f * std::sin(5 * t + seed)); }),
                at(0, 0, h));
      break;
    case 2:
      mesh = moved(torus(0.6f * r, 0.22f * r), {turn({1, 0, 0}, kPi / 2), {0, 0, h + 0.8f * r}});
      break;
    case 3:
      mesh = moved(rock(r, 0.4f, random.bits(), 14), at(0, 0, h + 0.8f * r));
      break;
    default:
      mesh = moved(cylinder(0.6f * r, 0, 3 * r, 4), at(0, 0, h));
      break;
  }
  add_removable(c.world, std::move(mesh), top, p);
}

Placement place_in(Court& c, float share) {
  const float x = c.random.between(-share, share), y = c.random.between(-share, share);
  return at(x * (c.half.x - 0.6f), y * (c.half.y - 0.6f), 0, c.random.between(-kPi, kPi));
}

void add_things(Court& c) {
  Random& random = c.random;
  const auto somewhere = [&](float share) { return place_in(c, share); };
  const Material base = masonry(random);
  for (int i = random.whole(1, 5); i > 0; i--) add_monument(c, somewhere(0.95f), base);
  for (int i = random.whole(2, 9); i > 0; i--) {
    const Placement p = somewhere(1);
    const float half = random.between(0.25f, 0.5f);
    add_pile(c.world, random, p, half, random.whole(1, 3));
  }
  for (int i = random.whole(0, 3); i > 0; i--) add_bench(c.world, random, somewhere(0.95f));
  for (int i = random.whole(0, 4); i > 0; i--) {
    const Placement p = somewhere(1);
    add_plant(c.world, random, p, random.between(0.7f, 2));
  }
  for (int i = random.whole(4, 12); i > 0; i--) { // along the edges
    Placement p = somewhere(1);
    if (random.chance(0.5f))
      p.position.x = random.sign() * (c.half.x - 0.7f);
    else
      p.position.y = random.sign() * (c.half.y - 0.7f);
    switch (random.whole(0, 3)) {
      case 0:
        add_bush(c.world, random, p, random.between(0.3f, 0.6f));
        break;
      case 1: {
        const float half = random.between(0.2f, 0.45f);
        add_pile(c.world, random, p, half, random.whole(1, 4));
        break;
      }
      case 2:
        add_monument(c, p, base);
        break;
      default:
        add_plant(c.world, random, p, random.between(0.8f, 2));
        break;
    }
  }
  if (random.chance(0.35f)) {
    const Placement p = somewhere(0.8f);
    const float height = random.between(3, 6);
    add_tree(c.world, random, p, height, random.chance(0.4f));
  }
  if (random.chance(0.3f)) {
    Placement p = somewhere(0.3f);
    const float r = random.between(0.7f, 1.4f);
    add_removable(c.world, cylinder(r, 0.95f * r, 0.45f, 24), base, p);
    add_removable(c.world, moved(cylinder(0.85f * r, 0.85f * r, 0.02f, 24), at(0, 0, 0.45f)),
                  painted({0.05f, 0.12f, 0.16f}, 0.9f), p);
    add_removable(c.world,
                  moved(lathe(1.3f, 10, 16, [](float t) { return 0.12f + 0.3f * t * t; }), at(0, 0, 0.4f)),
                  base, p);
  }
}

void add_movers(Court& c) {
  Random& random = c.random;
  const auto somewhere = [&](float share) { return place_in(c, share); };
  if (random.chance(0.5f)) { // a rolling ball
    const float r = random.between(0.15f, 0.5f), speed = random.between(0.4f, 1.5f),
                angle = random.between(-kPi, kPi);
    add_ball(c.world, random, somewhere(0.5f), r);
    Body& ball = c.world.bodies.back();
    ball.motion.sway = Vec3{std::cos(angle), std::sin(angle), 0} * (0.4f * std::min(c.half.x, c.half.y));
    ball.motion.sway_rate = speed / (2 * kPi * length(ball.motion.sway));
    ball.motion.spin_axis = {-std::sin(angle), std::cos(angle), 0};
    ball.motion.spin = 0.5f * speed / r;
    ball.placement.rotation = {};
  }
  if (random.chance(0.4f)) { // a sliding crate
    const Placement p = somewhere(0.5f);
    const float s = random.between(0.25f, 0.5f);
    Body& crate = add_removable(c.world, block({s, s, s}, {0, 0, s}), carton(random), p);
    crate.motion.velocity = p.rotation(Vec3{random.between(0.3f, 1), 0, 0});
    crate.motion.turn_after = 0.3f * std::min(c.half.x, c.half.y);
  }
  if (!random.chance(0.5f)) return;
  for (int i = random.whole(1, 3); i > 0; i--) {
    const Placement p = somewhere(0.6f);
    const Vec3 ahead = p.rotation(Vec3{0, 1, 0});
    add_person(c.world, random, p,
               random.chance(0.6f)
                   ? Walk{ahead * random.between(0.5f, 1.3f), 0.35f * std::min(c.half.x, c.half.y)}
                   : Walk{});
  }
}

void set_camera(Court& c) {
  Random& random = c.random;
  const float eye = random.chance(0.75f) ? random.between(1, 1.8f) : random.between(0.5f, 3.5f);
  const Vec3 half{(c.half.x - 1.6f) * random.between(0.4f, 0.9f),
                  (c.half.y - 1.6f) * random.between(0.4f, 0.9f), 0.15f * eye};
  const Hand hand{random.between(0, 0.02f), random.chance(0.5f) ? random.between(0.01f, 0.03f) : 0};
  const float speed = random.between(0.5f, 1.8f), kind = random.next(),
              pitch = random.between(0, 0.12f) + (eye > 2 ? 0.15f : 0);
  if (kind < 0.5f)
    c.world.camera = wander(random, {0, 0, eye}, half, speed, pitch, hand);
  else if (kind < 0.75f)
    c.world.camera = orbit(random, {0, 0, 0.9f}, 0.7f * (std::min(c.half.x, c.half.y) - 1),
                           std::max(0.3f, eye - 0.9f), speed, hand);
  else
    c.world.camera = watch(random, {0.7f * half.x, -0.7f * half.y, eye}, {0.3f * half.x, 0.3f * half.y, 0.1f},
                           speed, {-0.6f * c.half.x, 0.6f * c.half.y, 1}, {2, 2, 0.4f}, hand);
}

} // namespace

World create_courtyard(uint64_t seed) {
  Random random(seed * 8 + 6);
  World world;
  Court court{world, random, {random.log_between(4, 14), random.log_between(4, 14), random.between(2.2f, 5)}};
  add_ground(court);
  const Material wall = masonry(random), other = random.chance(0.5f) ? stone(random) : masonry(random);
  for (int side = 0; side < 4; side++) add_side(court, side, wall, other);
  add_things(court);
  add_movers(court);
  world.light = outdoors(random, random.between(14, 22));
  set_camera(court);
  world.field_of_view = random.between(42, 68);
  clear_path(world, 90, 0.5f);
  return world;
}

} // namespace video_depth::scene

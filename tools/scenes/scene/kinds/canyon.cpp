// Owns: canyons: two rugged walls, a path between, boulders, dead trees, bridges. Held out like warehouses.
// Must not know: how they are drawn.
#include <utility>

#include "scene/camera.h"
#include "scene/kinds/create.h"
#include "scene/kinds/parts.h"

namespace video_depth::scene {
namespace {

/// Heights of a canyon along y that bends to and fro.
struct Gorge {
  float half, width, depth, bend, bends, rugged;
  int ledges;
  uint32_t seed;

  float middle(float y) const {
    return bend * std::sin(bends * y) + 0.4f * bend * std::sin(2.3f * bends * y + 1);
  }
  float heading(float y) const {
    return bend * bends * std::cos(bends * y) + 0.92f * bend * bends * std::cos(2.3f * bends * y + 1);
  }
  float floor(float x, float y) const { return 0.7f * fractal_noise({x / 5, y / 5, 2}, 3, seed + 1); }
  float operator()(float x, float y) const {
    const float jagged = rugged * (fractal_noise({x / 6, y / 6, 0}, 4, seed) - 0.5f);
    const float away = std::fabs(x - middle(y)) + 2 * jagged - width;
    const float steps = static_cast<float>(ledges), climb = clamp01(away / (1.2f * steps + 2));
    // Steep risers and narrow ledges.
    const float level = std::floor(climb * steps), share = climb * steps - level;
    const float wall = (level + smooth_step(0.1f, 0.8f, share)) / steps;
    const float ends = smooth_step(0.82f, 1.f, std::fabs(y) / half);
    return floor(x, y) + depth * std::max(wall, 0.8f * ends) *
                             (0.8f + 0.5f * fractal_noise({x / 12, y / 12, 5}, 3, seed + 2));
  }
};

Material strata(Random& random) {
  const Vec3 base = mix({0.5f, 0.24f, 0.12f}, {0.5f, 0.45f, 0.38f}, random.next());
  Material m = painted(base);
  m.pattern = random.chance(0.5f) ? Pattern::clouds : Pattern::marble;
  m.second = base * random.between(0.45f, 0.75f);
  m.scale = random.log_between(0.5f, 3);
  m.seed = random.bits();
  return m;
}

struct Canyon {
  World& world;
  Random& random;
  Gorge gorge;

  Placement on_floor(float aside, float y) {
    const float x = gorge.middle(y) + aside;
    return at(x, y, gorge(x, y) - 0.05f, random.between(-kPi, kPi));
  }
};

Mesh twigs(Random& random) {
  Mesh mesh;
  for (int i = 0; i < 7; i++) {
    const float radius = random.between(0.2f, 0.32f);
    const Vec3 axis = random.direction();
    mesh.append(torus(radius, 0.015f, 10), {turn(axis, random.between(0, 3)), {}});
  }
  return mesh;
}

void add_things(Canyon& c, const Material& rock) {
  Random& random = c.random;
  const float reach = 0.75f * c.gorge.half, w = c.gorge.width;
  // Somewhere beside the path, `low` … `high` of the way to the walls.
  const auto beside = [&](float low, float high, float along) {
    const float aside = random.aside(low, high) * w;
    return c.on_floor(aside, random.between(-along, along));
  };
  for (int i = random.whole(14, 34); i > 0; i--) {
    const float radius = random.log_between(0.15f, 1.6f);
    const Placement p = beside(radius > 0.6f ? 0.6f : 0.25f, 1, reach);
    add_rock(c.world, random, p, radius, random.chance(0.7f) ? rock : stone(random));
  }
  for (int i = random.whole(1, 6); i > 0; i--) {
    const Placement p = beside(0.5f, 0.9f, reach);
    add_dead_tree(c.world, random, p, random.between(1.5f, 5));
  }
  for (int i = random.whole(2, 10); i > 0; i--) {
    const Placement p = beside(0.4f, 0.95f, reach);
    add_bush(c.world, random, p, random.between(0.2f, 0.6f));
  }
  for (int i = random.whole(0, 2); i > 0; i--)
    add_crate(c.world, random, beside(0.3f, 0.7f, reach), {0.4f, 0.4f, 0.35f});
  if (random.chance(0.5f))
    for (int i = random.whole(1, 2); i > 0; i--)
      add_person(c.world, random, beside(0.2f, 0.6f, 0.5f * reach));
  if (!random.chance(0.5f)) return;
  // Tumbleweed.
  const Material twig = wood(random);
  const Placement p = c.on_floor(0.3f * w, random.between(-8, 8));
  Body& ball = add_removable(c.world, twigs(random), twig, p);
  ball.placement.position.z += 0.35f;
  ball.motion.sway = {0.3f * w, 1.5f, 0};
  ball.motion.sway_rate = random.between(0.03f, 0.1f);
  ball.motion.bounce = 0.2f;
  ball.motion.bounce_rate = 0.4f;
  ball.motion.spin_axis = {1, 0, 0};
  ball.motion.spin = random.between(0.5f, 2);
}

void add_bridges(Canyon& c) {
  Random& random = c.random;
  for (int i = random.whole(0, 2); i > 0; i--) {
    const float y = random.between(-0.6f, 0.6f) * c.gorge.half,
                z = random.between(3.8f, 0.7f * c.gorge.depth + 2), long_half = c.gorge.width + 6;
    const Placement p = at(c.gorge.middle(y), y, z, random.between(-0.2f, 0.2f));
    if (random.chance(0.5f)) { // natural, of rock
      Mesh mesh = tube({{-long_half, 0, -1},
                        {-0.4f * long_half, 0, 0.4f},
                        {0.4f * long_half, 0.5f, 0.3f},
                        {long_half, 0, -1}},
                       random.between(0.5f, 0.9f), 9);
      c.world.add(std::move(mesh), strata(random), p);
      continue;
    }
    Mesh planks, ropes;
    for (float x = -long_half; x < long_half; x += 0.5f)
      planks.append(box({0.2f, 0.7f, 0.03f}), at(x, 0, 0.4f * x * x / (long_half * long_half)));
    for (const float s : {-0.7f, 0.7f})
      ropes.append(tube({{-long_half, s, 1.4f},
                         {-0.5f * long_half, s, 1.05f},
                         {0, s, 0.95f},
                         {0.5f * long_half, s, 1.05f},
                         {long_half, s, 1.4f}},
                        0.04f, 6));
    c.world.add(std::move(planks), wood(random), p);
    c.world.add(std::move(ropes), wood(random), p);
  }
}

void set_camera(Canyon& c) {
  Random& random = c.random;
  const bool walks = random.chance(0.6f);
  const float up = walks ? random.between(1.2f, 1.8f) : random.between(1.9f, 3.2f),
              speed = walks ? random.between(0.6f, 1.6f) : random.between(1, 4);
  const Hand hand{random.between(0.003f, 0.02f), walks ? random.between(0.01f, 0.035f) : 0};
  const float way = random.sign(), aside = random.between(-0.15f, 0.15f) * c.gorge.width,
              pitch = random.between(-0.08f, 0.08f);
  const CameraPath path =
      patrol(random, {aside, 0, up}, {0, way, 0}, 0.55f * c.gorge.half, speed, pitch, hand);
  const Gorge gorge = c.gorge;
  c.world.camera = [path, gorge](double seconds) {
    Pose pose = path(seconds);
    const float y = pose.position.y, middle = gorge.middle(y);
    float ground = 0;
    for (int i = 0; i < 5; i++)
      ground += 0.2f * gorge.floor(middle + pose.position.x, y + 0.7f * static_cast<float>(i - 2));
    const Rotation along = yaw(-std::atan(0.8f * gorge.heading(y)));
    pose.position += Vec3{middle, 0, ground};
    pose.right = along(pose.right);
    pose.down = along(pose.down);
    pose.forward = along(pose.forward);
    return pose;
  };
}

} // namespace

World create_canyon(uint64_t seed) {
  Random random(seed * 8 + 8);
  World world;
  const Gorge gorge{
      random.between(35, 48),       random.between(2.6f, 5),    random.between(6, 16), random.between(1, 4),
      random.between(0.07f, 0.13f), random.between(0.8f, 2.2f), random.whole(1, 4),    random.bits()};
  Canyon canyon{world, random, gorge};
  const Material rock = strata(random);
  world.add(height_field(gorge.half, 82, gorge), rock);
  add_things(canyon, rock);
  add_bridges(canyon);
  world.light = outdoors(random, random.between(16, 26));
  set_camera(canyon);
  world.field_of_view = random.between(42, 68);
  clear_path(world, 90, 0.6f);
  return world;
}

} // namespace video_depth::scene

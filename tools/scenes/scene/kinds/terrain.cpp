// Owns: hills with trees, bushes, rocks, ponds, a hut.
// Must not know: how they are drawn.
#include <utility>

#include "scene/camera.h"
#include "scene/kinds/create.h"
#include "scene/kinds/parts.h"

namespace video_depth::scene {
namespace {

/// Heights; flat enough in the middle, a rim of higher hills around.
struct Hills {
  float half, amplitude, scale, rim;
  uint32_t seed;

  float operator()(float x, float y) const {
    const float far = std::hypot(x, y) / half;
    const float rolling = fractal_noise({x / scale, y / scale, 0.5f}, 3, seed) - 0.5f;
    return 2 * amplitude * rolling * (0.6f + 0.4f * far) +
           rim * smooth_step(0.45f, 1.f, far) * (0.6f + rolling);
  }
};

struct Land {
  World& world;
  Random& random;
  Hills hills;
  float water;  ///< height of the ponds; very low: none
  float wander; ///< half of the square where the camera goes

  float ground(float x, float y) const { return std::max(water, hills(x, y)); }
};

Placement on_land(Land& l, float reach, float sink) {
  for (int i = 0;; i++) {
    const float x = l.random.between(-reach, reach), y = l.random.between(-reach, reach);
    if (l.hills(x, y) > l.water + 0.1f || i > 30)
      return at(x, y, l.hills(x, y) - sink, l.random.between(-kPi, kPi));
  }
}

void add_ground(Land& l) {
  const Hills hills = l.hills;
  l.world.add(height_field(hills.half, 62, hills), soil(l.random));
  if (l.water < -50) return;
  Material water = painted(mix({0.02f, 0.06f, 0.09f}, {0.1f, 0.12f, 0.08f}, l.random.next()), 0.9f);
  water.pattern = Pattern::clouds;
  water.scale = 4;
  l.world.add(plate(0.97f * hills.half, 0.97f * hills.half, 8), water, at(0, 0, l.water));
}

void add_plants(Land& l) {
  Random& random = l.random;
  const bool is_windy = random.chance(0.4f);
  const int trees = random.whole(8, 30), bushes = random.whole(3, 22);
  Placement grove;
  for (int i = 0; i < trees; i++) { // in groves of five
    if (i % 5 == 0) grove = on_land(l, std::min(i < 20 ? 1.7f * l.wander : 50.f, 0.7f * l.hills.half), 0);
    const float x = grove.position.x + 3.5f * random.normal(), y = grove.position.y + 3.5f * random.normal();
    if (l.hills(x, y) < l.water) continue;
    const Placement p = at(x, y, l.hills(x, y) - 0.15f, random.between(-kPi, kPi));
    add_tree(l.world, random, p, random.between(3, 9), is_windy && i < 4);
  }
  for (int i = 0; i < bushes; i++) {
    const Placement p = on_land(l, 1.6f * l.wander, 0.1f);
    add_bush(l.world, random, p, random.between(0.3f, 1.2f));
  }
}

/// Many tufts of grass in a body, for few bodies; some in a wind of their own.
void add_grass(Land& l) {
  Random& random = l.random;
  const Material stalks = leaves(random);
  const auto tuft = [&](float tall) {
    Mesh mesh;
    for (int k = 0; k < 5; k++) {
      const Rotation lean = turn(normalize({random.normal(), random.normal(), 0}), 0.35f);
      mesh.append(cylinder(0.025f, 0, tall, 4),
                  {lean, {0.12f * random.normal(), 0.12f * random.normal(), 0}});
    }
    return mesh;
  };
  Mesh field;
  for (int i = 0; i < 36; i++) {
    const Placement p = on_land(l, 1.5f * l.wander, 0.05f);
    field.append(tuft(random.between(0.2f, 0.6f)), p);
  }
  l.world.add(std::move(field), stalks);
  for (int i = 0; i < 6; i++) {
    const Placement p = on_land(l, l.wander, 0.05f);
    Body& body = add_removable(l.world, tuft(random.between(0.4f, 0.9f)), stalks, p);
    body.deformation.kind = Deformation::Kind::bend;
    body.deformation.amount = 0.3f;
    body.deformation.rate = random.between(0.3f, 0.8f);
  }
}

void add_things(Land& l) {
  Random& random = l.random;
  const Material rock = stone(random);
  for (int i = random.whole(4, 22); i > 0; i--) {
    const float radius = random.log_between(0.2f, 2.5f);
    add_rock(l.world, random, on_land(l, 1.6f * l.wander, 0.3f * radius), radius, rock);
  }
  if (random.chance(0.55f)) {
    const float angle = random.between(-kPi, kPi), away = l.wander * 1.5f + 7;
    const Vec3 half{random.between(2, 4), random.between(1.8f, 3), random.between(1.2f, 2)};
    const float x = away * std::cos(angle), y = away * std::sin(angle);
    float low = 1e9f;
    for (const float sx : {-3.f, 3.f})
      for (const float sy : {-3.f, 3.f}) low = std::min(low, l.hills(x + sx, y + sy));
    add_house(l.world, random, at(x, y, std::max(low, l.water), angle + kPi / 2), half);
  }
  if (random.chance(0.4f)) { // a fence
    const float angle = random.between(-kPi, kPi), x = random.between(-1, 1) * l.wander, y = 1.3f * l.wander;
    const Material material = wood(random);
    for (int i = 0; i < 9; i++) {
      const Vec3 p = yaw(angle)({x + 2 * static_cast<float>(i) - 8, y, 0});
      Mesh mesh = block({0.06f, 0.06f, 0.65f}, {0, 0, 0.55f});
      for (const float z : {0.5f, 0.95f}) mesh.append(box({1, 0.025f, 0.06f}), at(1, 0, z));
      add_removable(l.world, std::move(mesh), material, at(p.x, p.y, l.ground(p.x, p.y) - 0.1f, angle));
    }
  }
  if (!random.chance(0.5f)) return;
  for (int i = random.whole(1, 3); i > 0; i--) {
    Placement p = on_land(l, l.wander, 0.03f);
    if (l.hills.amplitude < 1.2f && random.chance(0.4f))
      add_crate(l.world, random, p, {0.4f, 0.4f, 0.4f});
    else
      add_person(l.world, random, p);
  }
}

void set_camera(Land& l) {
  Random& random = l.random;
  const bool walks = random.chance(0.5f);
  const float up = walks ? random.between(1.2f, 1.8f) : random.between(3, 10);
  const Vec3 half{l.wander, l.wander, walks ? 0 : 0.25f * up};
  const Hand hand{random.between(0.003f, 0.02f), walks ? random.between(0.01f, 0.035f) : 0};
  const float speed = walks ? random.between(0.6f, 1.6f) : random.between(1.5f, 6);
  const float pitch = walks ? random.between(-0.02f, 0.1f) : random.between(0.1f, 0.4f);
  CameraPath path;
  const Vec3 centre{0, 0, up};
  if (random.chance(0.6f))
    path = wander(random, centre, half, speed, pitch, hand);
  else if (walks)
    path = patrol(random, centre, yaw(random.between(-kPi, kPi))({1, 0, 0}), l.wander, speed, pitch, hand);
  else
    path = orbit(random, {0, 0, 1}, l.wander, up, speed, hand);
  const auto& hills = l.hills;
  const float water = l.water;
  l.world.camera = [path, hills, water](double seconds) {
    Pose pose = path(seconds);
    float ground = std::max(water, hills(pose.position.x, pose.position.y));
    for (int i = 0; i < 4; i++) {
      const float angle = kPi / 2 * static_cast<float>(i);
      ground += std::max(
          water, hills(pose.position.x + 1.5f * std::cos(angle), pose.position.y + 1.5f * std::sin(angle)));
    }
    pose.position.z += ground / 5;
    return pose;
  };
}

} // namespace

World create_terrain(uint64_t seed) {
  Random random(seed * 8 + 4);
  World world;
  const float half = random.between(40, 90);
  const Hills hills{half, random.log_between(0.5f, 4), random.between(14, 30), random.between(4, 0.3f * half),
                    random.bits()};
  Land land{world, random, hills, -100, random.between(6, 15)};
  if (random.chance(0.4f)) land.water = -random.between(0.1f, 0.6f) * hills.amplitude;
  add_ground(land);
  add_plants(land);
  if (random.chance(0.45f)) add_grass(land);
  add_things(land);
  world.light = outdoors(random, random.between(18, 30));
  set_camera(land);
  world.field_of_view = random.between(42, 68);
  clear_path(world, 90, 0.6f);
  return world;
}

} // namespace video_depth::scene

// Owns: people, cars, plants, houses and other things outdoors.
// Must not know: where they stand.
#include <utility>

#include "scene/kinds/parts.h"

namespace video_depth::scene {
namespace {

constexpr Vec3 kAcross{1, 0, 0};

/// A round bar between two points.
Mesh bar(Vec3 from, Vec3 to, float radius, int segments = 8) {
  return tube({from, mix(from, to, 0.5f), to}, radius, segments);
}

Deformation wind(Random& random, float height) {
  Deformation d;
  d.kind = Deformation::Kind::bend;
  d.amount = random.between(0.03f, 0.12f) / height;
  d.rate = random.between(0.2f, 0.6f);
  d.phase = random.between(0, 6);
  return d;
}

Motion going(Walk walk) {
  Motion m;
  m.velocity = walk.velocity;
  m.turn_after = walk.turn_after;
  return m;
}

void add_limb(World& world, const Material& material, const Placement& placement, const Motion& walk,
              Mesh mesh, Vec3 pivot, float swing) {
  Body& body = add_removable(world, std::move(mesh), material, placement);
  body.motion = walk;
  body.motion.pivot = pivot;
  body.motion.swing_axis = kAcross;
  body.motion.swing = swing;
}

} // namespace

Placement at(float x, float y, float z, float angle) {
  return {yaw(angle), {x, y, z}};
}

Mesh moved(const Mesh& mesh, const Placement& placement) {
  Mesh m;
  m.append(mesh, placement);
  return m;
}

Mesh block(Vec3 half, Vec3 centre) {
  return moved(box(half), {{}, centre});
}

Body& add_removable(World& world, Mesh mesh, const Material& material, const Placement& placement) {
  Body& body = world.add(std::move(mesh), material, placement);
  body.removable = true;
  return body;
}

void add_person(World& world, Random& random, const Placement& placement, Walk walk) {
  const float h = random.chance(0.15f) ? random.between(1.f, 1.4f) : random.between(1.5f, 1.95f);
  const float wide = random.between(0.85f, 1.3f), speed = length(walk.velocity);
  const Material trousers = fabric(random), shirt = fabric(random);
  const Vec3 tan = mix({0.5f, 0.3f, 0.2f}, {0.09f, 0.045f, 0.025f}, random.next());
  Motion motion = going(walk);
  motion.swing_rate = speed > 0 ? 0.35f + 0.4f * speed : random.between(0.1f, 0.4f);
  motion.phase = random.between(0, 6);
  const float swing = speed > 0             ? 0.25f + 0.2f * speed
                      : random.chance(0.5f) ? random.between(0.05f, 0.25f)
                                            : 0;
  const float leg = 0.5f * h, side = 0.055f * h * wide, shoulder = 0.125f * h * wide, top = 0.82f * h;
  for (const float s : {-1.f, 1.f}) {
    add_limb(world, trousers, placement, motion, moved(capsule(0.045f * h * wide, leg, 8), at(s * side, 0)),
             {s * side, 0, leg}, speed > 0 ? s * swing : 0);
    add_limb(world, shirt, placement, motion,
             moved(capsule(0.03f * h * wide, 0.4f * h, 8), at(s * shoulder, 0, 0.42f * h)),
             {s * shoulder, 0, top}, -s * swing);
  }
  Mesh torso = moved(ellipsoid({0.115f * h * wide, 0.075f * h * wide, 0.2f * h}, 12), at(0, 0, 0.65f * h));
  torso.append(ellipsoid({0.105f * h * wide, 0.08f * h * wide, 0.09f * h}, 10), at(0, 0, 0.52f * h));
  add_removable(world, std::move(torso), shirt, placement).motion = going(walk);
  Mesh head = moved(ellipsoid({0.045f * h, 0.055f * h, 0.068f * h}, 12), at(0, 0, 0.925f * h));
  head.append(cylinder(0.028f * h, 0.028f * h, 0.08f * h, 8), at(0, 0, 0.81f * h));
  add_removable(world, std::move(head), painted(tan), placement).motion = going(walk);
  Mesh hair = moved(ellipsoid({0.049f * h, 0.058f * h, 0.05f * h}, 10), at(0, -0.01f * h, 0.95f * h));
  add_removable(world, std::move(hair), painted(random_colour(random, 0.01f, 0.25f, 0.6f)), placement)
      .motion = going(walk);
}

void add_car(World& world, Random& random, const Placement& placement, Walk walk) {
  const float l = random.between(1.7f, 2.4f), w = random.between(0.78f, 0.95f),
              low = random.between(0.25f, 0.4f);
  const bool is_van = random.chance(0.25f);
  const float cabin = is_van ? random.between(0.45f, 0.7f) : random.between(0.25f, 0.35f),
              top = 2 * low + 0.28f;
  const Motion motion = going(walk);
  const Vec3 colour = random_colour(random, 0.03f, 0.7f, 0.85f);
  const Material paint = painted(colour, random.between(0.4f, 0.9f));
  Mesh body = block({w, l, low}, {0, 0, 0.28f + low});
  const float from = is_van ? 0.95f * l : 0.55f * l;
  body.append(box({0.9f * w, 0.72f * from, 0.03f}), at(0, is_van ? 0 : -0.15f * l, top + 2 * cabin));
  add_removable(world, std::move(body), paint, placement).motion = motion;
  Mesh glass = block({0.86f * w, 0.7f * from, cabin}, {0, is_van ? 0 : -0.15f * l, top + cabin});
  glass.append(
      moved(wedge({0.84f * w, 0.55f * from, 0.8f * cabin}), at(0, is_van ? 0.3f * l : 0.15f * l, top)));
  add_removable(world, std::move(glass), is_van ? paint : painted({0.03f, 0.035f, 0.04f}, 0.9f), placement)
      .motion = motion;
  Mesh wheels;
  const Rotation sideways = turn({0, 1, 0}, kPi / 2);
  for (const float x : {-1.f, 1.f})
    for (const float y : {-0.6f, 0.6f})
      wheels.append(cylinder(0.32f, 0.32f, 0.26f, 14), {sideways, {x * (w - 0.1f) - 0.13f, y * l, 0.32f}});
  add_removable(world, std::move(wheels), painted({0.02f, 0.02f, 0.02f}), placement).motion = motion;
  Mesh lights, rear;
  for (const float x : {-0.7f, 0.7f}) {
    lights.append(box({0.13f, 0.02f, 0.07f}), at(x * w, l, 0.28f + 1.3f * low));
    rear.append(box({0.13f, 0.02f, 0.07f}), at(x * w, -l, 0.28f + 1.3f * low));
  }
  add_removable(world, std::move(lights), glowing({0.9f, 0.88f, 0.8f}, 0.5f), placement).motion = motion;
  add_removable(world, std::move(rear), glowing({0.5f, 0.03f, 0.02f}, 0.4f), placement).motion = motion;
}

void add_tree(World& world, Random& random, const Placement& placement, float height, bool is_windy) {
  const float thick = height * random.between(0.02f, 0.035f), h = height;
  const Deformation moving = is_windy ? wind(random, h) : Deformation{};
  const Material bark = painted(mix({0.1f, 0.06f, 0.035f}, {0.35f, 0.3f, 0.25f}, random.next()));
  add_removable(world, moved(cylinder(thick, 0.4f * thick, 0.75f * h, 8), at(0, 0, -0.1f)), bark, placement)
      .deformation = moving;
  Mesh crown;
  switch (random.whole(0, 2)) {
    case 0: // a conifer
      for (int i = 0; i < 4; i++) {
        const float low = (0.15f + 0.2f * static_cast<float>(i)) * h;
        crown.append(cylinder((0.24f - 0.045f * static_cast<float>(i)) * h, 0, 0.3f * h, 11), at(0, 0, low));
      }
      break;
    case 1: // a round crown of several
      for (int i = random.whole(3, 5); i > 0; i--) {
        const float r = h * random.between(0.13f, 0.22f);
        const Mesh tuft = rock(r, 0.35f, random.bits(), 10);
        const Vec3 middle{random.between(-0.14f, 0.14f), random.between(-0.14f, 0.14f),
                          random.between(0.55f, 0.82f)};
        crown.append(tuft, {{}, middle * h});
      }
      break;
    default: // a slender one
      crown = moved(ellipsoid({0.12f * h, 0.12f * h, 0.4f * h}, 12), at(0, 0, 0.58f * h));
  }
  add_removable(world, std::move(crown), leaves(random), placement).deformation = moving;
}

void add_dead_tree(World& world, Random& random, const Placement& placement, float height) {
  const float h = height, r = h * random.between(0.025f, 0.04f);
  const Vec3 lean{random.between(-0.1f, 0.1f) * h, random.between(-0.1f, 0.1f) * h, 0};
  Mesh tree = tube({{0, 0, -0.2f}, lean * 0.3f + Vec3{0, 0, 0.35f * h}, lean + Vec3{0, 0, 0.8f * h}}, r, 7);
  for (int i = random.whole(4, 7); i > 0; i--) {
    const float share = random.between(0.4f, 1.f), angle = random.between(-kPi, kPi),
                reach = random.between(0.12f, 0.32f) * h;
    const Vec3 root = lean * share + Vec3{0, 0, 0.8f * h * share},
               out{std::cos(angle) * reach, std::sin(angle) * reach, 0.25f * h};
    tree.append(
        tube({lean * (0.3f * share) + Vec3{0, 0, 0.7f * h * share}, mix(root, root + out, 0.4f), root + out},
             0.4f * r, 5));
  }
  add_removable(world, std::move(tree),
                painted(mix({0.12f, 0.08f, 0.05f}, {0.4f, 0.36f, 0.32f}, random.next())), placement);
}

void add_bush(World& world, Random& random, const Placement& placement, float radius) {
  Mesh mesh;
  for (int i = random.whole(1, 3); i > 0; i--) {
    const float r = radius * random.between(0.6f, 1.f), x = random.between(-0.5f, 0.5f) * radius,
                y = random.between(-0.5f, 0.5f) * radius;
    mesh.append(rock(r, 0.4f, random.bits(), 9), at(x, y, 0.5f * r));
  }
  add_removable(world, std::move(mesh), leaves(random), placement);
}

void add_rock(World& world, Random& random, const Placement& placement, float radius,
              const Material& material) {
  Placement sunk = placement;
  sunk.position.z += radius * random.between(0.1f, 0.5f);
  sunk.rotation = sunk.rotation * turn({1, 0, 0}, random.between(-0.5f, 0.5f));
  const float roughness = random.between(0.2f, 0.55f);
  add_removable(world, rock(radius, roughness, random.bits(), radius > 0.8f ? 14 : 9), material, sunk);
}

void add_house(World& world, Random& random, const Placement& placement, Vec3 half) {
  world.add(block({half.x, half.y, half.z + 0.2f}, {0, 0, half.z - 0.2f}), facade(random), placement);
  const float top = 2 * half.z;
  const Material tiles =
      random.chance(0.7f) ? masonry(random) : painted(random_colour(random, 0.05f, 0.4f, 0.5f));
  if (half.z < 6 && random.chance(0.7f)) {
    Placement roof = placement;
    roof.position.z += top;
    world.add(wedge({half.x + 0.3f, half.y + 0.4f, random.between(0.25f, 0.5f) * half.y}), tiles, roof);
    world.add(
        block({0.35f, 0.35f, 0.3f * half.y + 0.4f}, {0.5f * half.x, 0.2f * half.y, top + 0.4f * half.y}),
        masonry(random), placement);
  } else {
    world.add(block({half.x + 0.15f, half.y + 0.15f, 0.25f}, {0, 0, top}), tiles, placement);
    if (random.chance(0.5f))
      world.add(block({0.4f * half.x, 0.4f * half.y, 0.8f}, {0, 0, top + 0.8f}), masonry(random), placement);
  }
  const float x = random.between(-0.6f, 0.6f) * half.x;
  Mesh door = block({0.6f, 0.06f, 1.1f}, {x, half.y, 1.1f});
  if (random.chance(0.5f)) door.append(box({1.2f, 0.5f, 0.06f}), at(x, half.y + 0.4f, 2.5f));
  world.add(std::move(door), painted(random_colour(random, 0.03f, 0.5f, 0.8f), 0.2f), placement);
}

void add_street_lamp(World& world, Random& random, const Placement& placement, float height) {
  const float arm = random.between(0.3f, 1.2f);
  Mesh pole = cylinder(0.09f, 0.05f, height, 9);
  pole.append(bar({0, 0, height - 0.05f}, {0, arm, height + 0.1f}, 0.04f));
  add_removable(world, std::move(pole), metal(random), placement);
  add_removable(world, block({0.12f, 0.3f, 0.07f}, {0, arm, height + 0.05f}),
                glowing({0.8f, 0.75f, 0.6f}, 0.4f), placement);
}

void add_bench(World& world, Random& random, const Placement& placement) {
  const float w = random.between(0.6f, 1.f);
  Mesh seat = block({w, 0.22f, 0.03f}, {0, 0, 0.45f});
  seat.append(box({w, 0.03f, 0.2f}), at(0, -0.22f, 0.7f));
  add_removable(world, std::move(seat), wood(random), placement);
  Mesh feet;
  for (const float s : {-0.8f, 0.8f}) feet.append(box({0.05f, 0.2f, 0.22f}), at(s * w, 0, 0.22f));
  add_removable(world, std::move(feet), random.chance(0.5f) ? stone(random) : metal(random), placement);
}

void add_crate(World& world, Random& random, const Placement& placement, Vec3 half) {
  add_removable(world, block(half, {0, 0, half.z}), carton(random), placement);
  if (!random.chance(0.35f)) return;
  Mesh frame;
  for (const float s : {-1.f, 1.f}) {
    frame.append(box({half.x + 0.01f, half.y + 0.01f, 0.1f * half.z}), at(0, 0, half.z * (1 + 0.9f * s)));
    frame.append(box({0.1f * half.x, half.y + 0.01f, half.z}), at(0.92f * s * half.x, 0, half.z + 0.001f));
  }
  add_removable(world, std::move(frame), wood(random), placement);
}

void add_pile(World& world, Random& random, const Placement& placement, float half, int layers) {
  float z = 0;
  for (int i = 0; i < layers; i++) {
    const float tall = half * random.between(0.5f, 1.f), wide = half * random.between(0.75f, 1.f);
    const Placement inside{
        yaw(random.between(-0.25f, 0.25f)),
        {random.between(-0.1f, 0.1f) * half, random.between(-0.1f, 0.1f) * half, z + tall}};
    const float deep = half * random.between(0.75f, 1.f);
    add_removable(world, moved(box({wide, deep, tall}), inside), carton(random), placement);
    z += 2 * tall;
  }
}

void add_ball(World& world, Random& random, const Placement& placement, float radius) {
  Placement up = placement;
  up.position.z += radius;
  add_removable(world, sphere(radius, 18), random_material(random, random.between(0.3f, 1.2f) * radius), up);
}

} // namespace video_depth::scene

// Owns: jumbles: things of any form, size and cover, between walls of any make. Scenes of no place, so that a
// network learns shape, shade and size, and not six places by heart. Must not know: how they are drawn.
#include <utility>

#include "scene/camera.h"
#include "scene/kinds/create.h"
#include "scene/kinds/parts.h"

namespace video_depth::scene {
namespace {

struct Jumble {
  World& world;
  Random& random;
  float radius;  ///< of the free middle, metres
  float stretch; ///< how many times as far it goes along y
  float height;  ///< of walls
  float hills;   ///< how much the ground rises and falls outside the middle
  uint32_t seed;

  float ground(float x, float y) const {
    const float away = smooth_step(0.15f, 0.6f, std::hypot(x, y) / radius);
    return hills * away * (fractal_noise({2.5f * x / radius, 2.5f * y / radius, 0}, 4, seed) - 0.4f);
  }
  Placement on_ground(float x, float y, float angle) const { return at(x, y, ground(x, y) - 0.02f, angle); }
  Placement anywhere(float low, float high) {
    const float away = std::sqrt(random.between(low * low, high * high)) * radius,
                angle = random.between(-kPi, kPi);
    return on_ground(away * std::cos(angle), stretch * away * std::sin(angle), random.between(-kPi, kPi));
  }
};

Material cover(Random& random, float size) {
  switch (random.whole(0, 9)) {
    case 0:
      return masonry(random);
    case 1:
      return stone(random);
    case 2:
      return wood(random);
    case 3:
      return metal(random);
    case 4:
      return soil(random);
    case 5:
      return wall_cover(random);
    case 6:
      return facade(random);
    case 7:
      return fabric(random);
    default:
      return random_material(random, size);
  }
}

/// Posts and bars in one or two layers: what stands behind is seen through it.
Mesh lattice(Random& random, float s) {
  const float wide = s * random.between(0.6f, 2), high = 2 * s, bar = s * random.between(0.02f, 0.09f),
              deep = random.chance(0.5f) ? s * random.between(0.2f, 0.6f) : 0;
  const int posts = random.whole(2, 9), bars = random.whole(1, 5);
  Mesh mesh;
  for (int i = 0; i < posts; i++)
    for (const float y : {-deep, deep}) {
      const float x = wide * (2 * static_cast<float>(i) / static_cast<float>(posts - 1) - 1);
      mesh.append(block({bar, bar, 0.5f * high}, {x, y, 0.5f * high}));
    }
  for (int k = 1; k <= bars; k++) {
    const float z = high * static_cast<float>(k) / static_cast<float>(bars) - bar;
    mesh.append(block({wide + bar, deep + bar, bar}, {0, 0, z}));
  }
  return mesh;
}

/// One of the forms that meshes come in, on z = 0. @param s half its size, roughly
Mesh form(Random& random, float s) {
  const float a = random.between(0.35f, 1), b = random.between(0.35f, 1), turn_of = random.between(0, 6);
  switch (random.whole(0, 13)) {
    case 0:
      return moved(sphere(a * s, 18), at(0, 0, a * s));
    case 1:
      return moved(ellipsoid({s, a * s, b * s}, 16), at(0, 0, b * s));
    case 2:
      return cylinder(0.7f * a * s, 0.7f * b * s, 2 * s, 16);
    case 3:
      return cylinder(a * s, 0, 2 * b * s, random.whole(3, 12));
    case 4:
      return moved(torus(0.75f * s, 0.25f * a * s, 18), {turn({1, 0, 0}, kPi / 2), {0, 0, s}});
    case 5:
      return capsule(0.5f * a * s, 2 * s);
    case 6:
      return wedge({s, a * s, b * s});
    case 7:
      return stairs(random.whole(3, 8), s, 0.3f * s, 0.22f * s);
    case 8: {
      const float rough = random.between(0.1f, 0.5f);
      return moved(rock(s, rough, random.bits(), 12), at(0, 0, 0.7f * s));
    }
    case 9:
      return lathe(2 * s, 8, 12,
                   [=](float t) { return s * (0.4f + 0.3f * a * std::sin(6 * t * b + turn_of)); });
    case 10:
      return arch(s, 2 * s, 0.3f * a * s, 0.6f * s, 1.4f * s);
    case 11:
      return lattice(random, s);
    default:
      return block({s, a * s, b * s}, {0, 0, b * s});
  }
}

/// A thing that has a name.
void add_known(Jumble& j, const Placement& p) {
  World& world = j.world;
  Random& random = j.random;
  switch (random.whole(0, 13)) {
    case 0:
      return add_person(world, random, p);
    case 1:
      return add_car(world, random, p);
    case 2: {
      const float height = random.between(2, 8);
      return add_tree(world, random, p, height, random.chance(0.2f));
    }
    case 3:
      return add_bush(world, random, p, random.between(0.2f, 1));
    case 4:
      return add_bench(world, random, p);
    case 5: {
      const float half = random.between(0.2f, 0.7f);
      return add_pile(world, random, p, half, random.whole(1, 4));
    }
    case 6:
      return add_chair(world, random, p);
    case 7: {
      const Vec3 half{random.between(0.4f, 1), random.between(0.3f, 0.6f), random.between(0.3f, 0.5f)};
      return add_table(world, random, p, half);
    }
    case 8: {
      const Vec3 half{random.between(0.4f, 1), random.between(0.15f, 0.3f), random.between(0.5f, 1.1f)};
      return add_cupboard(world, random, p, half);
    }
    case 9:
      return add_plant(world, random, p, random.between(0.5f, 2));
    case 10:
      return add_dead_tree(world, random, p, random.between(1.5f, 5));
    case 11: {
      const Vec3 half{random.between(1.5f, 4), random.between(1.5f, 4), random.between(1, 3)};
      return j.radius > 12 ? add_house(world, random, p, half) : add_crate(world, random, p, 0.2f * half);
    }
    case 12:
      return add_sofa(world, random, p, random.between(0.6f, 1.2f));
    default:
      return add_ball(world, random, p, random.between(0.1f, 0.7f));
  }
}

void add_forms(Jumble& j) {
  Random& random = j.random;
  for (int i = random.whole(5, static_cast<int>(32 * std::sqrt(j.stretch))); i > 0; i--) {
    const float size = random.log_between(0.08f, 0.9f) * std::sqrt(j.radius);
    Placement p = j.anywhere(size > 0.6f ? 0.35f : 0.1f, 1);
    if (random.chance(0.15f)) { // in the air, or tumbled over
      const float up = random.between(0, 0.5f) * j.height;
      const Vec3 axis = random.direction();
      p = {turn(axis, random.between(0, 3)), p.position + Vec3{0, 0, up + 0.3f * size}};
    }
    const Material material = cover(random, size);
    Body& body = add_removable(j.world, form(random, size), material, p);
    if (!random.chance(0.12f)) continue;
    const float rate = random.between(0.05f, 0.3f);
    body.motion.sway = random.direction() * (0.4f * size);
    body.motion.sway_rate = rate;
    body.motion.spin_axis = {0, 0, 1};
    body.motion.spin = random.between(-1, 1);
  }
  for (int i = random.whole(0, 9); i > 0; i--) add_known(j, j.anywhere(0.25f, 1));
}

/// Along lines the same form again and again, or another each time: columns, posts, boxes, steps.
void add_rows(Jumble& j) {
  Random& random = j.random;
  for (int i = random.whole(0, j.stretch > 1 ? 5 : 2); i > 0; i--) {
    const bool is_lengthwise = j.stretch > 1 && random.chance(0.8f), is_mixed = random.chance(0.35f);
    const float size = random.log_between(0.1f, 0.6f) * std::sqrt(j.radius),
                gap = size * random.between(2.2f, 7), aside = random.aside(0.3f, 0.9f) * j.radius,
                angle = is_lengthwise ? 0 : random.between(-kPi, kPi),
                half = j.radius * (is_lengthwise ? j.stretch : 1);
    const Mesh one = random.chance(0.4f)
                         ? block({0.3f * size, 0.3f * size, 0.5f * j.height}, {0, 0, 0.5f * j.height})
                         : form(random, size);
    const Material material = cover(random, size);
    const int n = std::min(40, static_cast<int>(2 * half / gap));
    for (int k = 0; k <= n; k++) {
      const Vec3 place = yaw(angle)(Vec3{aside, gap * static_cast<float>(k) - half, 0});
      const Placement p = j.on_ground(place.x, place.y, angle);
      if (!is_mixed) {
        add_removable(j.world, Mesh(one), material, p);
        continue;
      }
      const float s = size * random.between(0.5f, 1.2f);
      const Material own = random.chance(0.5f) ? material : cover(random, s);
      add_removable(j.world, form(random, s), own, p);
    }
  }
}

void add_walls(Jumble& j, bool is_indoors) {
  Random& random = j.random;
  const Material usual = cover(random, 1);
  const float turned = j.stretch > 1 ? 0 : random.between(-kPi, kPi);
  for (int side = 0; side < 4; side++) {
    if (!is_indoors && random.chance(0.55f)) continue;
    const float angle = turned + 0.5f * kPi * static_cast<float>(side) +
                        (is_indoors ? 0 : random.between(-0.3f, 0.3f)),
                ahead = side % 2 == 0 ? j.stretch : 1, across = side % 2 == 0 ? 1 : j.stretch,
                away = ahead * j.radius * (is_indoors ? 1.05f : random.between(0.7f, 1.5f)),
                length = across * j.radius * (is_indoors ? 1.2f : random.between(0.4f, 1.5f)),
                high = is_indoors ? j.height : j.height * random.between(0.3f, 1.2f);
    const Material material = random.chance(0.6f) ? usual : cover(random, 1);
    const Placement middle{yaw(angle), yaw(angle)(Vec3{0, away, 0})};
    const int make = random.whole(0, 3);
    if (make == 0) { // of parts, with gaps and steps
      const float part = length / static_cast<float>(random.whole(2, 6));
      Mesh mesh;
      for (float x = -length; x < length; x += 2 * part) {
        if (!is_indoors && random.chance(0.25f)) continue;
        const float h = is_indoors ? high : high * random.between(0.6f, 1.1f),
                    out = random.between(0, 0.12f) * j.radius;
        mesh.append(block({part, 0.3f, 0.5f * h + 1}, {x + part, out, 0.5f * h - 1}));
      }
      j.world.add(std::move(mesh), material, middle);
    } else if (make == 1) { // rugged, as a cliff
      const uint32_t seed = random.bits();
      const float rough = random.between(0.05f, 0.25f) * j.radius, lean = random.between(0, 0.3f);
      Mesh mesh = height_field(1, 36, [=](float x, float y) {
        return rough * (fractal_noise({3 * x, 3 * y, 0}, 4, seed) - 0.5f) - lean * high * 0.5f * (y + 1);
      });
      for (Vec3& p : mesh.positions) p = {p.x * length, p.y * (0.6f * high + 1) + 0.5f * high, p.z};
      // Upright, its face to the middle.
      j.world.add(std::move(mesh), material, {yaw(angle) * turn({1, 0, 0}, kPi / 2), middle.position})
          .two_sided = true;
    } else {
      j.world.add(block({length, 0.3f, 0.5f * high + 1}, {0, 0.3f, 0.5f * high - 1}), material, middle);
    }
  }
  if (!is_indoors) return;
  const float long_half = 1.6f * j.radius * j.stretch;
  j.world.add(block({1.6f * j.radius, long_half, 0.1f}, {0, 0, j.height + 0.1f}), cover(random, 1),
              at(0, 0, 0, turned));
  if (!random.chance(0.5f)) return;
  Mesh beams;
  const float gap = random.between(0.15f, 0.6f) * j.radius, thick = 0.06f * j.height;
  const bool is_across = random.chance(0.5f);
  const float end = is_across ? long_half : 1.6f * j.radius;
  for (float x = -end; x < end; x += gap)
    beams.append(is_across ? block({1.6f * j.radius, thick, thick}, {0, x, 0.94f * j.height})
                           : block({thick, long_half, thick}, {x, 0, 0.94f * j.height}));
  j.world.add(std::move(beams), cover(random, 0.3f), at(0, 0, 0, turned));
}

void set_camera(Jumble& j) {
  Random& random = j.random;
  const float eye = std::min(0.6f * j.height, random.log_between(0.5f, 3)), reach = 0.3f * j.radius,
              far_reach = reach * j.stretch, speed = random.between(0.3f, 1.2f) * std::sqrt(j.radius) * 0.4f,
              kind = random.next(), pitch = random.between(-0.1f, 0.25f);
  const Hand hand{random.between(0, 0.02f), random.chance(0.4f) ? random.between(0.01f, 0.03f) : 0};
  const Vec3 centre{0, 0, eye + 0.3f * j.hills};
  if (kind < 0.6f)
    j.world.camera = wander(random, centre, {reach, far_reach, 0.15f * eye}, speed, pitch, hand);
  else if (kind < 0.8f)
    j.world.camera = orbit(random, {0, 0, 0.5f * eye}, reach + 0.3f, 0.7f * eye, speed, hand);
  else
    j.world.camera = watch(random, centre, {reach, far_reach, 0.1f}, speed,
                           {0, 0.8f * j.radius * j.stretch, 0.7f * eye}, {reach, 1, 0.3f}, hand);
}

} // namespace

World create_jumble(uint64_t seed) {
  Random random(seed * 8 + 9);
  World world;
  const bool is_indoors = random.chance(0.5f);
  const float radius = is_indoors ? random.log_between(2.5f, 20) : random.log_between(4, 50),
              height = is_indoors ? random.between(2.2f, 3.5f) * std::sqrt(std::max(1.f, radius / 5))
                                  : random.between(0.8f, 4) * std::sqrt(radius / 3),
              hills = is_indoors || random.chance(0.4f) ? 0 : random.between(0.02f, 0.25f) * radius,
              stretch = hills == 0 && random.chance(0.6f) ? random.log_between(1.2f, 5) : 1;
  Jumble jumble{world, random, radius, stretch, height, hills, random.bits()};
  const Material floor =
      random.chance(0.5f) ? (is_indoors ? flooring(random) : soil(random)) : cover(random, 1);
  world.add(height_field(3 * radius * stretch, 48, [&](float x, float y) { return jumble.ground(x, y); }),
            floor);
  add_walls(jumble, is_indoors);
  add_rows(jumble);
  add_forms(jumble);
  world.light = is_indoors ? indoors(random, {0.2f * radius, 0.1f * radius, 0.9f * height}, 1.5f * radius)
                           : outdoors(random, std::min(26.f, radius + 6));
  set_camera(jumble);
  world.field_of_view = random.between(40, 72);
  clear_path(world, 90, 0.5f);
  return world;
}

} // namespace video_depth::scene

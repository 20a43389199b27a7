// Owns: furniture.
// Must not know: where it stands.
#include <utility>

#include "scene/kinds/parts.h"

namespace video_depth::scene {
namespace {

/// Four legs at the corners of a rectangle.
Mesh legs(float x, float y, float height, float thick, bool is_round) {
  Mesh mesh;
  for (const float sx : {-1.f, 1.f})
    for (const float sy : {-1.f, 1.f}) {
      if (is_round)
        mesh.append(cylinder(0.7f * thick, thick, height, 8), at(sx * x, sy * y));
      else
        mesh.append(box({thick, thick, 0.5f * height}), at(sx * x, sy * y, 0.5f * height));
    }
  return mesh;
}

Mesh small_thing(Random& random, float size) {
  switch (random.whole(0, 5)) {
    case 0:
      return block({0.4f * size, 0.3f * size, 0.5f * size}, {0, 0, 0.5f * size});
    case 1:
      return moved(sphere(0.4f * size, 12), at(0, 0, 0.4f * size));
    case 2:
      return cylinder(0.3f * size, 0.36f * size, 0.8f * size, 12);
    case 3:
      return block({0.7f * size, 0.5f * size, 0.12f * size}, {0, 0, 0.12f * size});
    case 4: {
      const float a = random.between(1, 5), b = random.between(0, 6);
      return lathe(1.4f * size, 8, 12, [=](float t) { return size * (0.25f + 0.12f * std::sin(a * t + b)); });
    }
    default:
      return moved(box({0.35f * size, 0.35f * size, 0.35f * size}),
                   at(0, 0, 0.35f * size, random.between(0, 3)));
  }
}

} // namespace

void add_small_things(World& world, Random& random, const Placement& placement, Vec3 half, float z,
                      int count) {
  for (int i = 0; i < count; i++) {
    const float size = random.between(0.12f, 0.3f), x = half.x * random.between(-0.85f, 0.85f),
                y = half.y * random.between(-0.75f, 0.75f);
    const Placement inside = at(x, y, z, random.between(-0.4f, 0.4f));
    const Material material = random_material(random, 0.15f);
    add_removable(world, moved(small_thing(random, size), inside), material, placement);
  }
}

void add_table(World& world, Random& random, const Placement& placement, Vec3 half) {
  const Material material =
      random.chance(0.7f) ? wood(random) : painted(random_colour(random, 0.1f, 0.8f, 0.4f), 0.3f);
  const float top = 2 * half.z, thick = random.between(0.015f, 0.04f);
  Mesh mesh;
  if (random.chance(0.25f)) {
    mesh = moved(cylinder(half.x, half.x, 2 * thick, 24), at(0, 0, top - 2 * thick));
    mesh.append(cylinder(0.06f, 0.05f, top - thick, 10));
    mesh.append(cylinder(0.5f * half.x, 0.4f * half.x, 0.05f, 16));
  } else {
    mesh = block({half.x, half.y, thick}, {0, 0, top - thick});
    const float leg = random.between(0.02f, 0.045f);
    mesh.append(legs(half.x - 0.06f, half.y - 0.06f, top - thick, leg, random.chance(0.4f)));
  }
  add_removable(world, std::move(mesh), material, placement);
  add_small_things(world, random, placement, {0.8f * half.x, 0.8f * std::min(half.x, half.y), 0}, top,
                   random.whole(0, 6));
}

void add_chair(World& world, Random& random, const Placement& placement) {
  const float seat = random.between(0.42f, 0.48f), w = random.between(0.19f, 0.24f),
              back = random.between(0.35f, 0.6f);
  Mesh frame = legs(w - 0.02f, w - 0.02f, seat, 0.018f, random.chance(0.5f));
  for (const float s : {-1.f, 1.f})
    frame.append(box({0.018f, 0.018f, 0.5f * back}), at(s * (w - 0.02f), -w + 0.02f, seat + 0.5f * back));
  const Material material = random.chance(0.7f) ? wood(random) : metal(random);
  add_removable(world, std::move(frame), material, placement);
  Mesh cushions = block({w, w, 0.03f}, {0, 0, seat});
  cushions.append(box({w, 0.02f, random.between(0.25f, 0.45f) * back}),
                  at(0, -w + 0.02f, seat + 0.6f * back));
  add_removable(world, std::move(cushions), random.chance(0.5f) ? fabric(random) : material, placement);
}

void add_shelf(World& world, Random& random, const Placement& placement, Vec3 half) {
  const float board = 0.015f, top = 2 * half.z;
  const int rows = std::max(2, static_cast<int>(top / random.between(0.3f, 0.45f)));
  const float gap = (top - 2 * board) / static_cast<float>(rows);
  Mesh frame = block({half.x, 0.008f, half.z}, {0, -half.y + 0.008f, half.z});
  for (const float s : {-1.f, 1.f})
    frame.append(box({board, half.y, half.z}), at(s * (half.x - board), 0, half.z));
  for (int i = 0; i <= rows; i++)
    frame.append(box({half.x, half.y, board}), at(0, 0, board + gap * static_cast<float>(i)));
  add_removable(world, std::move(frame),
                random.chance(0.7f) ? wood(random) : painted(random_colour(random, 0.2f, 0.8f, 0.3f)),
                placement);
  Mesh books;
  for (int i = 0; i < rows; i++) {
    float x = -half.x + 0.05f;
    while (x < half.x - 0.12f && random.chance(0.93f)) {
      const float wide = random.between(0.02f, 0.14f), tall = gap * random.between(0.25f, 0.42f),
                  deep = half.y * random.between(0.5f, 0.85f);
      const float z = 2 * board + gap * static_cast<float>(i) + tall;
      books.append(box({wide, deep, tall}), at(std::min(x + wide, half.x - 0.03f - wide), -0.1f * half.y, z));
      x += 2 * wide + (random.chance(0.3f) ? random.between(0.02f, 0.3f) : 0.004f);
    }
  }
  Material m = random_material(random, 0.1f);
  m.pattern = Pattern::patches;
  m.scale = random.between(0.05f, 0.15f);
  if (!books.triangles.empty()) add_removable(world, std::move(books), m, placement);
}

void add_sofa(World& world, Random& random, const Placement& placement, float half_width) {
  const Material material = fabric(random);
  const float w = half_width, seat = random.between(0.36f, 0.46f), arm = random.between(0.08f, 0.14f);
  Mesh mesh = block({w, 0.42f, 0.5f * seat - 0.03f}, {0, 0, 0.5f * seat + 0.03f});
  mesh.append(box({w, 0.1f, 0.22f}), at(0, -0.32f, seat + 0.2f));
  for (const float s : {-1.f, 1.f})
    mesh.append(box({arm, 0.42f, 0.5f * seat + 0.1f}), at(s * (w - arm), 0, 0.5f * seat + 0.12f));
  add_removable(world, std::move(mesh), material, placement);
  const Material other = random.chance(0.5f) ? fabric(random) : material;
  Mesh pillows;
  const int n = std::max(1, static_cast<int>(w / 0.4f));
  const float each = (w - 2 * arm) / static_cast<float>(n);
  for (int i = 0; i < n; i++)
    pillows.append(ellipsoid({0.9f * each, 0.12f, 0.2f}, 10),
                   {turn({1, 0, 0}, 0.25f),
                    {-w + 2 * arm + each * static_cast<float>(2 * i + 1), -0.17f, seat + 0.18f}});
  add_removable(world, std::move(pillows), other, placement);
}

void add_bed(World& world, Random& random, const Placement& placement) {
  const float w = random.between(0.45f, 0.9f), l = 1.f, seat = random.between(0.35f, 0.55f);
  Mesh frame = block({w, l, 0.5f * (seat - 0.2f)}, {0, 0, 0.5f * (seat - 0.2f)});
  frame.append(box({w, 0.03f, random.between(0.4f, 0.6f)}), at(0, -l, 0.5f));
  add_removable(world, std::move(frame), wood(random), placement);
  add_removable(world, block({w - 0.01f, l - 0.02f, 0.1f}, {0, 0.01f, seat - 0.1f}),
                painted(random_colour(random, 0.5f, 0.85f, 0.15f)), placement);
  add_removable(world, block({w + 0.02f, 0.62f * l, 0.09f}, {0, 0.4f * l, seat - 0.06f}), fabric(random),
                placement);
  Mesh pillows = moved(ellipsoid({0.8f * w, 0.22f, 0.1f}, 12), at(0, -0.7f * l, seat + 0.05f));
  add_removable(world, std::move(pillows), fabric(random), placement);
}

void add_cupboard(World& world, Random& random, const Placement& placement, Vec3 half) {
  const Material material =
      random.chance(0.6f) ? wood(random) : painted(random_colour(random, 0.15f, 0.8f, 0.4f), 0.2f);
  add_removable(world, block(half, {0, 0, half.z}), material, placement);
  const int columns = std::max(1, static_cast<int>(half.x / 0.25f)),
            rows = random.whole(1, std::max(1, static_cast<int>(half.z / 0.3f)));
  const float w = half.x / static_cast<float>(columns), h = half.z / static_cast<float>(rows);
  Mesh fronts, knobs;
  for (int i = 0; i < columns; i++)
    for (int j = 0; j < rows; j++) {
      const float x = -half.x + w * static_cast<float>(2 * i + 1), z = h * static_cast<float>(2 * j + 1);
      fronts.append(box({0.93f * w, 0.012f, 0.95f * h}), at(x, half.y, z));
      knobs.append(box({0.05f, 0.015f, 0.015f}), at(x, half.y + 0.025f, z + 0.5f * h));
    }
  add_removable(world, std::move(fronts), random.chance(0.7f) ? material : wood(random), placement);
  add_removable(world, std::move(knobs), metal(random), placement);
  if (half.z < 0.7f)
    add_small_things(world, random, placement, {0.9f * half.x, 0.8f * half.y, 0}, 2 * half.z,
                     random.whole(0, 5));
}

void add_floor_lamp(World& world, Random& random, const Placement& placement) {
  const float h = random.between(1.2f, 1.8f);
  Mesh pole = cylinder(0.015f, 0.015f, h, 8);
  pole.append(cylinder(0.15f, 0.12f, 0.03f, 16));
  add_removable(world, std::move(pole), metal(random), placement);
  const float below = random.between(0.15f, 0.24f), above = random.between(0.07f, 0.15f);
  const Vec3 light = random_colour(random, 0.5f, 0.85f, 0.3f);
  add_removable(world, moved(cylinder(below, above, 0.3f, 16), at(0, 0, h - 0.1f)),
                glowing(light, random.between(0.3f, 1.f)), placement);
}

void add_plant(World& world, Random& random, const Placement& placement, float height) {
  const float pot = random.between(0.25f, 0.35f) * height, r = random.between(0.14f, 0.2f) * height;
  add_removable(world, cylinder(0.75f * r, r, pot, 14),
                random.chance(0.5f) ? stone(random) : painted(random_colour(random, 0.1f, 0.7f, 0.7f), 0.4f),
                placement);
  Mesh green = cylinder(0.05f * height, 0.02f * height, 0.8f * height, 6);
  const int n = random.whole(6, 11);
  const float slender = random.between(0.03f, 0.1f);
  for (int i = 0; i < n; i++) {
    const float angle = 2.4f * static_cast<float>(i), up = random.between(0.4f, 1.2f),
                reach = height * random.between(0.15f, 0.24f);
    const Rotation r1 = yaw(angle) * turn({0, 1, 0}, -up);
    const float z = mix(pot, 0.8f * height, static_cast<float>(i) / static_cast<float>(n));
    green.append(ellipsoid({reach, slender * height, 0.012f}, 8), {r1, r1({reach, 0, 0}) + Vec3{0, 0, z}});
  }
  Body& body = add_removable(world, std::move(green), leaves(random), placement);
  body.two_sided = true;
  if (!random.chance(0.3f)) return;
  body.deformation.kind = Deformation::Kind::bend;
  body.deformation.amount = random.between(0.03f, 0.12f) / height;
  body.deformation.rate = random.between(0.2f, 0.7f);
}

void add_poster(World& world, Random& random, const Placement& placement, float half_width,
                float half_height) {
  Material picture = random_material(random, random.between(0.1f, 0.8f));
  picture.gloss *= 0.3f;
  add_removable(world, box({half_width, 0.012f, half_height}), picture, placement);
  if (!random.chance(0.6f)) return;
  Mesh frame;
  for (const float s : {-1.f, 1.f}) {
    frame.append(box({half_width + 0.03f, 0.025f, 0.03f}), at(0, 0, s * half_height));
    frame.append(box({0.03f, 0.025f, half_height}), at(s * half_width, 0));
  }
  add_removable(world, std::move(frame), wood(random), placement);
}

void add_door(World& world, Random& random, const Placement& placement) {
  const float w = random.between(0.4f, 0.55f), h = random.between(0.98f, 1.1f);
  add_removable(world, block({w, 0.02f, h}, {0, 0, h}),
                random.chance(0.5f) ? wood(random) : painted(random_colour(random, 0.05f, 0.7f, 0.6f), 0.2f),
                placement);
  Mesh frame = block({w + 0.1f, 0.04f, 0.05f}, {0, 0, 2 * h + 0.05f});
  for (const float s : {-1.f, 1.f}) frame.append(box({0.05f, 0.04f, h}), at(s * (w + 0.05f), 0, h));
  add_removable(world, std::move(frame), painted(random_colour(random, 0.1f, 0.8f, 0.3f)), placement);
  add_removable(world, block({0.06f, 0.03f, 0.015f}, {0.8f * w, 0.04f, h}), metal(random), placement);
}

} // namespace video_depth::scene

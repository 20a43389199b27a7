// Owns: simple bodies as triangles.
// Must not know: materials, where a mesh stands.

#include "scene/mesh.h"

#include <utility>

#include "scene/random.h"

namespace video_depth::scene {

namespace {

using Curve = std::function<Vec3(float u, float v)>;

/// A sheet of points over u, v in 0 … 1; counter-clockwise where ∂u × ∂v points outside. Normals from
/// differences.
Mesh sheet(int columns, int rows, const Curve& at) {
  Mesh mesh;
  const auto stride = static_cast<uint32_t>(columns + 1);
  constexpr float kStep = 1e-3f;
  for (int j = 0; j <= rows; j++) {
    for (int i = 0; i <= columns; i++) {
      const float u = static_cast<float>(i) / static_cast<float>(columns);
      const float v = static_cast<float>(j) / static_cast<float>(rows);
      mesh.positions.push_back(at(u, v));
      // At a pole one difference vanishes: a little inside it does not.
      const float inner = std::min(1 - 2 * kStep, std::max(2 * kStep, v));
      const Vec3 along_u = at(u + kStep, inner) - at(u - kStep, inner);
      const Vec3 along_v = at(u, inner + kStep) - at(u, inner - kStep);
      mesh.normals.push_back(normalize(cross(along_u, along_v)));
    }
  }
  for (int j = 0; j < rows; j++) {
    for (int i = 0; i < columns; i++) {
      const uint32_t a = static_cast<uint32_t>(j) * stride + static_cast<uint32_t>(i), b = a + stride;
      mesh.triangles.push_back({a, a + 1, b + 1});
      mesh.triangles.push_back({a, b + 1, b});
    }
  }
  return mesh;
}

/// A flat polygon, convex, counter-clockwise.
void add_face(Mesh& mesh, const std::vector<Vec3>& corners) {
  const auto first = static_cast<uint32_t>(mesh.positions.size());
  const Vec3 normal = normalize(cross(corners[1] - corners[0], corners[2] - corners[0]));
  for (const Vec3 corner : corners) {
    mesh.positions.push_back(corner);
    mesh.normals.push_back(normal);
  }
  for (uint32_t i = 2; i < corners.size(); i++) mesh.triangles.push_back({first, first + i - 1, first + i});
}

/// A disc at height z. @param up whether it faces up
void add_disc(Mesh& mesh, float radius, float z, int segments, bool up) {
  std::vector<Vec3> rim;
  for (int i = 0; i < segments; i++) {
    const float angle = 2 * kPi * static_cast<float>(i) / static_cast<float>(segments) * (up ? 1.f : -1.f);
    rim.push_back({radius * std::cos(angle), radius * std::sin(angle), z});
  }
  add_face(mesh, rim);
}

Vec3 around(float radius, float angle, float z) {
  return {radius * std::cos(angle), radius * std::sin(angle), z};
}

} // namespace

void Mesh::append(const Mesh& other, const Placement& at) {
  const auto first = static_cast<uint32_t>(positions.size());
  for (const Vec3 p : other.positions) positions.push_back(at(p));
  for (const Vec3 n : other.normals) normals.push_back(at.rotation(n));
  for (const auto& [a, b, c] : other.triangles) triangles.push_back({first + a, first + b, first + c});
}

Mesh box(Vec3 h) {
  Mesh mesh;
  for (const float s : {-1.f, 1.f}) {
    const float x = s * h.x, y = s * h.y, z = s * h.z;
    add_face(mesh, {{x, -y, -h.z}, {x, y, -h.z}, {x, y, h.z}, {x, -y, h.z}});
    add_face(mesh, {{-h.x, y, -z}, {-h.x, y, z}, {h.x, y, z}, {h.x, y, -z}});
    add_face(mesh, {{-x, -h.y, z}, {x, -h.y, z}, {x, h.y, z}, {-x, h.y, z}});
  }
  return mesh;
}

Mesh inner_box(Vec3 half) {
  Mesh mesh = box(half);
  for (Vec3& normal : mesh.normals) normal = -normal;
  for (auto& triangle : mesh.triangles) std::swap(triangle[1], triangle[2]);
  return mesh;
}

Mesh plate(float half_x, float half_y, int cells) {
  return sheet(cells, cells, [=](float u, float v) {
    return Vec3{(2 * u - 1) * half_x, (2 * v - 1) * half_y, 0};
  });
}

Mesh sphere(float radius, int segments) {
  return ellipsoid({radius, radius, radius}, segments);
}

Mesh ellipsoid(Vec3 radii, int segments) {
  return sheet(segments, segments / 2, [=](float u, float v) {
    const float polar = kPi * v;
    return radii * around(std::sin(polar), 2 * kPi * u, -std::cos(polar));
  });
}

Mesh cylinder(float radius, float top_radius, float height, int segments) {
  Mesh mesh = sheet(segments, 1, [=](float u, float v) {
    return around(mix(radius, top_radius, v), 2 * kPi * u, v * height);
  });
  add_disc(mesh, radius, 0, segments, false);
  if (top_radius > 0) add_disc(mesh, top_radius, height, segments, true);
  return mesh;
}

Mesh torus(float radius, float tube, int segments) {
  return sheet(segments, segments / 2, [=](float u, float v) {
    return around(radius + tube * std::cos(2 * kPi * v), 2 * kPi * u, tube * std::sin(2 * kPi * v));
  });
}

Mesh capsule(float radius, float height, int segments) {
  const float straight = std::max(0.f, height - 2 * radius);
  return sheet(segments, segments, [=](float u, float v) {
    const float polar = kPi * v;
    const float lift = radius + (v > 0.5f ? straight : 0.f);
    return around(radius * std::sin(polar), 2 * kPi * u, lift - radius * std::cos(polar));
  });
}

Mesh wedge(Vec3 h) {
  Mesh mesh;
  const float z = 2 * h.z;
  add_face(mesh, {{-h.x, -h.y, 0}, {h.x, -h.y, 0}, {h.x, 0, z}, {-h.x, 0, z}});
  add_face(mesh, {{h.x, h.y, 0}, {-h.x, h.y, 0}, {-h.x, 0, z}, {h.x, 0, z}});
  add_face(mesh, {{h.x, -h.y, 0}, {h.x, h.y, 0}, {h.x, 0, z}});
  add_face(mesh, {{-h.x, h.y, 0}, {-h.x, -h.y, 0}, {-h.x, 0, z}});
  add_face(mesh, {{-h.x, h.y, 0}, {h.x, h.y, 0}, {h.x, -h.y, 0}, {-h.x, -h.y, 0}});
  return mesh;
}

Mesh stairs(int steps, float width, float depth, float rise) {
  Mesh mesh;
  for (int i = 0; i < steps; i++) {
    const float height = rise * static_cast<float>(i + 1);
    const Placement at{{}, {0, depth * (static_cast<float>(i) + 0.5f), height / 2}};
    mesh.append(box({width / 2, depth / 2, height / 2}), at);
  }
  return mesh;
}

Mesh arch(float half_width, float height, float half_depth, float opening, float opening_height) {
  Mesh mesh;
  const float pier = (half_width - opening) / 2, spring = opening_height - opening;
  for (const float side : {-1.f, 1.f})
    mesh.append(box({pier, half_depth, height / 2}), {{}, {side * (opening + pier), 0, height / 2}});
  constexpr int kStones = 10;
  for (int i = 0; i < kStones; i++) {
    const auto point = [&](int k) { return around(opening, kPi * static_cast<float>(k) / kStones, 0); };
    const Vec3 right = point(i), left = point(i + 1);
    const Vec3 a{right.x, 0, spring + right.y}, b{left.x, 0, spring + left.y};
    const Vec3 d{0, half_depth, 0}, top_a{a.x, 0, height}, top_b{b.x, 0, height};
    add_face(mesh, {b - d, a - d, top_a - d, top_b - d});
    add_face(mesh, {a + d, b + d, top_b + d, top_a + d});
    add_face(mesh, {a - d, b - d, b + d, a + d});
    add_face(mesh, {top_b - d, top_a - d, top_a + d, top_b + d});
  }
  return mesh;
}

Mesh lathe(float height, int rings, int segments, const std::function<float(float)>& radius_at) {
  Mesh mesh = sheet(segments, rings,
                    [&](float u, float v) { return around(radius_at(clamp01(v)), 2 * kPi * u, v * height); });
  add_disc(mesh, radius_at(0), 0, segments, false);
  add_disc(mesh, radius_at(1), height, segments, true);
  return mesh;
}

Mesh height_field(float half, int cells, const std::function<float(float, float)>& height) {
  return sheet(cells, cells, [&](float u, float v) {
    const float x = (2 * u - 1) * half, y = (2 * v - 1) * half;
    return Vec3{x, y, height(x, y)};
  });
}

Mesh rock(float radius, float roughness, uint32_t seed, int segments) {
  return sheet(segments, segments / 2, [=](float u, float v) {
    const float polar = kPi * v;
    const Vec3 direction = around(std::sin(polar), 2 * kPi * u, -std::cos(polar));
    return direction * (radius * (1 + roughness * 2 * (fractal_noise(direction * 1.7f, 3, seed) - 0.5f)));
  });
}

Mesh tube(const std::vector<Vec3>& points, float radius, int segments) {
  const int spans = static_cast<int>(points.size()) - 1;
  const auto at = [&](int i) { return points[static_cast<size_t>(std::min(spans, std::max(0, i)))]; };
  // Catmull and Rom's curve through the points.
  const auto curve = [&](float t) {
    const float where = clamp01(t) * static_cast<float>(spans);
    const int i = std::min(spans - 1, static_cast<int>(where));
    const float s = where - static_cast<float>(i);
    const Vec3 a = at(i - 1), b = at(i), c = at(i + 1), d = at(i + 2);
    return (b * 2 + (c - a) * s + (a * 2 - b * 5 + c * 4 - d) * (s * s) +
            (b * 3 - a - c * 3 + d) * (s * s * s)) *
           0.5f;
  };
  return sheet(segments, 5 * spans, [&](float u, float v) {
    const Vec3 along = normalize(curve(v + 0.01f) - curve(v - 0.01f));
    const Vec3 aside = normalize(cross(along, std::fabs(along.z) < 0.9f ? Vec3{0, 0, 1} : Vec3{1, 0, 0}));
    const Vec3 up = cross(aside, along);
    const float pinch = v <= 0 || v >= 1 ? 0.f : radius;
    return curve(v) + (aside * std::cos(2 * kPi * u) - up * std::sin(2 * kPi * u)) * -pinch;
  });
}

} // namespace video_depth::scene

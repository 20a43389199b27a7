// Owns: drawing triangles with a depth buffer.
// Must not know: colours, scenes.

#include "scene/raster.h"

#include <array>
#include <optional>

namespace video_depth::scene {

namespace {

/// Pixels of a view that a triangle may touch.
struct Extent {
  float left = 1e30f, right = -1e30f, top = 1e30f, bottom = -1e30f;
  float nearest = 0, farthest = 0; ///< of all corners, 1/metres
  void add(const View& view, Vec3 p) {
    const float u = view.fx * p.x / p.z + view.cx, v = view.fy * p.y / p.z + view.cy;
    left = std::min(left, u), right = std::max(right, u);
    top = std::min(top, v), bottom = std::max(bottom, v);
  }
};

std::optional<Extent> extent_of(const View& view, const std::array<Vec3, 3>& corners) {
  Extent extent;
  int seen = 0;
  for (size_t i = 0; i < 3; i++) {
    const Vec3 p = corners[i], q = corners[(i + 1) % 3];
    if (p.z > view.near) extent.add(view, p), seen++;
    if ((p.z > view.near) != (q.z > view.near)) extent.add(view, mix(p, q, (view.near - p.z) / (q.z - p.z)));
  }
  const bool outside = seen == 0 || extent.right < -1 || extent.bottom < -1 ||
                       extent.left > static_cast<float>(view.width) ||
                       extent.top > static_cast<float>(view.height);
  if (outside) return std::nullopt;
  const auto [low, high] = std::minmax({corners[0].z, corners[1].z, corners[2].z});
  extent.nearest = 1 / std::max(low, view.near);
  extent.farthest = low > view.near ? 1 / high : 0;
  return extent;
}

struct Wide {
  double x, y, z;
};
Wide widen(Vec3 p) {
  return {p.x, p.y, p.z};
}
Wide cross(const Wide& a, const Wide& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

/// @returns whether the triangle is to be drawn
bool set_edges(const View& view, const std::array<Vec3, 3>& corners, bool both_sides, Face& face) {
  const Wide p[3] = {widen(corners[0]), widen(corners[1]), widen(corners[2])};
  const Wide opposite[3] = {cross(p[1], p[2]), cross(p[2], p[0]), cross(p[0], p[1])};
  const double volume = p[0].x * opposite[0].x + p[0].y * opposite[0].y + p[0].z * opposite[0].z;
  if (volume > -1e-14 && (!both_sides || volume < 1e-14)) return false;
  for (int k = 0; k < 3; k++) {
    const double a = opposite[k].x / (volume * view.fx), b = opposite[k].y / (volume * view.fy);
    face.edge[k][0] = static_cast<float>(a);
    face.edge[k][1] = static_cast<float>(b);
    face.edge[k][2] = static_cast<float>(opposite[k].z / volume - a * view.cx - b * view.cy);
  }
  return true;
}

/// First and last sample of an extent, inside the target.
struct Range {
  int from, to;
};
Range range_of(float low, float high, float first, float step, int count) {
  const float from = std::max(0.f, (low - first) / step - 1e-3f);
  const float to = std::min(static_cast<float>(count - 1), (high - first) / step + 1e-3f);
  return {ceil_of(std::min(from, 1e6f)), floor_of(std::max(to, -1.f))};
}

void fill(Samples& target, const Face& face, uint32_t number, const Extent& extent) {
  const Range rows = range_of(extent.top, extent.bottom, target.first, target.step, target.rows);
  const Range columns = range_of(extent.left, extent.right, target.first, target.step, target.columns);
  if (columns.from > columns.to) return;
  const bool reaches_behind = extent.farthest == 0;
  const float start = target.first + static_cast<float>(columns.from) * target.step;
  const float slope = (face.edge[0][0] + face.edge[1][0] + face.edge[2][0]) * target.step;
  for (int row = rows.from; row <= rows.to; row++) {
    const float v = target.first + static_cast<float>(row) * target.step;
    float from = 0, to = static_cast<float>(columns.to - columns.from), inverse = 0;
    for (const auto& edge : face.edge) {
      const float here = edge[0] * start + edge[1] * v + edge[2], step = edge[0] * target.step;
      inverse += here;
      // Neighbours share an edge: a thousandth of a sample of overlap leaves no cracks.
      if (step > 0)
        from = std::max(from, -here / step - 1e-3f);
      else if (step < 0)
        to = std::min(to, -here / step + 1e-3f);
      else if (here < 0)
        to = -1;
    }
    const int first = ceil_of(std::min(from, 1e6f)), last = floor_of(std::max(-1.f, to));
    const size_t line =
        static_cast<size_t>(row) * static_cast<size_t>(target.columns) + static_cast<size_t>(columns.from);
    for (int i = first; i <= last; i++) {
      // The overlap of neighbours must not lead beyond a triangle that is seen edge-on.
      const float free = inverse + static_cast<float>(i) * slope;
      if (reaches_behind && free > extent.nearest) continue;
      const float here = std::min(extent.nearest, std::max(extent.farthest, free));
      const size_t at = line + static_cast<size_t>(i);
      if (here <= target.inverse_depth[at]) continue;
      target.inverse_depth[at] = here;
      target.faces[at] = number;
    }
  }
}

/// Whether a mesh's sphere reaches into the view.
bool is_in_view(const View& view, const PlacedMesh& mesh) {
  const Vec3 c = view.to_camera(mesh.centre);
  if (c.z < view.near - mesh.radius) return false;
  const auto beyond = [&](float across, float limit) {
    // Distance from the plane through the eye and the picture's border, limit = border/focal length.
    return (across - limit * c.z) / std::sqrt(1 + limit * limit) > mesh.radius;
  };
  const float left = (view.cx + 1) / view.fx, right = (static_cast<float>(view.width) - view.cx) / view.fx;
  const float top = (view.cy + 1) / view.fy, bottom = (static_cast<float>(view.height) - view.cy) / view.fy;
  return !(beyond(-c.x, left) || beyond(c.x, right) || beyond(-c.y, top) || beyond(c.y, bottom));
}

std::vector<Vec3> normals_of(const Mesh& mesh, const std::vector<Vec3>& positions) {
  std::vector<Vec3> normals(positions.size());
  for (const auto& [a, b, c] : mesh.triangles) {
    const Vec3 area = cross(positions[b] - positions[a], positions[c] - positions[a]);
    for (const uint32_t corner : {a, b, c}) normals[corner] += area;
  }
  for (Vec3& normal : normals) normal = normalize(normal);
  return normals;
}

} // namespace

PlacedMesh place(const Body& body, uint32_t index, double seconds) {
  const Mesh& mesh = *body.mesh;
  const Stance stance(body, seconds);
  PlacedMesh placed;
  placed.body = &body;
  placed.index = index;
  placed.positions.resize(mesh.positions.size());
  placed.normals.reserve(mesh.positions.size());
  Vec3 low{1e30f, 1e30f, 1e30f}, high{-1e30f, -1e30f, -1e30f};
  for (size_t i = 0; i < mesh.positions.size(); i++) {
    const Vec3 p = placed.positions[i] = stance.point(mesh.positions[i], mesh.normals[i]);
    low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
  }
  if (body.deformation.kind == Deformation::Kind::none) {
    for (const Vec3 normal : mesh.normals) placed.normals.push_back(stance.normal(normal));
  } else {
    placed.normals = normals_of(mesh, placed.positions);
  }
  placed.centre = (low + high) * 0.5f;
  placed.radius = length(high - placed.centre);
  return placed;
}

Samples::Samples(int columns, int rows, float first, float step)
    : columns(columns),
      rows(rows),
      first(first),
      step(step),
      inverse_depth(static_cast<size_t>(columns) * static_cast<size_t>(rows), 0.f),
      faces(inverse_depth.size(), kNoFace) {
}

void draw(const std::vector<const PlacedMesh*>& meshes, const View& view, bool everything,
          std::vector<Face>& faces, const std::vector<Samples*>& targets) {
  std::vector<Vec3> seen;
  size_t most = 0, triangles_in_all = 0;
  for (const PlacedMesh* mesh : meshes) {
    most = std::max(most, mesh->positions.size());
    triangles_in_all += mesh->body->mesh->triangles.size();
  }
  seen.reserve(most);
  faces.reserve(faces.size() + triangles_in_all / 2);
  for (const PlacedMesh* mesh : meshes) {
    if (!is_in_view(view, *mesh)) continue;
    seen.clear();
    for (const Vec3 p : mesh->positions) seen.push_back(view.to_camera(p));
    const auto& triangles = mesh->body->mesh->triangles;
    for (uint32_t t = 0; t < triangles.size(); t++) {
      const std::array<Vec3, 3> corners{seen[triangles[t][0]], seen[triangles[t][1]], seen[triangles[t][2]]};
      const auto extent = extent_of(view, corners);
      if (!extent) continue;
      Face face{};
      face.mesh = mesh;
      face.triangle = t;
      if (!set_edges(view, corners, everything || mesh->body->two_sided, face)) continue;
      const auto number = static_cast<uint32_t>(faces.size());
      faces.push_back(face);
      for (Samples* target : targets) fill(*target, face, number, *extent);
    }
  }
}

} // namespace video_depth::scene

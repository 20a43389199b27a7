// Owns: triangle meshes and how simple bodies are built of triangles.
// Must not know: materials, where a mesh stands.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "scene/vector.h"

namespace video_depth::scene {

/// Metres. Triangles are counter-clockwise seen from outside. The z axis is up.
struct Mesh {
  std::vector<Vec3> positions;
  /// Unit vectors, one a position; edges that shall look sharp have their positions twice.
  std::vector<Vec3> normals;
  std::vector<std::array<uint32_t, 3>> triangles;

  void append(const Mesh& other, const Placement& at = {});
};

/// Around the origin. @param half half the extent along each axis
Mesh box(Vec3 half);
/// A box seen from inside: the walls of a room.
Mesh inner_box(Vec3 half);
/// A rectangle of 2·half_x × 2·half_y in the plane z = 0, facing up. @param cells along each axis
Mesh plate(float half_x, float half_y, int cells = 1);
Mesh sphere(float radius, int segments = 24);
/// Half-axes along x, y, z.
Mesh ellipsoid(Vec3 radii, int segments = 20);
/// From z = 0 to `height`; a cone where `top_radius` is 0. Closed at both ends.
Mesh cylinder(float radius, float top_radius, float height, int segments = 20);
/// In the plane z = 0 around the z axis.
Mesh torus(float radius, float tube, int segments = 24);
/// From z = 0 to `height` with round ends inside.
Mesh capsule(float radius, float height, int segments = 14);
/// A ridge along x: 2·half.x × 2·half.y on the ground, 2·half.z high.
Mesh wedge(Vec3 half);
/// `steps` steps that rise towards +y, from y = 0, z = 0 on.
Mesh stairs(int steps, float width, float depth, float rise);
/// A wall of 2·half_width × height × 2·half_depth with a round-topped opening in its middle, standing on z =
/// 0.
Mesh arch(float half_width, float height, float half_depth, float opening_half_width, float opening_height);
/// A vase-like body: `radius_at(0 … 1)` around the z axis from z = 0 to `height`, open ends closed.
Mesh lathe(float height, int rings, int segments, const std::function<float(float)>& radius_at);
/// z = height(x, y) over a square of 2·half around the origin. @param cells along each axis
Mesh height_field(float half, int cells, const std::function<float(float, float)>& height);
/// A sphere pushed in and out by noise: stones, bushes, crowns of trees. @param roughness share of the radius
Mesh rock(float radius, float roughness, uint32_t seed, int segments = 16);
/// A closed tube of a radius along a smooth curve through the points.
Mesh tube(const std::vector<Vec3>& points, float radius, int segments = 8);

} // namespace video_depth::scene

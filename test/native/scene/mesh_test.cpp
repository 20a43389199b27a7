// Owns: tests that bodies are solid: closed, seen from outside, as large as was asked for.
// Must not know: pictures.

#include "scene/mesh.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>

using namespace video_depth::scene;

namespace {

/// Positive where triangles are counter-clockwise seen from outside (divergence theorem). Cubic metres.
double volume(const Mesh& mesh) {
  double sum = 0;
  for (const auto& [a, b, c] : mesh.triangles)
    sum += dot(mesh.positions[a], cross(mesh.positions[b], mesh.positions[c])) / 6.0;
  return sum;
}

/// The closing of a surface: the areas of all triangles, as vectors, sum up to nothing.
float open_area(const Mesh& mesh) {
  Vec3 sum;
  for (const auto& [a, b, c] : mesh.triangles)
    sum += cross(mesh.positions[b] - mesh.positions[a], mesh.positions[c] - mesh.positions[a]) * 0.5f;
  return length(sum);
}

} // namespace

TEST_CASE("scene: meshes are closed, face outwards and have the volume of their bodies") {
  const double pi = 3.14159265;
  const std::pair<Mesh, double> bodies[] = {
      {box({1, 2, 3}), 48},
      {inner_box({1, 2, 3}), -48},
      {sphere(1, 80), 4 * pi / 3},
      {ellipsoid({1, 2, 0.5f}, 80), 4 * pi / 3},
      {cylinder(1, 1, 2, 80), 2 * pi},
      {cylinder(1, 0, 3, 80), pi},
      {torus(2, 0.5f, 80), 2 * pi * pi * 2 * 0.25},
      {capsule(0.5f, 2, 80), pi * 0.25 + 4 * pi / 3 * 0.125},
      {wedge({1, 2, 0.5f}), 4},
      {stairs(2, 1, 0.5f, 0.2f), 0.1 + 0.2},
      {lathe(2, 1, 80, [](float) { return 1.f; }), 2 * pi},
  };
  int number = 0;
  for (const auto& [mesh, expected] : bodies) {
    CAPTURE(number++);
    CHECK(volume(mesh) == doctest::Approx(expected).epsilon(0.01));
    CHECK(open_area(mesh) < 1e-3f);
    CHECK(mesh.normals.size() == mesh.positions.size());
  }
}

TEST_CASE("scene: stones, tubes and arches are closed and face outwards") {
  for (const Mesh& mesh : {rock(1, 0.6f, 7), tube({{0, 0, 0}, {0, 1, 1}, {1, 2, 1}}, 0.2f)}) {
    CHECK(volume(mesh) > 0);
    CHECK(open_area(mesh) < 1e-2f);
  }
  CHECK(volume(arch(2, 3, 0.3f, 1, 2)) > 0);
}

TEST_CASE("scene: normals are unit vectors on the triangles' outer side") {
  for (const Mesh& mesh : {sphere(1), cylinder(1, 0.5f, 2), torus(1, 0.3f), box({1, 1, 1}), capsule(0.3f, 1),
                           plate(1, 1, 3), wedge({1, 1, 1}), rock(1, 0.3f, 3)}) {
    for (const auto& [a, b, c] : mesh.triangles) {
      const Vec3 area = cross(mesh.positions[b] - mesh.positions[a], mesh.positions[c] - mesh.positions[a]);
      if (length(area) < 1e-6f) continue; // at a pole
      CHECK(length(mesh.normals[a]) == doctest::Approx(1).epsilon(1e-3));
      CHECK(dot(normalize(area), mesh.normals[a]) > 0.2f);
    }
  }
}

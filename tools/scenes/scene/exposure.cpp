// Owns: light, pixel by pixel.
// Must not know: how worlds are drawn.

#include "scene/exposure.h"

#include "scene/random.h"
#include "scene/shade.h"
#include "scene/surface.h"

namespace video_depth::scene {

namespace {

/// The point of a face that a pixel sees.
Spot spot_of(const Drawing& d, const Face& face, float u, float v) {
  const Body& body = *face.mesh->body;
  const Surface surface(face, u, v);
  Spot spot;
  spot.position = surface.on(face.mesh->positions);
  spot.normal = normalize(surface.on(face.mesh->normals));
  spot.local = surface.on(body.mesh->positions);
  spot.local_normal = surface.on(body.mesh->normals);
  const Vec3 away = spot.position - d.view.pose.position;
  float facing = dot(spot.normal, away);
  if (facing > 0 && body.two_sided) spot.normal = -spot.normal;
  const float distance = length(away);
  facing = std::fabs(facing) / distance;
  spot.footprint = distance / d.view.fx / std::max(0.1f, facing);
  return spot;
}

constexpr int kProbes = 4;

/// Directions of the probes; four sets, each turned a little, for neighbouring pixels.
struct Probes {
  float x[4][kProbes], y[4][kProbes];
};
const Probes& probes() {
  static const Probes table = [] {
    Probes t{};
    for (int set = 0; set < 4; set++) {
      for (int k = 0; k < kProbes; k++) {
        const float angle = 2 * kPi * (static_cast<float>(k) + 0.25f * static_cast<float>(set)) / kProbes;
        const float far = k & 1 ? 1.f : 0.45f;
        t.x[set][k] = far * std::cos(angle);
        t.y[set][k] = far * std::sin(angle);
      }
    }
    return t;
  }();
  return table;
}

/// Share of the surroundings that neighbours leave open, from the depth of pixels around (Mittring 2007, with
/// normals).
/// @param normal of the surface at the pixel, world
float openness(const Drawing& d, int column, int row, Vec3 normal) {
  constexpr float kReach = 0.45f; // metres
  const View& view = d.view;
  const size_t i = static_cast<size_t>(row) * static_cast<size_t>(view.width) + static_cast<size_t>(column);
  const float inverse = d.centres.inverse_depth[i], across = 1 / view.fx;
  const float reach = std::min(kReach * view.fx * inverse, static_cast<float>(view.height) / 8);
  if (reach < 1) return 1;
  const auto point = [&](int x, int y, float z) {
    return Vec3{(static_cast<float>(x) - view.cx) * across * z,
                (static_cast<float>(y) - view.cy) * across * z, z};
  };
  const Vec3 here = point(column, row, 1 / inverse);
  const Pose& pose = view.pose;
  normal = {dot(pose.right, normal), dot(pose.down, normal), dot(pose.forward, normal)};
  const int set = (column + 2 * row) & 3;
  float closed = 0;
  for (int k = 0; k < kProbes; k++) {
    const int x = column + floor_of(reach * probes().x[set][k] + 0.5f);
    const int y = row + floor_of(reach * probes().y[set][k] + 0.5f);
    if (x < 0 || y < 0 || x >= view.width || y >= view.height) continue;
    const float there =
        d.centres
            .inverse_depth[static_cast<size_t>(y) * static_cast<size_t>(view.width) + static_cast<size_t>(x)];
    if (there <= 0) continue;
    const Vec3 way = point(x, y, 1 / there) - here;
    const float square = dot(way, way);
    const float rise = dot(way, normal) / std::sqrt(square + 1e-6f) - 0.12f;
    closed += std::max(0.f, rise) / (1 + square / (kReach * kReach));
  }
  return std::max(0.3f, 1 - 1.5f * closed / kProbes);
}

/// Whether two faces of a pixel look alike enough to be shaded once.
bool alike(const Face& a, const Face& b) {
  if (a.mesh != b.mesh) return false;
  if (a.triangle == b.triangle) return true;
  const Mesh& mesh = *a.mesh->body->mesh;
  return dot(mesh.normals[mesh.triangles[a.triangle][0]], mesh.normals[mesh.triangles[b.triangle][0]]) > 0.9f;
}

class Pixels {
 public:
  explicit Pixels(const Drawing& drawing) : d_(drawing) {}

  Vec3 light(int column, int row) const {
    const auto u = static_cast<float>(column), v = static_cast<float>(row);
    const uint32_t centre = d_.centres.faces[index(d_.centres, column, row)];
    float open = 1;
    const Vec3 seen = centre == kNoFace ? sky_at(u, v) : surface_at(centre, column, row, open);
    if (d_.fine.columns == 0) return seen;
    Vec3 sum;
    for (int k = 0; k < 4; k++) {
      const int right = k & 1, below = k >> 1;
      const uint32_t face = d_.fine.faces[index(d_.fine, 2 * column + right, 2 * row + below)];
      const Vec3 light = is_same(face, centre)
                             ? seen
                             : sample(face, u + (right ? 0.25f : -0.25f), v + (below ? 0.25f : -0.25f), open);
      // Brighter than white counts as white: else a glint's border would not be smooth.
      sum += {std::min(light.x, 4.f), std::min(light.y, 4.f), std::min(light.z, 4.f)};
    }
    return sum * 0.25f;
  }

 private:
  static size_t index(const Samples& samples, int column, int row) {
    return static_cast<size_t>(row) * static_cast<size_t>(samples.columns) + static_cast<size_t>(column);
  }
  bool is_same(uint32_t face, uint32_t centre) const {
    return face == centre ||
           (face != kNoFace && centre != kNoFace && alike(d_.faces[face], d_.faces[centre]));
  }
  Vec3 sky_at(float u, float v) const { return sky(d_.light, normalize(d_.view.ray(u, v))); }
  Vec3 surface_at(uint32_t face, int column, int row, float& open) const {
    Spot spot = spot_of(d_, d_.faces[face], static_cast<float>(column), static_cast<float>(row));
    open = spot.open = openness(d_, column, row, spot.normal);
    return shaded(face, spot);
  }
  Vec3 sample(uint32_t face, float u, float v, float open) const {
    if (face == kNoFace) return sky_at(u, v);
    Spot spot = spot_of(d_, d_.faces[face], u, v);
    spot.open = open;
    return shaded(face, spot);
  }
  Vec3 shaded(uint32_t face, const Spot& spot) const {
    return shade(d_.faces[face].mesh->body->material, d_.light, d_.shadows, spot, d_.view.pose.position);
  }

  const Drawing& d_;
};

uint32_t set_bits(uint32_t v) {
  v -= (v >> 1) & 0x55555555U;
  v = (v & 0x33333333U) + ((v >> 2) & 0x33333333U);
  return (((v + (v >> 4)) & 0x0f0f0f0fU) * 0x01010101U) >> 24;
}

} // namespace

void expose(const Drawing& d, float share, std::vector<Vec3>& pixels) {
  const Pixels drawn(d);
  size_t i = 0;
  for (int row = 0; row < d.view.height; row++)
    for (int column = 0; column < d.view.width; column++) pixels[i++] += drawn.light(column, row) * share;
}

std::vector<uint8_t> develop(const std::vector<Vec3>& pixels, float noise, uint32_t seed) {
  std::vector<uint8_t> rgb(pixels.size() * 3);
  const uint32_t grain = scramble(seed);
  for (size_t i = 0; i < pixels.size(); i++) {
    const float light[3] = {pixels[i].x, pixels[i].y, pixels[i].z};
    for (size_t c = 0; c < 3; c++) {
      float value = to_screen(light[c]);
      if (noise > 0) {
        // Set bits of a random word: nearly normal, variance 8. More noise in bright parts, as photons have
        // it.
        const auto mixed = static_cast<uint32_t>(3 * i + c);
        const uint32_t count = set_bits(scramble(mixed + grain));
        value += noise * (static_cast<float>(count) - 16.f) * 0.354f * std::sqrt(0.25f + value / 170);
      }
      rgb[3 * i + c] = static_cast<uint8_t>(std::min(255.f, std::max(0.f, value + 0.5f)));
    }
  }
  return rgb;
}

} // namespace video_depth::scene

// Owns: light, pixel by pixel.
// Must not know: how worlds are drawn.

#include "scene/exposure.h"

#include "scene/random.h"
#include "scene/shade.h"
#include "scene/surface.h"

namespace video_depth::scene {

namespace {

/// Light over area in a screen's scale: sums of samples as an eye sees them.
class Exposure {
 public:
  explicit Exposure(const Drawing& drawing) : drawing_(drawing) {}

  Vec3 at(uint32_t face, float u, float v, float open) const {
    const View& view = drawing_.view;
    const Vec3 ray = view.ray(u, v);
    if (face == kNoFace) return sky(drawing_.light, normalize(ray));
    const Face& seen = drawing_.faces[face];
    const Body& body = *seen.mesh->body;
    const Surface surface(seen, u, v);
    Spot spot;
    spot.position = surface.on(seen.mesh->positions);
    spot.local = surface.on(body.mesh->positions);
    spot.local_normal = normalize(surface.on(body.mesh->normals));
    spot.normal = normal_of(seen, spot.local_normal);
    const Vec3 away = spot.position - view.pose.position;
    const float facing = dot(spot.normal, away);
    if (facing > 0 && body.two_sided) spot.normal = -spot.normal;
    const float distance = length(away);
    spot.footprint = distance / view.fx / std::max(0.1f, std::fabs(facing) / distance);
    spot.open = open;
    return shade(body.material, drawing_.light, drawing_.shadows, spot, view.pose.position);
  }

  /// Of the surface that a pixel's centre sees, in the camera's frame.
  Vec3 camera_normal(const Face& face) const {
    const auto& t = face.mesh->body->mesh->triangles[face.triangle];
    const auto& p = face.mesh->positions;
    const Vec3 n = normalize(cross(p[t[1]] - p[t[0]], p[t[2]] - p[t[0]]));
    const Pose& pose = drawing_.view.pose;
    return {dot(pose.right, n), dot(pose.down, n), dot(pose.forward, n)};
  }

 private:
  /// The mesh's normal in the world: carried over by the triangle's own turn, whatever moved or deformed it.
  Vec3 normal_of(const Face& face, Vec3 local) const {
    const Mesh& mesh = *face.mesh->body->mesh;
    const auto& t = mesh.triangles[face.triangle];
    const auto frame = [&](const std::vector<Vec3>& p) {
      const Vec3 x = normalize(p[t[1]] - p[t[0]]), z = normalize(cross(x, p[t[2]] - p[t[0]]));
      return Rotation{x, cross(z, x), z};
    };
    return frame(face.mesh->positions).inverse(frame(mesh.positions)(local));
  }

  const Drawing& drawing_;
};

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

/// Share of the surroundings that neighbours leave open, from the depth of pixels around (Mittring 2007, with normals).
float openness(const Drawing& d, int column, int row, const Exposure& exposure) {
  constexpr float kReach = 0.45f; // metres
  const View& view = d.view;
  const size_t i = static_cast<size_t>(row) * static_cast<size_t>(view.width) + static_cast<size_t>(column);
  const float inverse = d.centres.inverse_depth[i], across = 1 / view.fx;
  const float reach = std::min(kReach * view.fx * inverse, static_cast<float>(view.height) / 8);
  if (reach < 1) return 1;
  const auto point = [&](int x, int y, float z) {
    return Vec3{(static_cast<float>(x) - view.cx) * across * z, (static_cast<float>(y) - view.cy) * across * z, z};
  };
  const Vec3 here = point(column, row, 1 / inverse), normal = exposure.camera_normal(d.faces[d.centres.faces[i]]);
  const int set = (column + 2 * row) & 3;
  float closed = 0;
  for (int k = 0; k < kProbes; k++) {
    const int x = column + floor_of(reach * probes().x[set][k] + 0.5f);
    const int y = row + floor_of(reach * probes().y[set][k] + 0.5f);
    if (x < 0 || y < 0 || x >= view.width || y >= view.height) continue;
    const float there = d.centres.inverse_depth[static_cast<size_t>(y) * static_cast<size_t>(view.width) + static_cast<size_t>(x)];
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

uint32_t set_bits(uint32_t v) {
  v -= (v >> 1) & 0x55555555U;
  v = (v & 0x33333333U) + ((v >> 2) & 0x33333333U);
  return (((v + (v >> 4)) & 0x0f0f0f0fU) * 0x01010101U) >> 24;
}

} // namespace

void expose(const Drawing& d, float share, std::vector<Vec3>& pixels) {
  const Exposure exposure(d);
  const int width = d.view.width;
  for (int row = 0; row < d.view.height; row++) {
    for (int column = 0; column < width; column++) {
      const size_t i = static_cast<size_t>(row) * static_cast<size_t>(width) + static_cast<size_t>(column);
      const auto u = static_cast<float>(column), v = static_cast<float>(row);
      const uint32_t centre = d.centres.faces[i];
      const float open = centre == kNoFace ? 1 : openness(d, column, row, exposure);
      const Vec3 seen = exposure.at(centre, u, v, open);
      if (d.fine.columns == 0) {
        pixels[i] += seen * share;
        continue;
      }
      Vec3 sum;
      for (int k = 0; k < 4; k++) {
        const int x = 2 * column + (k & 1), y = 2 * row + (k >> 1);
        const uint32_t face = d.fine.faces[static_cast<size_t>(y) * static_cast<size_t>(d.fine.columns) + static_cast<size_t>(x)];
        const bool same = face == centre || (face != kNoFace && centre != kNoFace && alike(d.faces[face], d.faces[centre]));
        const Vec3 light = same ? seen : exposure.at(face, u + (k & 1 ? 0.25f : -0.25f), v + (k >> 1 ? 0.25f : -0.25f), open);
        // Brighter than white counts as white: else a glint's border would not be smooth.
        sum += Vec3{std::min(light.x, 4.f), std::min(light.y, 4.f), std::min(light.z, 4.f)};
      }
      pixels[i] += sum * (share / 4);
    }
  }
}

std::vector<uint8_t> develop(const std::vector<Vec3>& pixels, float noise, uint32_t seed) {
  std::vector<uint8_t> rgb(pixels.size() * 3);
  const uint32_t grain = scramble(seed);
  for (size_t i = 0; i < pixels.size(); i++) {
    const float light[3] = {pixels[i].x, pixels[i].y, pixels[i].z};
    for (size_t c = 0; c < 3; c++) {
      float value = to_screen(light[c]);
      if (noise > 0) {
        // Set bits of a random word: nearly normal, variance 8. More noise in bright parts, as photons have it.
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

// Owns: drawing a world from its light.
// Must not know: colours.

#include "scene/shadow.h"

#include "scene/camera.h"

namespace video_depth::scene {

namespace {

/// The sun stands this far away: its rays are parallel enough, and depth is still exact to a tenth of a
/// millimetre.
constexpr float kSunDistance = 250;
/// Half of the angle that a lamp casts shadows in, as its tangent (68 degrees); beyond, it shines through.
constexpr float kLampSpread = 2.5f;
/// The map of a sun stays where it is while the camera moves less: shadows do not crawl.
constexpr float kGrid = 4;

View light_view(const Light& light, Vec3 around, int size) {
  View view;
  const auto pixels = static_cast<float>(size);
  float spread = kLampSpread;
  if (light.is_lamp) {
    view.pose = look(light.sun, light.sun + Vec3{0.001f, 0, -1});
    view.near = 0.15f;
  } else {
    const Vec3 centre{std::round(around.x / kGrid) * kGrid, std::round(around.y / kGrid) * kGrid,
                      std::round(around.z / kGrid) * kGrid};
    view.pose = look(centre + light.sun * kSunDistance, centre);
    view.near = kSunDistance / 4;
    spread = light.shadow_radius / kSunDistance;
  }
  view.width = view.height = size;
  view.fx = view.fy = pixels / 2 / spread;
  view.cx = view.cy = (pixels - 1) / 2;
  return view;
}

} // namespace

ShadowMap::ShadowMap(const Light& light, Vec3 around, const std::vector<const PlacedMesh*>& meshes, int size)
    : view_(light_view(light, around, size)), samples_(size, size, 0, 1), texel_(1 / view_.fx) {
  std::vector<Face> faces;
  draw(meshes, view_, true, faces, {&samples_});
}

float ShadowMap::is_lit(int column, int row, float distance) const {
  const float inverse = samples_.inverse_depth[static_cast<size_t>(row * samples_.columns + column)];
  return inverse == 0 || distance * inverse < 1 ? 1.f : 0.f;
}

float ShadowMap::lit(Vec3 point, Vec3 normal) const {
  const Vec3 to_light = normalize(view_.pose.position - point);
  const float facing = std::max(0.1f, dot(normal, to_light));
  const float distance = length(view_.pose.position - point);
  // Off the surface by what a sample covers, more where light grazes.
  const float bias = texel_ * distance * (0.7f + 0.7f / facing) + 0.002f;
  const Vec3 p = view_.to_camera(point + normal * (bias * 0.5f));
  if (p.z < view_.near) return 1;
  const float u = view_.fx * p.x / p.z + view_.cx, v = view_.fy * p.y / p.z + view_.cy;
  if (!(u >= 0 && v >= 0 && u < static_cast<float>(view_.width - 1) &&
        v < static_cast<float>(view_.height - 1)))
    return 1;
  const int column = static_cast<int>(u), row = static_cast<int>(v);
  const float right = u - static_cast<float>(column), below = v - static_cast<float>(row),
              z = p.z - bias * 0.5f;
  return mix(mix(is_lit(column, row, z), is_lit(column + 1, row, z), right),
             mix(is_lit(column, row + 1, z), is_lit(column + 1, row + 1, z), right), below);
}

} // namespace video_depth::scene

// Owns: from a world to a picture: draw, shade, blur, expose.
// Must not know: how worlds are invented, files, Node.js.

#include "scene/render.h"

#include <limits>
#include <string>
#include <utility>

#include "error.h"
#include "scene/exposure.h"
#include "scene/shade.h"
#include "scene/surface.h"

namespace video_depth::scene {

namespace {

constexpr int kShadowSamples = 384;
/// Numbers of bodies are 16 bits in a picture, and 0 is the sky.
constexpr size_t kMostBodies = 0xffff;
/// Moments that the shutter's time is seen at.
constexpr int kBlurMoments = 5;

/// Everything of a world at a time.
struct Moment {
  std::vector<PlacedMesh> moved;
  std::vector<const PlacedMesh*> meshes;
};

Moment moment_of(const World& world, const std::vector<PlacedMesh>& still, double seconds) {
  Moment moment;
  moment.moved.reserve(world.bodies.size());
  for (uint32_t i = 0; i < world.bodies.size(); i++) {
    if (still[i].body != nullptr) {
      moment.meshes.push_back(&still[i]);
    } else {
      moment.moved.push_back(place(world.bodies[i], i, seconds));
      moment.meshes.push_back(&moment.moved.back());
    }
  }
  return moment;
}

void add_truth(const std::vector<Face>& faces, const Samples& centres, Picture& picture) {
  const size_t pixels = centres.faces.size();
  picture.depth.resize(pixels);
  picture.bodies.resize(pixels);
  for (size_t i = 0; i < pixels; i++) {
    const uint32_t face = centres.faces[i];
    picture.depth[i] =
        face == kNoFace ? std::numeric_limits<float>::infinity() : 1 / centres.inverse_depth[i];
    picture.bodies[i] = face == kNoFace ? uint16_t{0} : static_cast<uint16_t>(faces[face].mesh->index + 1);
  }
}

/// @param next by position in the world
void add_flow(const std::vector<Face>& faces, const Samples& centres, const View& view, const View& next_view,
              const std::vector<const PlacedMesh*>& next, Picture& picture) {
  picture.flow.assign(centres.faces.size() * 2, std::numeric_limits<float>::quiet_NaN());
  for (int row = 0, i = 0; row < view.height; row++) {
    for (int column = 0; column < view.width; column++, i++) {
      const uint32_t face = centres.faces[static_cast<size_t>(i)];
      if (face == kNoFace) continue;
      const auto u = static_cast<float>(column), v = static_cast<float>(row);
      const PlacedMesh &now = *faces[face].mesh, &then = *next[now.index];
      // From the depth that is given out, so that both say the same where triangles are seen edge-on.
      Vec3 point = view.pose.position + view.ray(u, v) * (1 / centres.inverse_depth[static_cast<size_t>(i)]);
      if (&now != &then) {
        const Surface surface(faces[face], u, v);
        point += surface.on(then.positions) - surface.on(now.positions);
      }
      const Vec3 p = next_view.to_camera(point);
      if (p.z < next_view.near) continue;
      picture.flow[static_cast<size_t>(2 * i)] = next_view.fx * p.x / p.z + next_view.cx - u;
      picture.flow[static_cast<size_t>(2 * i + 1)] = next_view.fy * p.y / p.z + next_view.cy - v;
    }
  }
}

/// [4, 4] row-major, camera to world.
std::array<double, 16> matrix_of(const Pose& pose) {
  std::array<double, 16> matrix{};
  const Vec3 columns[] = {pose.right, pose.down, pose.forward, pose.position};
  for (size_t column = 0; column < 4; column++) {
    matrix[column] = columns[column].x;
    matrix[4 + column] = columns[column].y;
    matrix[8 + column] = columns[column].z;
  }
  matrix[15] = 1;
  return matrix;
}

} // namespace

Renderer::Renderer(World world) : world_(std::move(world)), still_(world_.bodies.size()) {
  if (world_.bodies.size() > kMostBodies)
    throw Error("render", "at most " + std::to_string(kMostBodies) + " bodies", "world",
                std::to_string(world_.bodies.size()));
  for (uint32_t i = 0; i < world_.bodies.size(); i++)
    if (world_.bodies[i].is_still()) still_[i] = place(world_.bodies[i], i, 0);
}

std::vector<uint8_t> Renderer::moving() const {
  std::vector<uint8_t> moving;
  for (const PlacedMesh& mesh : still_) moving.push_back(mesh.body == nullptr ? 1 : 0);
  return moving;
}

size_t Renderer::bytes() const {
  size_t points = 0, triangles = 0;
  for (const Body& body : world_.bodies) {
    points += body.mesh->positions.size() + body.mesh->normals.size();
    triangles += body.mesh->triangles.size();
  }
  for (const PlacedMesh& mesh : still_) points += mesh.positions.size() + mesh.normals.size();
  return points * sizeof(Vec3) + triangles * sizeof(std::array<uint32_t, 3>);
}

View Renderer::view_at(const RenderOptions& options, double seconds) const {
  View view;
  view.pose = world_.camera(options.camera_seconds.value_or(seconds));
  view.width = options.width;
  view.height = options.height;
  const auto width = static_cast<float>(options.width), height = static_cast<float>(options.height);
  view.fx = view.fy = std::min(width, height) / 2 / std::tan(world_.field_of_view * kPi / 360);
  view.cx = (width - 1) / 2;
  view.cy = (height - 1) / 2;
  return view;
}

Picture Renderer::render(const RenderOptions& options) const {
  Picture picture;
  const int moments = options.shutter > 0 ? kBlurMoments : 1;
  std::vector<Vec3> light(static_cast<size_t>(options.width) * static_cast<size_t>(options.height));
  for (int k = 0; k < moments; k++) {
    const int middle = moments / 2;
    const double seconds = options.seconds + options.shutter * (k - middle) / moments;
    const View view = view_at(options, seconds);
    const Moment moment = moment_of(world_, still_, seconds);
    std::vector<Face> faces;
    Samples centres(view.width, view.height, 0, 1);
    Samples fine(options.antialias ? 2 * view.width : 0, options.antialias ? 2 * view.height : 0, -0.25f,
                 0.5f);
    std::vector<Samples*> targets{&centres};
    if (options.antialias) targets.push_back(&fine);
    draw(moment.meshes, view, false, faces, targets);
    const ShadowMap shadows(world_.light, view.pose.position, moment.meshes, kShadowSamples);
    expose({world_.light, shadows, view, faces, centres, fine}, 1 / static_cast<float>(moments), light);
    if (k != middle) continue;
    add_truth(faces, centres, picture);
    if (options.flow_to) {
      const Moment next = moment_of(world_, still_, *options.flow_to);
      add_flow(faces, centres, view, view_at(options, *options.flow_to), next.meshes, picture);
    }
    picture.pose = matrix_of(view.pose);
    picture.fx = view.fx, picture.fy = view.fy, picture.cx = view.cx, picture.cy = view.cy;
  }
  picture.rgb = develop(light, options.noise, options.noise_seed);
  return picture;
}

} // namespace video_depth::scene

// Owns: which triangle every sample of a picture sees, and how far it is.
// Must not know: colours, scenes.
#pragma once

#include <cstdint>
#include <vector>

#include "scene/world.h"

namespace video_depth::scene {

/// A pinhole camera somewhere. Integer coordinates are pixel centres: u = fx · x/z + cx, v = fy · y/z + cy.
struct View {
  Pose pose;
  float fx = 1, fy = 1, cx = 0, cy = 0;
  int width = 0, height = 0; ///< pixels
  float near = 0.05f;        ///< metres; nothing nearer is drawn

  /// In the camera's frame.
  Vec3 to_camera(Vec3 world) const {
    const Vec3 d = world - pose.position;
    return {dot(pose.right, d), dot(pose.down, d), dot(pose.forward, d)};
  }
  /// World direction through a pixel; its length along the camera's z axis is 1.
  Vec3 ray(float u, float v) const {
    return pose.right * ((u - cx) / fx) + pose.down * ((v - cy) / fy) + pose.forward;
  }
};

/// A body's mesh at a time, in the world's coordinates.
struct PlacedMesh {
  const Body* body = nullptr;
  uint32_t index = 0; ///< of the body in its world
  std::vector<Vec3> positions;
  std::vector<Vec3> normals; ///< outwards; their length is about 1
  Vec3 centre;
  float radius = 0; ///< around `centre`, of everything
};

PlacedMesh place(const Body& body, uint32_t index, double seconds);

/// A triangle as a view sees it. Its share of corner k at pixel (u, v), divided by the depth, is
/// edge[k][0] · u + edge[k][1] · v + edge[k][2]; the three shares sum up to 1/depth (Olano and Greer 1997).
/// So depth is exact in the whole triangle, and nothing needs clipping.
struct Face {
  float edge[3][3];
  const PlacedMesh* mesh;
  uint32_t triangle;
};

constexpr uint32_t kNoFace = 0xffffffffU;

/// The samples of a picture: u = first + i · step, v likewise.
struct Samples {
  Samples(int columns, int rows, float first, float step);
  int columns, rows;
  float first, step;
  std::vector<float> inverse_depth; ///< 1/metres; 0: nothing
  std::vector<uint32_t> faces;      ///< kNoFace: nothing
};

/// Draws meshes into all targets and adds what it drew to `faces`.
/// @param everything also surfaces that turn away (for shadows)
void draw(const std::vector<const PlacedMesh*>& meshes, const View& view, bool everything,
          std::vector<Face>& faces, const std::vector<Samples*>& targets);

} // namespace video_depth::scene

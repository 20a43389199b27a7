// Owns: where on a triangle a pixel lies.
// Must not know: colours, light.
#pragma once

#include "scene/raster.h"

namespace video_depth::scene {

/// A point of a face, as the shares of its corners.
class Surface {
 public:
  Surface(const Face& face, float u, float v) : corners_(face.mesh->body->mesh->triangles[face.triangle]) {
    float sum = 0;
    for (int k = 0; k < 3; k++) {
      // Beside the triangle (a sample at its edge), a point of its border: the plane of one that is seen
      // edge-on runs behind the eye there.
      shares_[k] = std::max(0.f, face.edge[k][0] * u + face.edge[k][1] * v + face.edge[k][2]);
      sum += shares_[k];
    }
    if (!(sum > 0)) shares_[0] = sum = 1;
    for (float& share : shares_) share /= sum;
  }
  /// @param values one a position of the face's mesh
  Vec3 on(const std::vector<Vec3>& values) const {
    return values[corners_[0]] * shares_[0] + values[corners_[1]] * shares_[1] +
           values[corners_[2]] * shares_[2];
  }

 private:
  const std::array<uint32_t, 3>& corners_;
  float shares_[3];
};

} // namespace video_depth::scene

// Owns: where the light of a world does not reach.
// Must not know: colours.
#pragma once

#include <vector>

#include "scene/raster.h"

namespace video_depth::scene {

class ShadowMap {
 public:
  /// @param around where the shadows of a sun are wanted, metres @param size of the map, samples a side
  ShadowMap(const Light& light, Vec3 around, const std::vector<const PlacedMesh*>& meshes, int size);

  /// 0: all in shadow, 1: all lit. @param normal of the surface, unit
  float lit(Vec3 point, Vec3 normal) const;

 private:
  float is_lit(int column, int row, float distance) const;

  View view_;
  Samples samples_;
  float texel_ = 0; ///< metres a sample spans in one metre's distance
};

} // namespace video_depth::scene

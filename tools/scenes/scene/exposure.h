// Owns: the light that falls on every pixel, and developing it.
// Must not know: how worlds are drawn.
#pragma once

#include <cstdint>
#include <vector>

#include "scene/raster.h"
#include "scene/shadow.h"

namespace video_depth::scene {

/// What was drawn of a world at one moment.
struct Drawing {
  const Light& light;
  const ShadowMap& shadows;
  const View& view;
  const std::vector<Face>& faces;
  const Samples& centres;
  /// Twice as fine; empty without antialiasing.
  const Samples& fine;
};

/// Adds `share` of the light of every pixel. @param pixels [height, width] linear light
void expose(const Drawing& drawing, float share, std::vector<Vec3>& pixels);

/// @param noise standard deviation in the middle greys, of 255 @returns [height, width, 3]
std::vector<uint8_t> develop(const std::vector<Vec3>& pixels, float noise, uint32_t seed);

} // namespace video_depth::scene

// Owns: one map at another size: bilinear, scaled, shifted and clamped.
// Must not know: stitching.
#pragma once

#include <cstddef>
#include <cstdint>

namespace video_depth {

/// [height, width] float32; borrowed.
struct SourceMap {
  const float* data;
  size_t length;
  int width;
  int height;
};

struct TargetMap {
  float* data;
  size_t length;
  int width;
  int height;
};

/// out = clamp(scale · bilinear(map) + shift), align_corners; clamp keeps NaN and makes what is negative 0.
///
/// @returns how many values of `map` are NaN or infinite
uint64_t upsample(const SourceMap& map, const TargetMap& out, float scale, float shift, int threads);

} // namespace video_depth

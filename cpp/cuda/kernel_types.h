// Owns: what kernels and their CPU references are given, and what they give back.
// Must not know: CUDA's headers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stitch/fit_rules.h"

namespace video_depth::cuda {

enum class Element { kFloat32, kFloat16 };

struct Extent {
  int width, height;
};

/// Least-squares fit of maps to targets, and how alike they are: see solve (stitch/align.h) and fit_map.
struct DeviceFit {
  double scale, shift;
  /// Pearson's; only launch_map_fit sets it.
  double correlation;
  /// 1: scale 1 and shift 0 stand in for a fit that has no usable solution.
  int32_t degenerate;
  /// See WindowFit; only launch_fit sets them.
  int32_t is_anew = 0;
  uint32_t left_out = 0;
};

constexpr DeviceFit kUnscaled{1, 0, 0, 0};

VIDEO_DEPTH_HOST_DEVICE inline DeviceFit device_fit(const WindowFit& window) {
  return {window.fit.scale,       window.fit.shift, 0, window.fit.degenerate ? 1 : 0,
          window.is_anew ? 1 : 0, window.left_out};
}

/// `map` [map size] is compared, upsampled (bilinear, align_corners), with `target` [frame size].
struct FitPair {
  const float* map;
  const float* target;
  /// In device memory: what the target's map was multiplied by; null: 1.
  const double* scale = nullptr;
};

constexpr int kMostFitPairs = kMostReferences;

/// One frame to be written: with m = clamp(scale · upsampled map + shift) at ≥ 0, NaN kept (see write_scaled,
/// write_blended): out = m; with `held`: (1 − weight) · held + weight · m, and m alone where the fit begins
/// anew; without `map`: held. `out` may be `held`, but no other job's held or out.
struct FrameJob {
  const float* map;
  const float* held;
  float* out;
  double weight;
  /// Device memory that takes the fit's scale; null: none does.
  double* scale = nullptr;
  /// Nothing is written unless the fit left this pair out; −1: always written.
  int if_left_out = -1;
};

constexpr int kMostFrameJobs = 64;

/// What is known of a map's values. A map is flat where least ≥ most.
struct MapHealth {
  /// NaN or infinite.
  uint64_t non_finite;
  /// Bounds of the finite values; +infinity and −infinity where there are none.
  float least, most;
};

enum class OutputType { kFloat32, kFloat16, kUint16 };

/// Multiples of 4 bytes; at most kMostBlocks.
struct BlockCopy {
  const void* from;
  void* to;
};

constexpr int kMostBlocks = 64;

} // namespace video_depth::cuda

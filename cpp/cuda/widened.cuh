// Owns: a few neighbouring columns of a map at another size, row by row: bilinear, align_corners, the bits of
// UpsampledRows where multiplication and addition are not contracted.
// Must not know: what the rows are for.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "cuda/kernel_types.h"
#include "image/taps.h"

namespace video_depth::cuda {

/// How a map is brought to a frame's size.
struct Upsampling {
  Upsampling(Extent map, Extent frame)
      : map(map),
        frame(frame),
        column_scale(linear_scale(map.width, frame.width)),
        row_scale(linear_scale(map.height, frame.height)) {}

  Extent map, frame;
  float column_scale, row_scale;
};

/// For one thread; source rows that output rows have in common are widened once.
template <int kColumns>
class WidenedColumns {
 public:
  /// @param x the first column; those beyond the frame are taken as its last
  __device__ WidenedColumns(const Upsampling& upsampling, const float* map, int x)
      : upsampling_(upsampling), map_(map) {
    for (int i = 0; i < kColumns; i++) {
      taps_[i] = linear_tap(upsampling.column_scale, upsampling.map.width,
                            clamped_index(x + i, upsampling.frame.width));
    }
  }

  /// The columns' values in row y, to be asked for in increasing order.
  __device__ void row(int y, float* out) {
    const LinearTap tap = linear_tap(upsampling_.row_scale, upsampling_.map.height, y);
    if (tap.low != low_row_) {
      take(tap.low, high_row_, high_, low_);
      low_row_ = tap.low;
    }
    if (tap.high != high_row_) {
      take(tap.high, low_row_, low_, high_);
      high_row_ = tap.high;
    }
    for (int i = 0; i < kColumns; i++) out[i] = tap.low_weight * low_[i] + tap.high_weight * high_[i];
  }

 private:
  /// Source row `row`, which `other` holds already where its row is the same.
  __device__ void take(int row, int other_row, const float* other, float* out) const {
    const float* in = map_ + static_cast<size_t>(row) * static_cast<size_t>(upsampling_.map.width);
    for (int i = 0; i < kColumns; i++) {
      const LinearTap& tap = taps_[i];
      out[i] = row == other_row ? other[i] : tap.low_weight * in[tap.low] + tap.high_weight * in[tap.high];
    }
  }

  const Upsampling& upsampling_;
  const float* map_;
  LinearTap taps_[kColumns];
  float low_[kColumns] = {}, high_[kColumns] = {};
  int low_row_ = -1, high_row_ = -1;
};

} // namespace video_depth::cuda

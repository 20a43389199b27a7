// Owns: bilinear resizing with align_corners as PyTorch does it in float32, row by row.
// Must not know: what the rows are for.
#pragma once

#include <cstddef>
#include <vector>

namespace video_depth {

/// For each output position its two neighbours and their weights. Coordinates are float32 products, as in
/// PyTorch's area_pixel_compute_source_index: index = float(i) · float((in − 1) / (out − 1)).
struct BilinearAxis {
  BilinearAxis(int in, int out);

  std::vector<int> low, high;
  std::vector<float> low_weight, high_weight;
};

/// Immutable; shared by all threads.
struct BilinearGeometry {
  BilinearGeometry(int in_width, int in_height, int out_width, int out_height)
      : in_width(in_width), out_width(out_width), columns(in_width, out_width), rows(in_height, out_height) {}

  int in_width, out_width;
  BilinearAxis columns, rows;
};

/// One output row is low_weight · low[x] + high_weight · high[x].
struct RowBlend {
  const float* low;
  const float* high;
  float low_weight, high_weight;
};

/// One map's rows, widened; cheap when rows are asked for in increasing order. For one thread.
class UpsampledRows {
 public:
  static size_t scratch_size(const BilinearGeometry& geometry) {
    return 2 * static_cast<size_t>(geometry.out_width);
  }

  /// @param map [in_height, in_width] float32, borrowed
  /// @param scratch `scratch_size` floats, borrowed; the pointers of a RowBlend lead into it
  UpsampledRows(const BilinearGeometry& geometry, const float* map, float* scratch);

  /// Valid until the next call.
  RowBlend row(int y);

 private:
  const float* widened(int source_row, int other_row);

  const BilinearGeometry& geometry_;
  const float* map_;
  float* buffers_[2];
  int buffered_[2] = {-1, -1};
};

/// out = clamp(scale · row + shift) where clamp keeps NaN and makes what is negative 0.
void write_scaled(const RowBlend& row, float scale, float shift, float* out, int width);

/// out = (1 − weight) · held + weight · clamp(scale · row + shift); `held` and `out` must not overlap.
void write_blended(const RowBlend& row, float scale, float shift, const float* held, double weight,
                   float* out, int width);

} // namespace video_depth

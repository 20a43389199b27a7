// Owns: bilinear resizing with align_corners as PyTorch does it in float32, row by row.
// Must not know: what the rows are for.

#include "image/bilinear.h"

#include "image/taps.h"

namespace video_depth {

namespace {

void widen(const float* __restrict in, const int* __restrict low, const int* __restrict high,
           const float* __restrict low_weight, const float* __restrict high_weight, float* __restrict out,
           int width) {
  for (int x = 0; x < width; x++) out[x] = low_weight[x] * in[low[x]] + high_weight[x] * in[high[x]];
}

void scale_row(const float* __restrict low, const float* __restrict high, float low_weight, float high_weight,
               float scale, float shift, float* __restrict out, int width) {
  for (int x = 0; x < width; x++) {
    const float value = (low_weight * low[x] + high_weight * high[x]) * scale + shift;
    out[x] = value < 0.0f ? 0.0f : value;
  }
}

void blend_row(const float* __restrict low, const float* __restrict high, float low_weight, float high_weight,
               float scale, float shift, const float* __restrict held, float held_weight, float new_weight,
               float* __restrict out, int width) {
  for (int x = 0; x < width; x++) {
    const float value = (low_weight * low[x] + high_weight * high[x]) * scale + shift;
    out[x] = held_weight * held[x] + new_weight * (value < 0.0f ? 0.0f : value);
  }
}

} // namespace

BilinearAxis::BilinearAxis(int in, int out) {
  const float scale = linear_scale(in, out);
  for (int i = 0; i < out; i++) {
    const LinearTap tap = linear_tap(scale, in, i);
    low.push_back(tap.low);
    high.push_back(tap.high);
    low_weight.push_back(tap.low_weight);
    high_weight.push_back(tap.high_weight);
  }
}

UpsampledRows::UpsampledRows(const BilinearGeometry& geometry, const float* map, float* scratch)
    : geometry_(geometry), map_(map), buffers_{scratch, scratch + geometry.out_width} {
}

RowBlend UpsampledRows::row(int y) {
  const auto index = static_cast<size_t>(y);
  const BilinearAxis& rows = geometry_.rows;
  const float* low = widened(rows.low[index], rows.high[index]);
  const float* high = widened(rows.high[index], rows.low[index]);
  return {low, high, rows.low_weight[index], rows.high_weight[index]};
}

const float* UpsampledRows::widened(int source_row, int other_row) {
  for (int i = 0; i < 2; i++) {
    if (buffered_[i] == source_row) return buffers_[i];
  }
  const int free = buffered_[0] == other_row ? 1 : 0;
  const BilinearAxis& columns = geometry_.columns;
  widen(map_ + static_cast<size_t>(source_row) * static_cast<size_t>(geometry_.in_width), columns.low.data(),
        columns.high.data(), columns.low_weight.data(), columns.high_weight.data(), buffers_[free],
        geometry_.out_width);
  buffered_[free] = source_row;
  return buffers_[free];
}

void write_scaled(const RowBlend& row, float scale, float shift, float* out, int width) {
  scale_row(row.low, row.high, row.low_weight, row.high_weight, scale, shift, out, width);
}

void write_blended(const RowBlend& row, float scale, float shift, const float* held, double weight,
                   float* out, int width) {
  blend_row(row.low, row.high, row.low_weight, row.high_weight, scale, shift, held,
            static_cast<float>(1 - weight), static_cast<float>(weight), out, width);
}

} // namespace video_depth

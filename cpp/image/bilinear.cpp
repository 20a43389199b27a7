// Owns: bilinear resizing with align_corners as PyTorch does it in float32, row by row.
// Must not know: what the rows are for.

#include "image/bilinear.h"

#include <algorithm>

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
  const float scale = out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1) : 0.0f;
  for (int i = 0; i < out; i++) {
    const float position = scale * static_cast<float>(i);
    const int index = std::min(static_cast<int>(position), in - 1);
    const float weight = std::min(std::max(position - static_cast<float>(index), 0.0f), 1.0f);
    low.push_back(index);
    high.push_back(std::min(index + 1, in - 1));
    low_weight.push_back(1.0f - weight);
    high_weight.push_back(weight);
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

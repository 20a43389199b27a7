// Owns: maps of pixels with their channels side by side, and what turns one into another: convolutions,
// resizing. Must not know: which part of the network it is.

#include "cpu/maps.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace video_depth::cpu {

namespace {

/// Values that a task takes of a flat array.
constexpr size_t kTaskValues = 1 << 16;
/// Pixels of a 1×1 convolution's task, and rows of its scratch.
constexpr int kTaskPixels = 96;

int tasks_of(size_t count, size_t size) {
  return static_cast<int>((count + size - 1) / size);
}

} // namespace

ResizeAxis::ResizeAxis(int from, int to)
    : left(static_cast<size_t>(to)), step(static_cast<size_t>(to)), weight(static_cast<size_t>(to)) {
  const double scale = to > 1 ? static_cast<double>(from - 1) / (to - 1) : 0.0;
  for (int i = 0; i < to; i++) {
    const auto index = static_cast<size_t>(i);
    const double position = i * scale;
    left[index] = std::min(static_cast<int>(position), from - 1);
    step[index] = left[index] + 1 < from ? 1 : 0;
    weight[index] = static_cast<float>(position - left[index]);
  }
}

MapWorker::MapWorker(const Kernels& kernels, ThreadTeam& team)
    : kernels_(kernels), team_(team), left_(static_cast<size_t>(team.size())) {
}

ByteScale MapWorker::scale_of(const float* in, size_t count, bool relu) {
  const int tasks = tasks_of(count, kTaskValues);
  std::vector<float> least(static_cast<size_t>(tasks));
  std::vector<float> most(static_cast<size_t>(tasks));
  team_.run(tasks, [&](int task, int) {
    const auto index = static_cast<size_t>(task);
    const size_t start = index * kTaskValues;
    kernels_.range(in + start, std::min(kTaskValues, count - start), least[index], most[index]);
  });
  const float low = relu ? 0.0F : *std::min_element(least.begin(), least.end());
  float high = 0;
  for (const float value : most) {
    if (!std::isfinite(value))
      return byte_scale(low, std::numeric_limits<float>::infinity(), kernels_.levels);
    high = std::max(high, value);
  }
  return byte_scale(low, high, kernels_.levels);
}

void MapWorker::convolve(const float* in, const MapSize& size, bool relu, const Linear& weights, int stride,
                         Finish end) {
  const int height = size.height;
  const int width = size.width;
  const int channels = size.channels;
  const ptrdiff_t line = static_cast<ptrdiff_t>(width + 2) * channels;
  const size_t padded = static_cast<size_t>(line) * static_cast<size_t>(height + 2);
  const Arithmetic arithmetic = weights.arithmetic();
  ByteScale scale{};
  if (arithmetic == Arithmetic::int8) {
    scale = scale_of(in, size.values(), relu);
    padded_bytes_.grow(padded);
  } else {
    padded_.grow(padded);
    if (arithmetic == Arithmetic::bfloat16) padded_halves_.grow(padded);
  }
  const auto values = static_cast<size_t>(width) * static_cast<size_t>(channels);
  team_.run(height + 2, [&](int y, int) {
    const bool inside = y > 0 && y <= height;
    const float* from = in + static_cast<ptrdiff_t>(y - 1) * width * channels;
    if (arithmetic == Arithmetic::int8) {
      uint8_t* to = padded_bytes_.data() + y * line;
      std::memset(to, scale.zero, static_cast<size_t>(line));
      if (inside) kernels_.quantize(from, values, relu, scale.inverse, scale.zero, to + channels);
      return;
    }
    float* to = padded_.data() + y * line;
    std::fill(to, to + line, 0.0F);
    if (inside && relu) kernels_.relu(from, values, to + channels);
    if (inside && !relu) std::copy_n(from, values, to + channels);
    if (arithmetic == Arithmetic::bfloat16)
      kernels_.to_bf16(to, static_cast<size_t>(line), padded_halves_.data() + y * line);
  });
  const int out_width = (width + stride - 1) / stride;
  const int out_height = (height + stride - 1) / stride;
  const ptrdiff_t out_line = static_cast<ptrdiff_t>(out_width) * weights.width();
  team_.run(out_height, [&](int y, int) {
    const ptrdiff_t start = static_cast<ptrdiff_t>(y) * stride * line;
    Left left{{nullptr, out_width, static_cast<ptrdiff_t>(stride) * channels, 3 * channels, 3, line},
              {&scale.scale, &scale.zero, 0}};
    if (arithmetic == Arithmetic::int8)
      left.rows.data = padded_bytes_.data() + start;
    else if (arithmetic == Arithmetic::bfloat16)
      left.rows.data = padded_halves_.data() + start;
    else
      left.rows.data = padded_.data() + start;
    Finish row = end;
    row.out = end.out + y * out_line;
    row.stride = row.add_stride = row.add2_stride = weights.width();
    if (end.add != nullptr) row.add = end.add + y * out_line;
    if (end.add2 != nullptr) row.add2 = end.add2 + y * out_line;
    multiply(kernels_, left, weights, row);
  });
}

void MapWorker::project(const float* in, size_t pixels, const Linear& weights, Finish end) {
  const int depth = weights.depth();
  team_.run(tasks_of(pixels, kTaskPixels), [&](int task, int worker) {
    const auto start = static_cast<size_t>(task) * kTaskPixels;
    const int count = static_cast<int>(std::min<size_t>(kTaskPixels, pixels - start));
    Finish rows = end;
    rows.out = end.out + start * static_cast<size_t>(weights.width());
    multiply(kernels_, left_[static_cast<size_t>(worker)], in + start * static_cast<size_t>(depth), depth,
             count, weights, rows);
  });
}

void MapWorker::resize(const float* in, const MapSize& size, int height, int width, float* out) {
  const ResizeAxis down(size.height, height);
  const ResizeAxis across(size.width, width);
  const ptrdiff_t line = static_cast<ptrdiff_t>(size.width) * size.channels;
  team_.run(height, [&](int y, int) {
    const auto index = static_cast<size_t>(y);
    const float* top = in + down.left[index] * line;
    kernels_.resize_row(top, top + down.step[index] * line, down.weight[index], across.left.data(),
                        across.step.data(), across.weight.data(), width, size.channels,
                        out + static_cast<ptrdiff_t>(y) * width * size.channels);
  });
}

} // namespace video_depth::cpu

// Owns: a matrix of weights packed for the kernels, its left sides, and what threads need for products.
// Must not know: which part of the network it is.

#include "cpu/linear.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace video_depth::cpu {

uint16_t to_bfloat16(float value) {
  if (value != value) return 0x7fc0; // NaN: rounding could carry it over to 0
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return static_cast<uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

void Linear::allocate(const float* bias) {
  const size_t padded = static_cast<size_t>(round_up(n_, kColumns));
  const size_t size = padded * static_cast<size_t>(k_);
  if (arithmetic_ == Arithmetic::float32) float32_.grow(size);
  if (arithmetic_ == Arithmetic::bfloat16) bfloat16_.grow(size);
  if (arithmetic_ == Arithmetic::int8) {
    int8_.grow(size);
    scale_.grow(padded);
    sum_.grow(padded);
  }
  if (bias == nullptr) return;
  bias_.grow(padded);
  std::copy(bias, bias + n_, bias_.data());
}

void Linear::set_block(int first, int columns, const float* values) {
  const size_t size = static_cast<size_t>(k_) * kColumns;
  const size_t start = static_cast<size_t>(first / kColumns) * size;
  const int group = group_of(arithmetic_);
  const auto place = [&](int i, int j) {
    return start + static_cast<size_t>((i / group * kColumns + j) * group + i % group);
  };
  if (arithmetic_ == Arithmetic::float32) {
    std::copy_n(values, size, float32_.data() + start);
    return;
  }
  for (int j = 0; j < columns; j++) {
    const auto at = [&](int i) { return values[static_cast<ptrdiff_t>(i) * kColumns + j]; };
    if (arithmetic_ == Arithmetic::bfloat16) {
      for (int i = 0; i < k_; i++) bfloat16_[place(i, j)] = to_bfloat16(at(i));
      continue;
    }
    constexpr float kMost = 127;
    float largest = 0;
    for (int i = 0; i < k_; i++) {
      const float size_of = std::abs(at(i));
      if (!(size_of <= largest)) largest = size_of; // NaN, too
      if (std::isnan(largest)) break;
    }
    // Weights that are not finite leave no level, and a scale that tells.
    const float inverse = largest > kNothing && std::isfinite(largest) ? kMost / largest : 0;
    int32_t sum = 0;
    for (int i = 0; i < k_; i++) {
      const auto level = static_cast<int8_t>(inverse == 0 ? 0.0F : std::nearbyint(at(i) * inverse));
      int8_[place(i, j)] = level;
      sum += level;
    }
    scale_[static_cast<size_t>(first + j)] = largest / kMost;
    sum_[static_cast<size_t>(first + j)] = sum;
  }
}

Columns Linear::columns() const {
  const void* data = arithmetic_ == Arithmetic::float32    ? static_cast<const void*>(float32_.data())
                     : arithmetic_ == Arithmetic::bfloat16 ? static_cast<const void*>(bfloat16_.data())
                                                           : static_cast<const void*>(int8_.data());
  return {data,          n_,         kColumns * group_of(arithmetic_), static_cast<ptrdiff_t>(k_) * kColumns,
          scale_.data(), sum_.data()};
}

Left LeftScratch::prepare(const Kernels& kernels, Arithmetic arithmetic, const float* x, ptrdiff_t stride,
                          int count, int depth) {
  const size_t size = static_cast<size_t>(count) * static_cast<size_t>(depth);
  switch (arithmetic) {
    case Arithmetic::float32:
      return {{x, count, stride, depth}, {}};
    case Arithmetic::bfloat16: {
      uint16_t* halves = halves_.grow(size);
      for (int row = 0; row < count; row++) {
        kernels.to_bf16(x + row * stride, static_cast<size_t>(depth),
                        halves + static_cast<ptrdiff_t>(row) * depth);
      }
      return {{halves, count, depth, depth}, {}};
    }
    case Arithmetic::int8:
      break;
  }
  uint8_t* bytes = bytes_.grow(size);
  float* scale = scale_.grow(static_cast<size_t>(count));
  int32_t* zero = zero_.grow(static_cast<size_t>(count));
  kernels.quantize_rows(x, stride, count, depth, bytes, scale, zero);
  return {{bytes, count, depth, depth}, {scale, zero, 1}};
}

void multiply(const Kernels& kernels, const Left& left, const Linear& weights, Finish finish) {
  if (finish.bias == nullptr) finish.bias = weights.bias();
  switch (weights.arithmetic()) {
    case Arithmetic::float32:
      return kernels.product_f32(left.rows, weights.columns(), finish);
    case Arithmetic::bfloat16:
      return kernels.product_bf16(left.rows, weights.columns(), finish);
    case Arithmetic::int8:
      return kernels.product_int8(left.rows, left.quantization, weights.columns(), finish);
  }
}

void multiply(const Kernels& kernels, LeftScratch& scratch, const float* x, ptrdiff_t stride, int count,
              const Linear& weights, Finish finish) {
  if (finish.stride == 0) finish.stride = finish.add_stride = finish.add2_stride = weights.width();
  multiply(kernels, scratch.prepare(kernels, weights.arithmetic(), x, stride, count, weights.depth()),
           weights, finish);
}

} // namespace video_depth::cpu

// Owns: a matrix of weights packed for the kernels, its left sides, and what threads need for products.
// Must not know: which part of the network it is.
#pragma once

#include "cpu/buffer.h"
#include "cpu/kernels.h"

namespace video_depth::cpu {

/// What a product's operands are rounded to; sums are float32 or exact.
enum class Arithmetic { float32, bfloat16, int8 };

constexpr int group_of(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::int8 ? 4 : arithmetic == Arithmetic::bfloat16 ? 2 : 1;
}

/// Left sides are as wide as a multiple of this, filled up with zeros.
constexpr int kDepthMultiple = 16;

uint16_t to_bfloat16(float value);

/// [k, n] and a bias.
class Linear {
 public:
  Linear() = default;

  /// @param at(k, n) the weight; @param bias n values, or null
  template <class At>
  Linear(Arithmetic arithmetic, int k, int n, const float* bias, const At& at)
      : arithmetic_(arithmetic), k_(round_up(k, kDepthMultiple)), n_(n) {
    allocate(bias);
    Buffer<float> block(static_cast<size_t>(k_) * kColumns); // [k, 16], zeros where there are no weights
    for (int first = 0; first < n; first += kColumns) {
      const int columns = n - first < kColumns ? n - first : kColumns;
      for (int i = 0; i < k; i++) {
        float* row = block.data() + static_cast<ptrdiff_t>(i) * kColumns;
        for (int j = 0; j < kColumns; j++) row[j] = j < columns ? at(i, first + j) : 0.0F;
      }
      set_block(first, columns, block.data());
    }
  }

  Arithmetic arithmetic() const { return arithmetic_; }
  /// Width of a left side.
  int depth() const { return k_; }
  int width() const { return n_; }
  size_t bytes() const { return float32_.size() * 4 + bfloat16_.size() * 2 + int8_.size(); }
  /// Null without one.
  const float* bias() const { return bias_.data(); }
  Columns columns() const;

 private:
  void allocate(const float* bias);
  void set_block(int first, int columns, const float* values);

  Arithmetic arithmetic_ = Arithmetic::float32;
  int k_ = 0;
  int n_ = 0;
  Buffer<float> float32_;
  Buffer<uint16_t> bfloat16_;
  Buffer<int8_t> int8_;
  Buffer<float> scale_;
  Buffer<int32_t> sum_;
  Buffer<float> bias_;
};

/// A left side as its arithmetic takes it, in a thread's own memory.
struct Left {
  Rows rows;
  Quantization quantization;
};

/// One thread's memory for left sides.
class LeftScratch {
 public:
  /// `count` rows of `depth` values, `stride` apart. Valid until the next call; of float32 it is `x` itself.
  Left prepare(const Kernels& kernels, Arithmetic arithmetic, const float* x, ptrdiff_t stride, int count,
               int depth);

 private:
  Buffer<uint8_t> bytes_;
  Buffer<uint16_t> halves_;
  Buffer<float> scale_;
  Buffer<int32_t> zero_;
};

/// The product with `weights`, whose bias is added where `finish` has none.
void multiply(const Kernels& kernels, const Left& left, const Linear& weights, Finish finish);

/// The same of `count` float32 rows, `stride` apart. Where `finish.stride` is 0, its rows lie together, and
/// those of `add`.
void multiply(const Kernels& kernels, LeftScratch& scratch, const float* x, ptrdiff_t stride, int count,
              const Linear& weights, Finish finish);

} // namespace video_depth::cpu

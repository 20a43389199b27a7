// Owns: what the network on a processor is computed with: one table of functions an instruction set, and
// their operands. Must not know: networks, threads, files.
#pragma once

// Functions here are static: kernels are compiled for other processors, and the linker keeps any one copy of
// a function.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace video_depth::cpu {

/// Columns that lie together in packed weights.
constexpr int kColumns = 16;

static constexpr int round_up(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// The right side of a product, [K, N], in blocks of 16 columns: block j is [K / group][16][group], group
/// being 1 for float32, 2 for bfloat16, 4 for int8. The last block is read in full: any numbers may stand
/// behind its columns.
struct Columns {
  const void* data = nullptr;
  /// Columns that there are.
  int n = 0;
  /// Elements from one group of rows to the next (packed: 16 · group), and from one block to the next.
  ptrdiff_t step = 0;
  ptrdiff_t block = 0;
  /// int8 only: what a column's values are multiplied by, and its sum.
  const float* scale = nullptr;
  const int32_t* sum = nullptr;
};

/// The left side of a product: each row is `segments` runs of `length` elements, so that a convolution's
/// window over a padded map is one. Distances in elements.
struct Rows {
  const void* data = nullptr;
  int count = 0;
  ptrdiff_t stride = 0;
  int length = 0;
  int segments = 1;
  ptrdiff_t segment_stride = 0;
};

/// How 8-bit rows stand for numbers: scale · (value − zero).
struct Quantization {
  const float* scale = nullptr;
  const int32_t* zero = nullptr;
  /// 1: one a row; 0: one for all rows.
  int step = 1;
};

enum class Activation { none, relu, gelu };

/// Bytes for values from `least` ≤ 0 to `most` ≥ 0: value = scale · (byte − zero), byte = value · inverse +
/// zero.
struct ByteScale {
  float scale;
  float inverse;
  int32_t zero;
};

/// Values up to this, either way, count as 0 where they become bytes: 255 over it is still finite.
constexpr float kNothing = 1.0e-30F;

/// Where the range is not finite, the scale is not, so that what is computed with it is not either.
static inline ByteScale byte_scale(float least, float most, int levels) {
  const float span = most - least;
  constexpr float kLargest = 3.40282347e38F;
  if (!(span > kNothing && span <= kLargest)) return {span, 0, 0};
  const float inverse = static_cast<float>(levels) / span;
  return {span / static_cast<float>(levels), inverse, static_cast<int32_t>(-least * inverse + 0.5F)};
}

/// What becomes of a product's values: v = activation(product + bias); out = (v · gamma) + add + add2.
struct Finish {
  float* out = nullptr;
  ptrdiff_t stride = 0;
  const float* bias = nullptr; // each may be null
  Activation activation = Activation::none;
  const float* gamma = nullptr;
  const float* add = nullptr;
  ptrdiff_t add_stride = 0;
  const float* add2 = nullptr;
  ptrdiff_t add2_stride = 0;
};

struct Norm {
  const float* weight = nullptr;
  const float* bias = nullptr;
  float epsilon = 0;
};

struct Kernels {
  const char* name;
  /// Largest 8-bit activation: 127 where sums of two products of bytes would not fit 16 bits, else 255.
  int levels;
  /// Whether the processor multiplies bfloat16.
  bool has_bf16;

  void (*product_f32)(const Rows&, const Columns&, const Finish&);
  void (*product_int8)(const Rows&, const Quantization&, const Columns&, const Finish&);
  /// Null without has_bf16.
  void (*product_bf16)(const Rows&, const Columns&, const Finish&);

  /// LayerNorm of `rows` rows, `stride` apart, to rows that lie together; `add` (may be null) is added to
  /// each, row r taking add + (r % period) · width.
  void (*layer_norm)(const float* x, ptrdiff_t stride, int rows, int width, const Norm&, const float* add,
                     int period, float* out);
  /// Each row by its own range, which has 0 in it.
  void (*quantize_rows)(const float* x, ptrdiff_t stride, int rows, int width, uint8_t* out, float* scale,
                        int32_t* zero);
  /// Least and largest value, 0 among them; `most` is not finite where a value is not.
  void (*range)(const float* x, size_t count, float& least, float& most);
  /// `x` (below 0 as 0 where `relu`) · inverse + zero, rounded.
  void (*quantize)(const float* x, size_t count, bool relu, float inverse, int zero, uint8_t* out);
  void (*relu)(const float* x, size_t count, float* out);
  /// To bfloat16, nearest even. Any processor.
  void (*to_bf16)(const float* x, size_t count, uint16_t* out);

  /// Softmax of the first `width` values of each row, without the division: e^(x − max); behind them, up to
  /// `padded`, zeros. In place, or to bfloat16 where `half` is not null. `sums` receives what to divide by.
  void (*softmax)(float* x, ptrdiff_t stride, int rows, int width, int padded, uint16_t* half, float* sums);
  /// Symmetric bytes of 64-wide keys, one scale a key, as Columns of int8: for keys first … first + count
  /// − 1.
  void (*pack_keys_int8)(const float* keys, ptrdiff_t stride, int first, int count, int8_t* out, float* scale,
                         int32_t* sum);
  /// [rows, cols] → [cols, rows], any sizes.
  void (*transpose)(const float* x, ptrdiff_t stride, int rows, int cols, float* out, ptrdiff_t out_stride);
  /// out = (x − centre) · scale + shift, element by element over `width`.
  void (*affine)(const float* x, const float* centre, const float* scale, const float* shift, int width,
                 float* out);
  /// values · gates, in place of values.
  void (*gate)(float* values, const float* gates, size_t count);
  void (*multiply)(float* x, float factor, size_t count);
  void (*add)(const float* x, const float* y, size_t count, float* out);
  /// The same of bfloat16 `x`. Any processor.
  void (*add_bf16)(const uint16_t* x, const float* y, size_t count, float* out);
  /// Adds each channel's distances from `origin`, and their squares, to `sums` and `squares`.
  void (*channel_sums)(const float* x, int pixels, int channels, const float* origin, float* sums,
                       float* squares);
  /// One row of a bilinear resize: pixel x is between pixels left[x] and left[x] + step[x] of two rows.
  void (*resize_row)(const float* top, const float* bottom, float weight, const int* left, const int* step,
                     const float* weights, int width, int channels, float* out);
  /// max(0, Σ x · w + bias) of each pixel.
  void (*project_to_depth)(const float* x, int pixels, int channels, const float* w, float bias, float* out);
};

/// What this build has and this processor runs, fastest first.
const std::vector<const Kernels*>& available_kernels();

} // namespace video_depth::cpu

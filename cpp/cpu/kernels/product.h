// Owns: products of rows with packed columns in float32, bfloat16 and int8, and what becomes of their values.
// Must not know: what is multiplied, threads.
#pragma once

#include "cpu/kernels.h"
#include "cpu/kernels/simd.h"

namespace video_depth::VIDEO_DEPTH_KERNELS {

using cpu::Activation;
using cpu::Columns;
using cpu::Finish;
using cpu::kColumns;
using cpu::Quantization;
using cpu::Rows;

constexpr int kVectors = kColumns / kLanes; // a block of columns

/// What all rows of a tile share, for one vector of columns.
struct ColumnEnd {
  ColumnEnd(const Finish& f, int first_column, int n)
      : column(first_column),
        mask(first(least(kLanes, n - first_column))),
        bias(f.bias == nullptr ? all(0.0F) : load_part(f.bias + column, mask)),
        gamma(f.gamma == nullptr ? all(1.0F) : load_part(f.gamma + column, mask)) {}
  int column;
  Mask mask;
  Vf bias;
  Vf gamma;
};

inline void finish(const Finish& f, int row, const ColumnEnd& c, Vf v) {
  v = v + c.bias;
  if (f.activation == Activation::relu) v = larger(all(0.0F), v);
  if (f.activation == Activation::gelu) v = gelu(v);
  if (f.gamma != nullptr) v = v * c.gamma;
  if (f.add != nullptr) v = v + load_part(f.add + row * f.add_stride + c.column, c.mask);
  if (f.add2 != nullptr) v = v + load_part(f.add2 + row * f.add2_stride + c.column, c.mask);
  store_part(f.out + row * f.stride + c.column, c.mask, v);
}

struct InFloat32 {
  using Element = float;
  using Weight = float;
  using Sum = Vf;
  static constexpr int kGroup = 1;
  static constexpr int kRows = kTileRows;
  static Sum zero() { return all(0.0F); }
  static Vf left(const float* p) { return all(*p); }
  static Vf right(const float* p) { return load(p); }
  static Sum add(Sum sum, Vf left, Vf right) { return fma(left, right, sum); }
  struct Scales {
    Scales(const Columns&, const ColumnEnd&) {}
  };
  static Vf value(Sum sum, const Quantization&, const Scales&, int) { return sum; }
};

struct InInt8 : Bytes {
  using Element = uint8_t;
  using Weight = int8_t;
  static constexpr int kGroup = 4;
  static constexpr int kRows = Bytes::kTileRows;
  struct Scales {
    Scales(const Columns& c, const ColumnEnd& end)
        : scale(load_part(c.scale + end.column, end.mask)),
          sum(load_integers_part(c.sum + end.column, end.mask)) {}
    Vf scale;
    Vi sum;
  };
  static Vf value(Sum sum, const Quantization& q, const Scales& c, int row) {
    const Vi offset = less(total(sum), all_integers(q.zero[row * q.step]), c.sum);
    return to_floats(offset) * (all(q.scale[row * q.step]) * c.scale);
  }
};

#if defined(VIDEO_DEPTH_KERNELS_HALVES)
struct InBfloat16 : Halves {
  using Element = uint16_t;
  using Weight = uint16_t;
  using Sum = Vf;
  static constexpr int kGroup = 2;
  static constexpr int kRows = kTileRows;
  static Sum zero() { return all(0.0F); }
  struct Scales {
    Scales(const Columns&, const ColumnEnd&) {}
  };
  static Vf value(Sum sum, const Quantization&, const Scales&, int) { return sum; }
};
#endif

struct Operands {
  const Rows& rows;
  const Quantization& quantization;
  const Columns& columns;
  const Finish& end;
};

template <class In, int kRows, int kBlocks>
inline void tile(const Operands& o, int row, int block) {
  constexpr int kWidth = kBlocks * kVectors;
  typename In::Sum sums[kRows][kWidth];
#pragma GCC unroll 8
  for (auto& line : sums) {
#pragma GCC unroll 8
    for (auto& sum : line) sum = In::zero();
  }
  const Rows& rows = o.rows;
  const auto* right = static_cast<const typename In::Weight*>(o.columns.data) + block * o.columns.block;
  const auto* start = static_cast<const typename In::Element*>(rows.data) + row * rows.stride;
  for (int segment = 0; segment < rows.segments; segment++, start += rows.segment_stride) {
    const auto* left = start;
    for (int k = 0; k < rows.length; k += In::kGroup, left += In::kGroup, right += o.columns.step) {
      decltype(In::right(right)) weights[kWidth];
#pragma GCC unroll 8
      for (int v = 0; v < kWidth; v++) {
        weights[v] =
            In::right(right + (v / kVectors) * o.columns.block + (v % kVectors) * kLanes * In::kGroup);
      }
#pragma GCC unroll 8
      for (int r = 0; r < kRows; r++) {
        const auto value = In::left(left + r * rows.stride);
#pragma GCC unroll 8
        for (int v = 0; v < kWidth; v++) sums[r][v] = In::add(sums[r][v], value, weights[v]);
      }
    }
  }
#pragma GCC unroll 8
  for (int v = 0; v < kWidth; v++) {
    const int column = block * kColumns + v * kLanes;
    if (column >= o.columns.n) break;
    const ColumnEnd end(o.end, column, o.columns.n);
    const typename In::Scales scales(o.columns, end);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; r++) {
      finish(o.end, row + r, end, In::value(sums[r][v], o.quantization, scales, row + r));
    }
  }
}

/// The last rows, fewer than a tile has.
template <class In, int kBlocks, int kRows>
void rest(const Operands& o, int row, int block) {
  if constexpr (kRows > 0) {
    if (o.rows.count - row == kRows)
      tile<In, kRows, kBlocks>(o, row, block);
    else
      rest<In, kBlocks, kRows - 1>(o, row, block);
  }
}

template <class In, int kBlocks>
void panel(const Operands& o, int block) {
  int row = 0;
  for (; row + In::kRows <= o.rows.count; row += In::kRows) tile<In, In::kRows, kBlocks>(o, row, block);
  rest<In, kBlocks, In::kRows - 1>(o, row, block);
}

template <class In>
void product(const Rows& rows, const Quantization& quantization, const Columns& columns, const Finish& end) {
  const Operands o{rows, quantization, columns, end};
  const int blocks = (columns.n + kColumns - 1) / kColumns;
  for (int block = 0; block < blocks; block += kTileBlocks) {
    if constexpr (kTileBlocks == 1) {
      panel<In, 1>(o, block);
    } else {
      switch (least(kTileBlocks, blocks - block)) {
        case 1:
          panel<In, 1>(o, block);
          break;
        case 2:
          panel<In, 2>(o, block);
          break;
        case 3:
          panel<In, 3>(o, block);
          break;
        default:
          panel<In, 4>(o, block);
          break;
      }
    }
  }
}

} // namespace video_depth::VIDEO_DEPTH_KERNELS

// Owns: preprocessing: a block makes kTileRows rows of kTileColumns pixels each.
// Must not know: what the tensor is for.
//
// Rows are mixed before columns, in float32 without contraction, as video_depth::preprocess does: the same
// bits up to normalisation, which takes float32 pairs instead of float64.

#include <cmath>
#include <cstdint>

#include "cuda/float16.h"
#include "cuda/kernels.h"
#include "cuda/launch.cuh"
#include "cuda/launch_checks.h"
#include "image/pixel_format.h"
#include "image/preprocess.h"
#include "image/taps.h"

namespace video_depth::cuda {

namespace {

constexpr int kTileColumns = 128;
constexpr int kTileRows = 2;

struct PreprocessTask {
  PreprocessTask(const PictureView& picture, void* out, Element element, Extent size)
      : data(picture.data),
        stride(picture.stride_bytes),
        in{picture.width, picture.height},
        out(out),
        element(element),
        size(size),
        column_scale(cubic_scale(picture.width, size.width)),
        row_scale(cubic_scale(picture.height, size.height)) {
    for (int c = 0; c < 3; c++) {
      mean[c] = static_cast<float>(kPixelMean[c]);
      mean_rest[c] = static_cast<float>(kPixelMean[c] - static_cast<double>(mean[c]));
      factor[c] = static_cast<float>(1 / kPixelStd[c]);
      factor_rest[c] = static_cast<float>(1 / kPixelStd[c] - static_cast<double>(factor[c]));
    }
    const double columns = (kTileColumns - 1) * column_scale + kCubicTaps + 1;
    const int most = kCubicTaps * kTileColumns;
    items = columns < most ? static_cast<int>(columns) : most;
  }

  size_t mixed_bytes() const { return sizeof(float) * 3 * kTileRows * static_cast<size_t>(items); }

  const uint8_t* data;
  size_t stride;
  Extent in;
  void* out;
  Element element;
  Extent size;
  double column_scale, row_scale;
  /// Pairs whose sum is the constant of float64.
  float mean[3], mean_rest[3], factor[3], factor_rest[3];
  /// The most source columns, or taps where these are fewer, that a row of a tile has: the pitch of `mixed`.
  int items;
};

/// What a block's threads share, beside `mixed` [kTileRows, 3, items].
struct PreprocessTile {
  CubicTap columns[kTileColumns];
  CubicTap rows[kTileRows];
};

template <PixelFormat kFormat>
constexpr bool kNeedsTables =
    kFormat == PixelFormat::kGray8 || kFormat == PixelFormat::kNv12 || kFormat == PixelFormat::kYuyv422;

struct Rgb {
  uint8_t value[3];
};

__device__ Rgb yuv_pixel(const YuvTables& tables, uint8_t y, uint8_t u, uint8_t v) {
  const int luma = tables.luma[y];
  return {{tables.clamp[(luma + tables.red_v[v]) >> YuvTables::kBits],
           tables.clamp[(luma + tables.green_u[u] + tables.green_v[v]) >> YuvTables::kBits],
           tables.clamp[(luma + tables.blue_u[u]) >> YuvTables::kBits]}};
}

/// @param tables not looked at where the format needs none
template <PixelFormat kFormat>
__device__ Rgb read_pixel(const PreprocessTask& task, const YuvTables& tables, int row, int column) {
  const uint8_t* in = task.data + task.stride * static_cast<size_t>(row);
  const auto x = static_cast<size_t>(column);
  if constexpr (kFormat == PixelFormat::kRgb24) return {{in[3 * x], in[3 * x + 1], in[3 * x + 2]}};
  if constexpr (kFormat == PixelFormat::kBgr24) return {{in[3 * x + 2], in[3 * x + 1], in[3 * x]}};
  if constexpr (kFormat == PixelFormat::kRgba) return {{in[4 * x], in[4 * x + 1], in[4 * x + 2]}};
  if constexpr (kFormat == PixelFormat::kBgra) return {{in[4 * x + 2], in[4 * x + 1], in[4 * x]}};
  if constexpr (kFormat == PixelFormat::kGray8) {
    const uint8_t gray = tables.clamp[tables.luma[in[x]] >> YuvTables::kBits];
    return {{gray, gray, gray}};
  }
  if constexpr (kFormat == PixelFormat::kNv12) {
    const uint8_t* chroma = task.data + task.stride * static_cast<size_t>(task.in.height + row / 2);
    return yuv_pixel(tables, in[x], chroma[x / 2 * 2], chroma[x / 2 * 2 + 1]);
  }
  if constexpr (kFormat == PixelFormat::kYuyv422) {
    return yuv_pixel(tables, in[2 * x], in[x / 2 * 4 + 1], in[x / 2 * 4 + 3]);
  }
}

/// float32(byte) / 255, rounded as a division would be: the two factors' sum is 1/255 to 48 bits, and every
/// byte was compared.
__device__ float part_of_255(uint8_t byte) {
  constexpr float high = static_cast<float>(1 / 255.0);
  constexpr float low = static_cast<float>(1 / 255.0 - static_cast<double>(high));
  const auto value = static_cast<float>(byte);
  return fmaf(value, high, value * low);
}

/// Source columns that a tile looks at: as they follow one another, or tap by tap where that is less.
struct TileColumns {
  __device__ TileColumns(const PreprocessTask& task, const PreprocessTile& tile) : in_width(task.in.width) {
    const int left = task.size.width - static_cast<int>(blockIdx.x) * kTileColumns;
    outputs = left < kTileColumns ? left : kTileColumns;
    begin = clamped_index(tile.columns[0].first, in_width);
    const int end = clamped_index(tile.columns[outputs - 1].first + kCubicTaps - 1, in_width) + 1;
    follow = end - begin <= kCubicTaps * outputs;
    items = follow ? end - begin : kCubicTaps * outputs;
  }

  __device__ int column_of(const PreprocessTile& tile, int item) const {
    if (follow) return begin + item;
    return clamped_index(tile.columns[item / kCubicTaps].first + item % kCubicTaps, in_width);
  }
  __device__ int item_of(const PreprocessTile& tile, int output, int tap) const {
    if (!follow) return output * kCubicTaps + tap;
    return clamped_index(tile.columns[output].first + tap, in_width) - begin;
  }

  int in_width, outputs, begin, items;
  bool follow;
};

constexpr size_t kTableWords = sizeof(YuvTables) / sizeof(uint4);
static_assert(sizeof(YuvTables) % sizeof(uint4) == 0, "tables are copied in whole words");

/// By matrix and range.
alignas(uint4) __device__ const YuvTables kYuvTables[2][2] = {
    {YuvTables::of(ColorMatrix::kBt601, ColorRange::kLimited),
     YuvTables::of(ColorMatrix::kBt601, ColorRange::kFull)},
    {YuvTables::of(ColorMatrix::kBt709, ColorRange::kLimited),
     YuvTables::of(ColorMatrix::kBt709, ColorRange::kFull)}};

/// Source rows → `mixed`.
template <PixelFormat kFormat>
__device__ void mix_rows(const PreprocessTask& task, const PreprocessTile& tile, const YuvTables& tables,
                         float* mixed) {
  const TileColumns columns(task, tile);
  const auto y = static_cast<int>(blockIdx.y) * kTileRows;
  for (auto item = static_cast<int>(threadIdx.x); item < columns.items; item += kTileColumns) {
    const int column = columns.column_of(tile, item);
    for (int r = 0; r < kTileRows && y + r < task.size.height; r++) {
      const CubicTap& rows = tile.rows[r];
      float sum[3] = {};
      for (int tap = 0; tap < kCubicTaps; tap++) {
        const int row = clamped_index(rows.first + tap, task.in.height);
        const Rgb pixel = read_pixel<kFormat>(task, tables, row, column);
        for (int c = 0; c < 3; c++) {
          const float part = rows.weight[tap] * part_of_255(pixel.value[c]);
          sum[c] = tap == 0 ? part : sum[c] + part;
        }
      }
      for (int c = 0; c < 3; c++) mixed[(r * 3 + c) * task.items + item] = sum[c];
    }
  }
}

/// `mixed` → out.
__device__ void write_pixels(const PreprocessTask& task, const PreprocessTile& tile, const float* mixed) {
  const TileColumns columns(task, tile);
  const auto thread = static_cast<int>(threadIdx.x);
  if (thread >= columns.outputs) return;
  const CubicTap& taps = tile.columns[thread];
  const size_t plane = static_cast<size_t>(task.size.width) * static_cast<size_t>(task.size.height);
  const auto width = static_cast<size_t>(task.size.width);
  for (unsigned r = 0; r < kTileRows; r++) {
    const unsigned y = blockIdx.y * kTileRows + r;
    if (y >= static_cast<unsigned>(task.size.height)) return;
    const size_t at = y * width + blockIdx.x * kTileColumns + threadIdx.x;
    for (int c = 0; c < 3; c++) {
      const float* row = mixed + (static_cast<int>(r) * 3 + c) * task.items;
      float value = taps.weight[0] * row[columns.item_of(tile, thread, 0)];
      for (int tap = 1; tap < kCubicTaps; tap++) {
        value += taps.weight[tap] * row[columns.item_of(tile, thread, tap)];
      }
      const float centred = (value - task.mean[c]) - task.mean_rest[c];
      const float result = centred * task.factor[c] + centred * task.factor_rest[c];
      const size_t to = static_cast<size_t>(c) * plane + at;
      if (task.element == Element::kFloat32) {
        static_cast<float*>(task.out)[to] = result;
      } else {
        static_cast<uint16_t*>(task.out)[to] = float16_bits(result);
      }
    }
  }
}

template <PixelFormat kFormat>
__global__ void __launch_bounds__(kTileColumns)
    preprocess_kernel(const PreprocessTask __grid_constant__ task, int matrix, int range) {
  static __shared__ PreprocessTile tile;
  static __shared__ uint4 table_words[kNeedsTables<kFormat> ? kTableWords : 1];
  auto* mixed = reinterpret_cast<float*>(dynamic_words);
  if constexpr (kNeedsTables<kFormat>) {
    const auto* from = reinterpret_cast<const uint4*>(&kYuvTables[matrix][range]);
    for (size_t i = threadIdx.x; i < kTableWords; i += kTileColumns) table_words[i] = from[i];
  }
  // Positions beyond the last are taken, too, but never looked at.
  const auto thread = static_cast<int>(threadIdx.x);
  const auto x = static_cast<int>(blockIdx.x) * kTileColumns, y = static_cast<int>(blockIdx.y) * kTileRows;
  tile.columns[thread] = cubic_tap(task.column_scale, x + thread);
  if (thread < kTileRows) tile.rows[thread] = cubic_tap(task.row_scale, y + thread);
  __syncthreads();
  mix_rows<kFormat>(task, tile, *reinterpret_cast<const YuvTables*>(table_words), mixed);
  __syncthreads();
  write_pixels(task, tile, mixed);
}

template <PixelFormat kFormat>
cudaError_t launch_format(const PreprocessTask& task, const PictureView& picture, cudaStream_t stream) {
  const dim3 blocks(grid_side(static_cast<size_t>(task.size.width), kTileColumns),
                    grid_side(static_cast<size_t>(task.size.height), kTileRows));
  return launch(preprocess_kernel<kFormat>, {blocks, kTileColumns, task.mixed_bytes()}, stream, task,
                picture.matrix == ColorMatrix::kBt601 ? 0 : 1, picture.range == ColorRange::kLimited ? 0 : 1);
}

} // namespace

cudaError_t launch_preprocess(const PictureView& picture, void* out, Element element, Extent size,
                              cudaStream_t stream) {
  if (!preprocess_fits(picture, out, element, size)) return cudaErrorInvalidValue;
  const PreprocessTask task(picture, out, element, size);
  switch (picture.format) {
    case PixelFormat::kRgb24:
      return launch_format<PixelFormat::kRgb24>(task, picture, stream);
    case PixelFormat::kBgr24:
      return launch_format<PixelFormat::kBgr24>(task, picture, stream);
    case PixelFormat::kRgba:
      return launch_format<PixelFormat::kRgba>(task, picture, stream);
    case PixelFormat::kBgra:
      return launch_format<PixelFormat::kBgra>(task, picture, stream);
    case PixelFormat::kGray8:
      return launch_format<PixelFormat::kGray8>(task, picture, stream);
    case PixelFormat::kNv12:
      return launch_format<PixelFormat::kNv12>(task, picture, stream);
    case PixelFormat::kYuyv422:
      return launch_format<PixelFormat::kYuyv422>(task, picture, stream);
  }
  return cudaErrorInvalidValue;
}

} // namespace video_depth::cuda

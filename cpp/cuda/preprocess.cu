// Owns: launching preprocessing.
// Must not know: what the tensor is for.

#include "cuda/bodies/preprocess.h"

#include "cuda/kernels.h"
#include "cuda/launch.cuh"
#include "cuda/launch_checks.h"

namespace video_depth::cuda {

namespace {

constexpr size_t kTableWords = sizeof(YuvTables) / sizeof(uint4);
static_assert(sizeof(YuvTables) % sizeof(uint4) == 0, "tables are copied in whole words");

/// By matrix and range.
alignas(uint4) __device__ const YuvTables kYuvTables[2][2] = {
    {YuvTables::of(ColorMatrix::kBt601, ColorRange::kLimited),
     YuvTables::of(ColorMatrix::kBt601, ColorRange::kFull)},
    {YuvTables::of(ColorMatrix::kBt709, ColorRange::kLimited),
     YuvTables::of(ColorMatrix::kBt709, ColorRange::kFull)}};

template <PixelFormat kFormat>
__global__ void __launch_bounds__(kTileColumns)
    preprocess_kernel(const __grid_constant__ PreprocessTask task, int matrix, int range) {
  extern __shared__ float mixed[];
  __shared__ PreprocessTile tile;
  __shared__ uint4 table_words[kNeedsTables<kFormat> ? kTableWords : 1];
  const auto thread = static_cast<int>(threadIdx.x);
  const auto tile_x = static_cast<int>(blockIdx.x), tile_y = static_cast<int>(blockIdx.y);
  if constexpr (kNeedsTables<kFormat>) {
    const auto* from = reinterpret_cast<const uint4*>(&kYuvTables[matrix][range]);
    for (size_t i = threadIdx.x; i < kTableWords; i += kTileColumns) table_words[i] = from[i];
  }
  const auto& tables = *reinterpret_cast<const YuvTables*>(table_words);
  preprocess_taps(task, tile, tile_x, tile_y, thread);
  __syncthreads();
  preprocess_mix<kFormat>(task, tile, tables, mixed, tile_x, tile_y, thread);
  __syncthreads();
  preprocess_write(task, tile, mixed, tile_x, tile_y, thread);
}

template <PixelFormat kFormat>
cudaError_t launch(const PreprocessTask& task, const PictureView& picture, cudaStream_t stream) {
  const dim3 grid(grid_side(static_cast<size_t>(task.size.width), kTileColumns),
                  grid_side(static_cast<size_t>(task.size.height), kTileRows));
  preprocess_kernel<kFormat><<<grid, kTileColumns, task.mixed_bytes(), stream>>>(
      task, picture.matrix == ColorMatrix::kBt601 ? 0 : 1, picture.range == ColorRange::kLimited ? 0 : 1);
  return cudaGetLastError();
}

} // namespace

cudaError_t launch_preprocess(const PictureView& picture, void* out, Element element, Extent size,
                              cudaStream_t stream) {
  if (!preprocess_fits(picture, out, element, size)) return cudaErrorInvalidValue;
  const PreprocessTask task(picture, out, element, size);
  switch (picture.format) {
    case PixelFormat::kRgb24:
      return launch<PixelFormat::kRgb24>(task, picture, stream);
    case PixelFormat::kBgr24:
      return launch<PixelFormat::kBgr24>(task, picture, stream);
    case PixelFormat::kRgba:
      return launch<PixelFormat::kRgba>(task, picture, stream);
    case PixelFormat::kBgra:
      return launch<PixelFormat::kBgra>(task, picture, stream);
    case PixelFormat::kGray8:
      return launch<PixelFormat::kGray8>(task, picture, stream);
    case PixelFormat::kNv12:
      return launch<PixelFormat::kNv12>(task, picture, stream);
    case PixelFormat::kYuyv422:
      return launch<PixelFormat::kYuyv422>(task, picture, stream);
  }
  return cudaErrorInvalidValue;
}

} // namespace video_depth::cuda

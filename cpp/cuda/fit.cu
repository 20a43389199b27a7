// Owns: launching fits: blocks' sums, and then one block that brings them together.
// Must not know: what the maps show.

#include "cuda/bodies/fit.h"

#include "cuda/kernels.h"
#include "cuda/launch.cuh"
#include "cuda/launch_checks.h"

namespace video_depth::cuda {

namespace {

__global__ void __launch_bounds__(kFitThreads)
    fit_kernel(const __grid_constant__ FitTask task, bool is_wide, FitParts* parts) {
  __shared__ FitParts shared[kFitThreads];
  reduce_block(shared, fit_strip(task, is_wide, static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y),
                                 static_cast<int>(blockIdx.z), static_cast<int>(threadIdx.x)));
  const size_t strip = static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y;
  if (threadIdx.x == 0) parts[strip * gridDim.x + blockIdx.x] = shared[0];
}

__global__ void __launch_bounds__(kFinishThreads)
    finish_fit_kernel(const FitParts* parts, size_t pair_parts, const __grid_constant__ FitScales scales,
                      int count, double values, DeviceFit* fit) {
  __shared__ FitParts shared[kFinishThreads];
  __shared__ FitParts each[kMostFitPairs];
  const auto thread = static_cast<int>(threadIdx.x);
  for (int pair = 0; pair < count; pair++) {
    reduce_block(shared, share_of(parts + static_cast<size_t>(pair) * pair_parts, pair_parts, thread));
    if (thread == 0) each[pair] = shared[0];
    __syncthreads(); // shared is written again
  }
  reduce_block(shared, share_of(parts, pair_parts * static_cast<size_t>(count), thread));
  if (thread == 0) *fit = window_fit_from(shared[0], each, scales, count, values);
}

__global__ void __launch_bounds__(kFitThreads)
    map_sums_kernel(const float* prediction, const float* target, size_t count, FitParts* parts) {
  __shared__ FitParts shared[kFitThreads];
  reduce_block(shared, map_sums(prediction, target, count, blockIdx.x, static_cast<int>(threadIdx.x)));
  if (threadIdx.x == 0) parts[blockIdx.x] = shared[0];
}

__global__ void __launch_bounds__(kFinishThreads)
    finish_sums_kernel(const FitParts* parts, size_t parts_count, double count, MapFitState* state) {
  __shared__ FitParts shared[kFinishThreads];
  reduce_block(shared, share_of(parts, parts_count, static_cast<int>(threadIdx.x)));
  if (threadIdx.x == 0) *state = state_from(shared[0], count);
}

__global__ void __launch_bounds__(kFitThreads)
    map_moments_kernel(const float* prediction, const float* target, size_t count, const MapFitState* state,
                       FitParts* parts) {
  __shared__ FitParts shared[kFitThreads];
  reduce_block(shared,
               map_moments(prediction, target, count, *state, blockIdx.x, static_cast<int>(threadIdx.x)));
  if (threadIdx.x == 0) parts[blockIdx.x] = shared[0];
}

__global__ void __launch_bounds__(kFinishThreads)
    finish_map_fit_kernel(const FitParts* parts, size_t parts_count, double count, const MapFitState* state,
                          DeviceFit* fit) {
  __shared__ FitParts shared[kFinishThreads];
  reduce_block(shared, share_of(parts, parts_count, static_cast<int>(threadIdx.x)));
  if (threadIdx.x == 0) *fit = map_fit_from(*state, shared[0], count);
}

} // namespace

size_t fit_scratch_bytes(Extent frame) {
  return scratch_bytes_of(frame);
}

cudaError_t launch_fit(const FitPair* pairs, int count, Extent map, Extent frame, void* scratch,
                       DeviceFit* fit, cudaStream_t stream) {
  if (!fit_fits(pairs, count, map, frame, scratch, fit)) return cudaErrorInvalidValue;
  FitParts* parts = parts_in(scratch);
  const dim3 grid(static_cast<unsigned>(fit_tiles(frame)), static_cast<unsigned>(fit_strips(frame)),
                  static_cast<unsigned>(count));
  if (count > 0) {
    const FitTask task(pairs, count, map, frame);
    fit_kernel<<<grid, kFitThreads, 0, stream>>>(task, task.is_wide(count), parts);
    const cudaError_t status = cudaGetLastError();
    if (status != cudaSuccess) return status;
  }
  finish_fit_kernel<<<1, kFinishThreads, 0, stream>>>(parts, size_t{grid.x} * grid.y, FitScales(pairs, count),
                                                      count, values_of(frame), fit);
  return cudaGetLastError();
}

cudaError_t launch_map_fit(const float* prediction, const float* target, size_t count, void* scratch,
                           DeviceFit* fit, cudaStream_t stream) {
  if (!map_fit_fits(prediction, target, count, scratch, fit)) return cudaErrorInvalidValue;
  auto* state = static_cast<MapFitState*>(scratch);
  FitParts* parts = parts_in(scratch);
  const size_t blocks = map_fit_blocks(count);
  const auto grid = static_cast<unsigned>(blocks);
  const auto values = static_cast<double>(count);
  map_sums_kernel<<<grid, kFitThreads, 0, stream>>>(prediction, target, count, parts);
  finish_sums_kernel<<<1, kFinishThreads, 0, stream>>>(parts, blocks, values, state);
  map_moments_kernel<<<grid, kFitThreads, 0, stream>>>(prediction, target, count, state, parts);
  finish_map_fit_kernel<<<1, kFinishThreads, 0, stream>>>(parts, blocks, values, state, fit);
  return cudaGetLastError();
}

} // namespace video_depth::cuda

// Owns: fits: blocks' sums, and then one block that brings them together; every one of them in an order that
// depends on the sizes alone. Must not know: what the maps show.
//
// float64 throughout, which devices without many float64 units do at a thirty-second of their rate or less:
// there these kernels are bound by arithmetic. Products of float32 values are exact in float64, so that
// contraction changes nothing.

#include <cmath>

#include "cuda/kernels.h"
#include "cuda/launch.cuh"
#include "cuda/launch_checks.h"
#include "cuda/widened.cuh"
#include "stitch/fit_rules.h"

namespace video_depth::cuda {

namespace {

constexpr int kFitThreads = 128;
constexpr int kFitColumns = 4;
constexpr int kFitRows = 4;
/// Values that one block of launch_map_fit takes.
constexpr size_t kFitValues = 2048;
constexpr int kFinishThreads = 256;

/// Σp², Σp, Σpt, Σt, Σt², or over differences from the means Σp², Σpt, Σt² and nothing.
struct FitParts {
  double part[5];
};

__device__ void merge(FitParts& into, const FitParts& other) {
  for (int i = 0; i < 5; i++) into.part[i] += other.part[i];
}

__device__ void add_pair(FitParts& sums, float prediction, float target) {
  const double p = static_cast<double>(prediction), t = static_cast<double>(target);
  sums.part[0] = fma(p, p, sums.part[0]);
  sums.part[1] += p;
  sums.part[2] = fma(p, t, sums.part[2]);
  sums.part[3] += t;
  sums.part[4] = fma(t, t, sums.part[4]);
}

struct FitTask {
  FitTask(const FitPair* from, int count, Extent map, Extent frame) : upsampling(map, frame) {
    for (int i = 0; i < count; i++) pairs[i] = from[i];
  }

  /// Targets' rows can be read as packs.
  bool is_wide(int count) const {
    bool wide = upsampling.frame.width % kFitColumns == 0;
    for (int i = 0; i < count; i++) wide = wide && is_aligned(pairs[i].target, sizeof(float) * kFitColumns);
    return wide;
  }

  Upsampling upsampling;
  FitPair pairs[kMostFitPairs];
};

/// Values of one frame.
constexpr double values_of(Extent frame) {
  return static_cast<double>(frame.width) * frame.height;
}

constexpr int fit_tiles(Extent frame) {
  return (frame.width + kFitThreads * kFitColumns - 1) / (kFitThreads * kFitColumns);
}

constexpr int fit_strips(Extent frame) {
  return (frame.height + kFitRows - 1) / kFitRows;
}

/// @param is_wide the task's; the order of additions is the same
/// @param left columns there are; the others are not read
__device__ Pack<float, kFitColumns> target_at(const float* at, bool is_wide, int left) {
  if (is_wide) return load_pack<kFitColumns>(at);
  Pack<float, kFitColumns> target;
  for (int i = 0; i < kFitColumns; i++) target.value[i] = i < left ? at[i] : 0.0f;
  return target;
}

/// A thread's sums, over kFitColumns columns of kFitRows rows of one pair.
__device__ FitParts strip_sums(const FitTask& task, bool is_wide) {
  const Extent frame = task.upsampling.frame;
  const FitPair& pair = task.pairs[blockIdx.z];
  FitParts sums{};
  const auto x = static_cast<int>((blockIdx.x * kFitThreads + threadIdx.x) * kFitColumns);
  if (x >= frame.width) return sums;
  const int left = frame.width - x;
  const auto y_begin = static_cast<int>(blockIdx.y) * kFitRows;
  Pack<float, kFitColumns> targets[kFitRows] = {}; // all read at once, so that the reads overlap
  for (int r = 0; r < kFitRows; r++) {
    if (y_begin + r >= frame.height) continue;
    const size_t row = static_cast<size_t>(y_begin + r) * static_cast<size_t>(frame.width);
    targets[r] = target_at(pair.target + row + static_cast<size_t>(x), is_wide, left);
  }
  WidenedColumns<kFitColumns> columns(task.upsampling, pair.map, x);
  for (int r = 0; r < kFitRows; r++) {
    if (y_begin + r >= frame.height) continue;
    float prediction[kFitColumns];
    columns.row(y_begin + r, prediction);
    for (int i = 0; i < kFitColumns; i++) {
      if (i < left) add_pair(sums, prediction[i], targets[r].value[i]);
    }
  }
  return sums;
}

/// What is kept of launch_map_fit's first pass for its second.
struct MapFitState {
  FitParts sums;
  double p_mean, t_mean;
};

/// A thread's sums.
__device__ FitParts map_sums(const float* prediction, const float* target, size_t count) {
  FitParts sums{};
  for (size_t i = threadIdx.x; i < kFitValues; i += kFitThreads) {
    const size_t at = blockIdx.x * kFitValues + i;
    if (at < count) add_pair(sums, prediction[at], target[at]);
  }
  return sums;
}

/// Over differences from the means, which a large mean does not swamp.
__device__ FitParts map_moments(const float* prediction, const float* target, size_t count,
                                const MapFitState& state) {
  FitParts sums{};
  for (size_t i = threadIdx.x; i < kFitValues; i += kFitThreads) {
    const size_t at = blockIdx.x * kFitValues + i;
    if (at >= count) continue;
    const double p = static_cast<double>(prediction[at]) - state.p_mean;
    const double t = static_cast<double>(target[at]) - state.t_mean;
    sums.part[0] = fma(p, p, sums.part[0]);
    sums.part[1] = fma(p, t, sums.part[1]);
    sums.part[2] = fma(t, t, sums.part[2]);
  }
  return sums;
}

/// Brings the sums of `count` blocks together: shared[0].
__device__ void reduce_parts(FitParts* shared, const FitParts* parts, size_t count) {
  FitParts sums{};
  for (size_t i = threadIdx.x; i < count; i += kFinishThreads) merge(sums, parts[i]);
  reduce_block(shared, sums);
}

__device__ FitSums sums_from(const FitParts& parts, double count) {
  return {parts.part[0], parts.part[1], count, parts.part[2], parts.part[3], parts.part[4]};
}

/// The references' scales, in device memory.
struct FitScales {
  FitScales(const FitPair* pairs, int count) {
    for (int i = 0; i < count; i++) at[i] = pairs[i].scale;
  }

  const double* at[kMostFitPairs];
};

/// @param all of all pairs, `each` [count] of each one
/// @param values of one pair's frame
__device__ DeviceFit window_fit_from(const FitParts& all, const FitParts* each, const FitScales& scales,
                                     int count, double values) {
  ReferenceSums references[kMostFitPairs];
  for (int i = 0; i < count; i++) {
    references[i].sums = sums_from(each[i], values);
    if (scales.at[i] != nullptr) references[i].scale = *scales.at[i];
  }
  return device_fit(solve_window(sums_from(all, values * count), references, count));
}

__device__ MapFitState state_from(const FitParts& sums, double count) {
  return {sums, sums.part[1] / count, sums.part[3] / count};
}

__device__ DeviceFit map_fit_from(const MapFitState& state, const FitParts& moments, double count) {
  const FitParts& sums = state.sums;
  const Fit fit = solve_fit(sums.part[0], sums.part[1], count, sums.part[2], sums.part[3]);
  const double alike =
      correlation(moments.part[0], moments.part[1], moments.part[2], state.p_mean, state.t_mean, count);
  return {fit.scale, fit.shift, alike, fit.degenerate ? 1 : 0};
}

__global__ void __launch_bounds__(kFitThreads)
    fit_kernel(const FitTask __grid_constant__ task, bool is_wide, FitParts* parts) {
  static __shared__ FitParts shared[kFitThreads];
  reduce_block(shared, strip_sums(task, is_wide));
  const size_t strip = static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y;
  if (threadIdx.x == 0) parts[strip * gridDim.x + blockIdx.x] = shared[0];
}

__global__ void __launch_bounds__(kFinishThreads)
    finish_fit_kernel(const FitParts* parts, size_t pair_parts, const FitScales __grid_constant__ scales,
                      int count, double values, DeviceFit* fit) {
  static __shared__ FitParts shared[kFinishThreads];
  static __shared__ FitParts each[kMostFitPairs];
  for (int pair = 0; pair < count; pair++) {
    reduce_parts(shared, parts + static_cast<size_t>(pair) * pair_parts, pair_parts);
    if (threadIdx.x == 0) each[pair] = shared[0];
    __syncthreads(); // shared is written again
  }
  reduce_parts(shared, parts, pair_parts * static_cast<size_t>(count));
  if (threadIdx.x == 0) *fit = window_fit_from(shared[0], each, scales, count, values);
}

__global__ void __launch_bounds__(kFitThreads)
    map_sums_kernel(const float* prediction, const float* target, size_t count, FitParts* parts) {
  static __shared__ FitParts shared[kFitThreads];
  reduce_block(shared, map_sums(prediction, target, count));
  if (threadIdx.x == 0) parts[blockIdx.x] = shared[0];
}

__global__ void __launch_bounds__(kFinishThreads)
    finish_sums_kernel(const FitParts* parts, size_t parts_count, double count, MapFitState* state) {
  static __shared__ FitParts shared[kFinishThreads];
  reduce_parts(shared, parts, parts_count);
  if (threadIdx.x == 0) *state = state_from(shared[0], count);
}

__global__ void __launch_bounds__(kFitThreads)
    map_moments_kernel(const float* prediction, const float* target, size_t count, const MapFitState* state,
                       FitParts* parts) {
  static __shared__ FitParts shared[kFitThreads];
  reduce_block(shared, map_moments(prediction, target, count, *state));
  if (threadIdx.x == 0) parts[blockIdx.x] = shared[0];
}

__global__ void __launch_bounds__(kFinishThreads)
    finish_map_fit_kernel(const FitParts* parts, size_t parts_count, double count, const MapFitState* state,
                          DeviceFit* fit) {
  static __shared__ FitParts shared[kFinishThreads];
  reduce_parts(shared, parts, parts_count);
  if (threadIdx.x == 0) *fit = map_fit_from(*state, shared[0], count);
}

/// The blocks' sums, behind the state.
inline FitParts* parts_in(void* scratch) {
  return reinterpret_cast<FitParts*>(static_cast<char*>(scratch) + sizeof(MapFitState));
}

constexpr size_t map_fit_blocks(size_t count) {
  return (count + kFitValues - 1) / kFitValues;
}

} // namespace

size_t fit_scratch_bytes(Extent frame) {
  const size_t strips = static_cast<size_t>(kMostFitPairs) * static_cast<size_t>(fit_tiles(frame)) *
                        static_cast<size_t>(fit_strips(frame));
  const size_t blocks = map_fit_blocks(static_cast<size_t>(frame.width) * static_cast<size_t>(frame.height));
  return sizeof(MapFitState) + sizeof(FitParts) * (strips > blocks ? strips : blocks);
}

cudaError_t launch_fit(const FitPair* pairs, int count, Extent map, Extent frame, void* scratch,
                       DeviceFit* fit, cudaStream_t stream) {
  if (!fit_fits(pairs, count, map, frame, scratch, fit)) return cudaErrorInvalidValue;
  FitParts* parts = parts_in(scratch);
  const dim3 blocks(static_cast<unsigned>(fit_tiles(frame)), static_cast<unsigned>(fit_strips(frame)),
                    static_cast<unsigned>(count));
  if (count > 0) {
    const FitTask task(pairs, count, map, frame);
    const cudaError_t status =
        launch(fit_kernel, {blocks, kFitThreads}, stream, task, task.is_wide(count), parts);
    if (status != cudaSuccess) return status;
  }
  return launch(finish_fit_kernel, {1, kFinishThreads}, stream, parts, size_t{blocks.x} * blocks.y,
                FitScales(pairs, count), count, values_of(frame), fit);
}

cudaError_t launch_map_fit(const float* prediction, const float* target, size_t count, void* scratch,
                           DeviceFit* fit, cudaStream_t stream) {
  if (!map_fit_fits(prediction, target, count, scratch, fit)) return cudaErrorInvalidValue;
  auto* state = static_cast<MapFitState*>(scratch);
  FitParts* parts = parts_in(scratch);
  const size_t blocks = map_fit_blocks(count);
  const Grid grid{static_cast<unsigned>(blocks), kFitThreads}, finish{1, kFinishThreads};
  const auto values = static_cast<double>(count);
  cudaError_t status = launch(map_sums_kernel, grid, stream, prediction, target, count, parts);
  if (status != cudaSuccess) return status;
  status = launch(finish_sums_kernel, finish, stream, parts, blocks, values, state);
  if (status != cudaSuccess) return status;
  status = launch(map_moments_kernel, grid, stream, prediction, target, count, state, parts);
  if (status != cudaSuccess) return status;
  return launch(finish_map_fit_kernel, finish, stream, parts, blocks, values, state, fit);
}

} // namespace video_depth::cuda

// Owns: launching what looks at maps' values or converts them.
// Must not know: what the maps show.

#include "cuda/bodies/values.h"

#include "cuda/kernels.h"
#include "cuda/launch.cuh"
#include "cuda/launch_checks.h"

namespace video_depth::cuda {

namespace {

// Counts, least and most are the same in any order, so atomics give the same bits every time.

/// Compares floats by their bits: those with a sign fall as their bits grow.
__device__ inline void atomic_least(float* to, float value) {
  if (!signbit(value)) {
    atomicMin(reinterpret_cast<int*>(to), __float_as_int(value));
  } else {
    atomicMax(reinterpret_cast<unsigned*>(to), __float_as_uint(value));
  }
}

__device__ inline void atomic_most(float* to, float value) {
  if (!signbit(value)) {
    atomicMax(reinterpret_cast<int*>(to), __float_as_int(value));
  } else {
    atomicMin(reinterpret_cast<unsigned*>(to), __float_as_uint(value));
  }
}

__global__ void no_health_kernel(MapHealth* health, int count) {
  const auto at = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (at < count) health[at] = no_health();
}

template <int kPack>
__global__ void __launch_bounds__(kValueThreads)
    health_kernel(const float* maps, size_t values, MapHealth* health) {
  __shared__ MapHealth shared[kValueThreads];
  reduce_block(shared, health_of<kPack>(maps + blockIdx.y * values, values, blockIdx.x,
                                        static_cast<int>(threadIdx.x)));
  if (threadIdx.x != 0) return;
  MapHealth& to = health[blockIdx.y];
  static_assert(sizeof(unsigned long long) == sizeof to.non_finite, "atomicAdd has no uint64_t");
  if (shared[0].non_finite != 0) {
    atomicAdd(reinterpret_cast<unsigned long long*>(&to.non_finite), shared[0].non_finite);
  }
  atomic_least(&to.least, shared[0].least);
  atomic_most(&to.most, shared[0].most);
}

template <OutputType kType, int kPack>
__global__ void __launch_bounds__(kValueThreads) convert_kernel(const __grid_constant__ ConvertTask task) {
  convert_pack<kType, kPack>(task, size_t{blockIdx.x} * kValueThreads + threadIdx.x);
}

template <OutputType kType>
cudaError_t launch(const ConvertTask& task, cudaStream_t stream) {
  if (task.is_wide<kType>()) {
    convert_kernel<kType, kWide>
        <<<grid_side(task.count, kValueThreads * kWide), kValueThreads, 0, stream>>>(task);
  } else {
    convert_kernel<kType, 1><<<grid_side(task.count, kValueThreads), kValueThreads, 0, stream>>>(task);
  }
  return cudaGetLastError();
}

} // namespace

cudaError_t launch_health(const float* maps, int count, size_t values, MapHealth* health,
                          cudaStream_t stream) {
  if (!health_fits(maps, count, values, health)) return cudaErrorInvalidValue;
  if (count == 0) return cudaSuccess;
  no_health_kernel<<<grid_side(static_cast<size_t>(count), kValueThreads), kValueThreads, 0, stream>>>(health,
                                                                                                       count);
  if (values == 0) return cudaGetLastError();
  if (is_health_wide(maps, values)) {
    const dim3 grid(grid_side(values, kValueThreads * kHealthPacks * kWide), static_cast<unsigned>(count));
    health_kernel<kWide><<<grid, kValueThreads, 0, stream>>>(maps, values, health);
  } else {
    const dim3 grid(grid_side(values, kValueThreads * kHealthPacks), static_cast<unsigned>(count));
    health_kernel<1><<<grid, kValueThreads, 0, stream>>>(maps, values, health);
  }
  return cudaGetLastError();
}

cudaError_t launch_convert(const float* in, void* out, OutputType type, size_t count, float scale,
                           float offset, cudaStream_t stream) {
  if (!convert_fits(in, out, type, count)) return cudaErrorInvalidValue;
  if (count == 0) return cudaSuccess;
  const ConvertTask task{in, out, count, scale, offset};
  switch (type) {
    case OutputType::kFloat32:
      return launch<OutputType::kFloat32>(task, stream);
    case OutputType::kFloat16:
      return launch<OutputType::kFloat16>(task, stream);
    case OutputType::kUint16:
      return launch<OutputType::kUint16>(task, stream);
  }
  return cudaErrorInvalidValue;
}

} // namespace video_depth::cuda

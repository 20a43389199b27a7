// Owns: looking at maps' values, and converting them.
// Must not know: what the maps show.

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "cuda/float16.h"
#include "cuda/kernels.h"
#include "cuda/launch.cuh"
#include "cuda/launch_checks.h"

namespace video_depth::cuda {

/// Beside its type, where reduce_block finds it.
__device__ inline void merge(MapHealth& into, const MapHealth& other) {
  into.non_finite += other.non_finite;
  if (other.least < into.least) into.least = other.least;
  if (other.most > into.most) into.most = other.most;
}

namespace {

constexpr int kValueThreads = 256;
/// Packs that a thread of the health kernel looks at.
constexpr int kHealthPacks = 4;
constexpr float kInfinity = HUGE_VALF;

__device__ MapHealth no_health() {
  return {0, kInfinity, -kInfinity};
}

// Counts, least and most are the same in any order, so atomics give the same bits every time.

/// Compares floats by their bits: those with a sign fall as their bits grow.
__device__ void atomic_least(float* to, float value) {
  if (!signbit(value)) {
    atomicMin(reinterpret_cast<int*>(to), __float_as_int(value));
  } else {
    atomicMax(reinterpret_cast<unsigned*>(to), __float_as_uint(value));
  }
}

__device__ void atomic_most(float* to, float value) {
  if (!signbit(value)) {
    atomicMax(reinterpret_cast<int*>(to), __float_as_int(value));
  } else {
    atomicMin(reinterpret_cast<unsigned*>(to), __float_as_uint(value));
  }
}

__global__ void __launch_bounds__(kValueThreads) no_health_kernel(MapHealth* health, int count) {
  const auto at = static_cast<int>(blockIdx.x * kValueThreads + threadIdx.x);
  if (at < count) health[at] = no_health();
}

/// A thread's part. @param values one map's `count`
template <int kPack>
__device__ MapHealth find_health(const float* values, size_t count) {
  const auto at = [&](int i) {
    const size_t pack = (size_t{blockIdx.x} * kHealthPacks + static_cast<size_t>(i)) * kValueThreads;
    return (pack + threadIdx.x) * kPack;
  };
  Pack<float, kPack> found[kHealthPacks] = {}; // all read at once, so that the reads overlap
  for (int i = 0; i < kHealthPacks; i++) {
    if (at(i) < count) found[i] = load_pack<kPack>(values + at(i));
  }
  MapHealth health = no_health();
  for (int i = 0; i < kHealthPacks; i++) {
    for (int k = 0; k < kPack && at(i) < count; k++) {
      const float value = found[i].value[k];
      if (value - value == 0) {
        if (value < health.least) health.least = value;
        if (value > health.most) health.most = value;
      } else {
        health.non_finite++;
      }
    }
  }
  return health;
}

template <int kPack>
__global__ void __launch_bounds__(kValueThreads)
    health_kernel(const float* maps, size_t values, MapHealth* health) {
  static __shared__ MapHealth shared[kValueThreads];
  reduce_block(shared, find_health<kPack>(maps + blockIdx.y * values, values));
  if (threadIdx.x != 0) return;
  MapHealth& to = health[blockIdx.y];
  static_assert(sizeof(unsigned long long) == sizeof to.non_finite, "atomicAdd has no uint64_t");
  if (shared[0].non_finite != 0) {
    atomicAdd(reinterpret_cast<unsigned long long*>(&to.non_finite), shared[0].non_finite);
  }
  atomic_least(&to.least, shared[0].least);
  atomic_most(&to.most, shared[0].most);
}

/// Whether every one of the maps can be read as packs.
inline bool is_health_wide(const float* maps, size_t values) {
  return is_aligned(maps, sizeof(float) * kWide) && values % kWide == 0;
}

template <int kPack>
cudaError_t launch_health_of(const float* maps, int count, size_t values, MapHealth* health,
                             cudaStream_t stream) {
  const dim3 blocks(grid_side(values, kValueThreads * kHealthPacks * kPack), static_cast<unsigned>(count));
  return launch(health_kernel<kPack>, {blocks, kValueThreads}, stream, maps, values, health);
}

template <OutputType kType>
using OutputOf = std::conditional_t<kType == OutputType::kFloat32, float, uint16_t>;

template <OutputType kType>
__device__ OutputOf<kType> converted(float value) {
  if constexpr (kType == OutputType::kFloat32) return value;
  if constexpr (kType == OutputType::kFloat16) return float16_bits(value);
  // fmaxf makes NaN 0.
  if constexpr (kType == OutputType::kUint16) {
    return static_cast<uint16_t>(rintf(fminf(fmaxf(value, 0.0f), 65535.0f)));
  }
}

struct ConvertTask {
  template <OutputType kType>
  bool is_wide() const {
    return count % kWide == 0 && is_aligned(in, sizeof(float) * kWide) &&
           is_aligned(out, sizeof(OutputOf<kType>) * kWide);
  }

  const float* in;
  void* out;
  size_t count;
  float scale, offset;
};

template <OutputType kType, int kPack>
__global__ void __launch_bounds__(kValueThreads) convert_kernel(const ConvertTask __grid_constant__ task) {
  const size_t at = (size_t{blockIdx.x} * kValueThreads + threadIdx.x) * kPack;
  if (at >= task.count) return;
  const Pack<float, kPack> in = load_pack<kPack>(task.in + at);
  Pack<OutputOf<kType>, kPack> out;
  for (int i = 0; i < kPack; i++) out.value[i] = converted<kType>(in.value[i] * task.scale + task.offset);
  store_pack<kPack>(static_cast<OutputOf<kType>*>(task.out) + at, out);
}

template <OutputType kType, int kPack>
cudaError_t launch_packs(const ConvertTask& task, cudaStream_t stream) {
  const unsigned blocks = grid_side(task.count, kValueThreads * kPack);
  return launch(convert_kernel<kType, kPack>, {blocks, kValueThreads}, stream, task);
}

template <OutputType kType>
cudaError_t launch_converted(const ConvertTask& task, cudaStream_t stream) {
  return task.is_wide<kType>() ? launch_packs<kType, kWide>(task, stream)
                               : launch_packs<kType, 1>(task, stream);
}

} // namespace

cudaError_t launch_health(const float* maps, int count, size_t values, MapHealth* health,
                          cudaStream_t stream) {
  if (!health_fits(maps, count, values, health)) return cudaErrorInvalidValue;
  if (count == 0) return cudaSuccess;
  const cudaError_t status =
      launch(no_health_kernel, {grid_side(static_cast<size_t>(count), kValueThreads), kValueThreads}, stream,
             health, count);
  if (status != cudaSuccess || values == 0) return status;
  return is_health_wide(maps, values) ? launch_health_of<kWide>(maps, count, values, health, stream)
                                      : launch_health_of<1>(maps, count, values, health, stream);
}

cudaError_t launch_convert(const float* in, void* out, OutputType type, size_t count, float scale,
                           float offset, cudaStream_t stream) {
  if (!convert_fits(in, out, type, count)) return cudaErrorInvalidValue;
  if (count == 0) return cudaSuccess;
  const ConvertTask task{in, out, count, scale, offset};
  switch (type) {
    case OutputType::kFloat32:
      return launch_converted<OutputType::kFloat32>(task, stream);
    case OutputType::kFloat16:
      return launch_converted<OutputType::kFloat16>(task, stream);
    case OutputType::kUint16:
      return launch_converted<OutputType::kUint16>(task, stream);
  }
  return cudaErrorInvalidValue;
}

} // namespace video_depth::cuda

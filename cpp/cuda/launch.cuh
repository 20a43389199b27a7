// Owns: what kernels and launches share: grids' sides, launching, packs of values, bringing a block's finds
// together.
// Must not know: what a kernel computes.
//
// .cu files are plain CUDA with two habits, so that an ordinary compiler takes them, too, and tests run them
// on a processor: shared memory is declared static, and launches are function calls.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

namespace video_depth::cuda {

inline unsigned grid_side(size_t work, size_t per_block) {
  return static_cast<unsigned>((work + per_block - 1) / per_block);
}

/// A grid, the threads of each of its blocks, and the bytes that each finds at dynamic_words.
struct Grid {
  dim3 blocks;
  unsigned threads;
  size_t dynamic_bytes = 0;
};

/// As many bytes as the launch asked for; nothing lies there where it asked for none.
extern __shared__ uint4 dynamic_words[];

template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), const Grid& grid, cudaStream_t stream,
                   const Arguments&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid.blocks;
  config.blockDim = dim3(grid.threads);
  config.dynamicSmemBytes = grid.dynamic_bytes;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, arguments...);
}

/// Neighbouring values that are read or written as one.
template <class T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
  T value[kCount];
};

template <int kCount, class T>
__device__ Pack<T, kCount> load_pack(const T* from) {
  return *reinterpret_cast<const Pack<T, kCount>*>(from);
}

template <int kCount, class T>
__device__ void store_pack(T* to, const Pack<T, kCount>& pack) {
  *reinterpret_cast<Pack<T, kCount>*>(to) = pack;
}

/// Values of a pack where memory lies as needed for it; otherwise they are taken one by one.
constexpr int kWide = 4;

/// For all threads of a block, whose number is a power of 2 and shared's length; shared[0] is the result.
/// Finds are brought together in an order that depends on the number of threads alone.
template <class T>
__device__ void reduce_block(T* shared, const T& found) {
  const unsigned thread = threadIdx.x;
  shared[thread] = found;
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    __syncthreads();
    if (thread < half) merge(shared[thread], shared[thread + half]);
  }
}

} // namespace video_depth::cuda

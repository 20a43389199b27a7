// Owns: what launches share: grids' sides, and bringing a block's finds together.
// Must not know: what a kernel computes.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

#include "cuda/bodies/reduce.h"

namespace video_depth::cuda {

inline unsigned grid_side(size_t work, size_t per_block) {
  return static_cast<unsigned>((work + per_block - 1) / per_block);
}

/// For all threads of a block, whose number is a power of 2 and shared's length; shared[0] is the result.
template <class T>
__device__ inline void reduce_block(T* shared, const T& found) {
  const auto thread = static_cast<int>(threadIdx.x);
  shared[thread] = found;
  for (int half = static_cast<int>(blockDim.x) / 2; half > 0; half /= 2) {
    __syncthreads();
    merge_half(shared, half, thread);
  }
}

} // namespace video_depth::cuda

// Owns: launching what copies blocks or puts states into slots.
// Must not know: what the blocks hold.

#include "cuda/bodies/blocks.h"

#include "cuda/kernels.h"
#include "cuda/launch.cuh"
#include "cuda/launch_checks.h"

namespace video_depth::cuda {

namespace {

template <class Word>
__global__ void __launch_bounds__(kBlockThreads) copy_kernel(const __grid_constant__ CopyTask task) {
  copy_words<Word>(task, static_cast<int>(blockIdx.y), blockIdx.x, static_cast<int>(threadIdx.x));
}

template <class Word>
void launch(const CopyTask& task, int count, cudaStream_t stream) {
  const dim3 grid(grid_side(task.bytes / sizeof(Word), kBlockThreads * kCopyWords),
                  static_cast<unsigned>(count));
  copy_kernel<Word><<<grid, kBlockThreads, 0, stream>>>(task);
}

template <class Word>
__global__ void __launch_bounds__(kBlockThreads) state_kernel(const __grid_constant__ StateTask task) {
  write_state_word<Word>(task, blockIdx.x * kBlockThreads + threadIdx.x);
}

template <class Word>
cudaError_t launch(const StateTask& task, cudaStream_t stream) {
  const size_t words = task.width_bytes / sizeof(Word) * task.pixels;
  state_kernel<Word><<<grid_side(words, kBlockThreads), kBlockThreads, 0, stream>>>(task);
  return cudaGetLastError();
}

} // namespace

cudaError_t launch_copy_blocks(const BlockCopy* copies, int count, size_t bytes, cudaStream_t stream) {
  if (!copy_blocks_fits(copies, count, bytes)) return cudaErrorInvalidValue;
  if (count == 0 || bytes == 0) return cudaSuccess;
  const CopyTask task(copies, count, bytes);
  if (task.is_wide) {
    launch<WideWord>(task, count, stream);
  } else {
    launch<uint32_t>(task, count, stream);
  }
  return cudaGetLastError();
}

cudaError_t launch_write_state(const void* state, void* memory, Element element, int pixels, int slots,
                               int width, int first, int stride, int written, const MapHealth* gate,
                               cudaStream_t stream) {
  if (!write_state_fits(state, memory, element, pixels, slots, width, first, stride, written)) {
    return cudaErrorInvalidValue;
  }
  if (pixels == 0 || written == 0) return cudaSuccess;
  const StateTask task(state, memory, element, pixels, slots, width, first, stride, written, gate);
  switch (task.word_bytes()) {
    case sizeof(WideWord):
      return launch<WideWord>(task, stream);
    case sizeof(uint32_t):
      return launch<uint32_t>(task, stream);
    default:
      return launch<uint16_t>(task, stream);
  }
}

} // namespace video_depth::cuda

// Owns: copying blocks, and putting states into slots.
// Must not know: what the blocks hold.

#include <cstdint>
#include <initializer_list>

#include "cuda/kernels.h"
#include "cuda/launch.cuh"
#include "cuda/launch_checks.h"

namespace video_depth::cuda {

namespace {

constexpr int kBlockThreads = 256;
/// Words that a thread reads before it writes them.
constexpr int kCopyWords = 4;

using WideWord = Pack<uint32_t, kWide>;

struct CopyTask {
  CopyTask(const BlockCopy* from, int count, size_t bytes) : bytes(bytes) {
    for (int i = 0; i < count; i++) {
      copies[i] = from[i];
      is_wide =
          is_wide && is_aligned(from[i].from, sizeof(WideWord)) && is_aligned(from[i].to, sizeof(WideWord));
    }
    is_wide = is_wide && bytes % sizeof(WideWord) == 0;
  }

  size_t bytes;
  bool is_wide = true;
  BlockCopy copies[kMostBlocks];
};

template <class Word>
__global__ void __launch_bounds__(kBlockThreads) copy_kernel(const CopyTask __grid_constant__ task) {
  const auto* from = static_cast<const Word*>(task.copies[blockIdx.y].from);
  auto* to = static_cast<Word*>(task.copies[blockIdx.y].to);
  const size_t words = task.bytes / sizeof(Word);
  const size_t first = size_t{blockIdx.x} * kBlockThreads * kCopyWords + threadIdx.x;
  Word held[kCopyWords] = {};
  for (size_t i = 0; i < kCopyWords; i++) {
    if (first + i * kBlockThreads < words) held[i] = from[first + i * kBlockThreads];
  }
  for (size_t i = 0; i < kCopyWords; i++) {
    if (first + i * kBlockThreads < words) to[first + i * kBlockThreads] = held[i];
  }
}

template <class Word>
cudaError_t launch_copy(const CopyTask& task, int count, cudaStream_t stream) {
  const dim3 blocks(grid_side(task.bytes / sizeof(Word), kBlockThreads * kCopyWords),
                    static_cast<unsigned>(count));
  return launch(copy_kernel<Word>, {blocks, kBlockThreads}, stream, task);
}

struct StateTask {
  StateTask(const void* state, void* memory, Element element, int pixels, int slots, int width, int first,
            int stride, int written, const MapHealth* gate)
      : state(state),
        memory(memory),
        width_bytes(static_cast<size_t>(width) * (element == Element::kFloat32 ? 4 : 2)),
        pixels(static_cast<unsigned>(pixels)),
        slots(static_cast<unsigned>(slots)),
        first(static_cast<unsigned>(first)),
        stride(static_cast<unsigned>(stride)),
        written(static_cast<unsigned>(written)),
        gate(gate) {}

  /// The widest word that states and slots are made of: 16, 4 or 2 bytes.
  size_t word_bytes() const {
    for (const size_t bytes : {sizeof(WideWord), sizeof(uint32_t)}) {
      if (width_bytes % bytes == 0 && is_aligned(state, bytes) && is_aligned(memory, bytes)) return bytes;
    }
    return sizeof(uint16_t);
  }

  const void* state;
  void* memory;
  /// Bytes of one pixel's state.
  size_t width_bytes;
  unsigned pixels, slots, first, stride, written;
  const MapHealth* gate;
};

/// A thread takes a word of `state`.
template <class Word>
__global__ void __launch_bounds__(kBlockThreads) state_kernel(const StateTask __grid_constant__ task) {
  const unsigned index = blockIdx.x * kBlockThreads + threadIdx.x;
  const auto words = static_cast<unsigned>(task.width_bytes / sizeof(Word));
  const unsigned pixel = index / words;
  if (pixel >= task.pixels || (task.gate != nullptr && task.gate->non_finite != 0)) return;
  const Word word = static_cast<const Word*>(task.state)[index];
  auto* to =
      static_cast<Word*>(task.memory) + static_cast<size_t>(pixel) * task.slots * words + index % words;
  for (unsigned i = 0; i < task.written; i++) {
    to[static_cast<size_t>(task.first + i * task.stride) * words] = word;
  }
}

template <class Word>
cudaError_t launch_state(const StateTask& task, cudaStream_t stream) {
  const size_t words = task.width_bytes / sizeof(Word) * task.pixels;
  return launch(state_kernel<Word>, {grid_side(words, kBlockThreads), kBlockThreads}, stream, task);
}

} // namespace

cudaError_t launch_copy_blocks(const BlockCopy* copies, int count, size_t bytes, cudaStream_t stream) {
  if (!copy_blocks_fits(copies, count, bytes)) return cudaErrorInvalidValue;
  if (count == 0 || bytes == 0) return cudaSuccess;
  const CopyTask task(copies, count, bytes);
  return task.is_wide ? launch_copy<WideWord>(task, count, stream)
                      : launch_copy<uint32_t>(task, count, stream);
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
      return launch_state<WideWord>(task, stream);
    case sizeof(uint32_t):
      return launch_state<uint32_t>(task, stream);
    default:
      return launch_state<uint16_t>(task, stream);
  }
}

} // namespace video_depth::cuda

// Owns: what threads do that copy blocks or put states into slots.
// Must not know: CUDA's headers, launches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "cuda/bodies/pack.h"
#include "cuda/kernel_types.h"
#include "host_device.h"

namespace video_depth::cuda {

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
VIDEO_DEPTH_HOST_DEVICE inline void copy_words(const CopyTask& task, int copy, size_t block, int thread) {
  const auto* from = static_cast<const Word*>(task.copies[copy].from);
  auto* to = static_cast<Word*>(task.copies[copy].to);
  const size_t words = task.bytes / sizeof(Word);
  const size_t first = block * kBlockThreads * kCopyWords + static_cast<size_t>(thread);
  Word held[kCopyWords] = {};
  for (size_t i = 0; i < kCopyWords; i++) {
    if (first + i * kBlockThreads < words) held[i] = from[first + i * kBlockThreads];
  }
  for (size_t i = 0; i < kCopyWords; i++) {
    if (first + i * kBlockThreads < words) to[first + i * kBlockThreads] = held[i];
  }
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

/// @param index of a word of `state`
template <class Word>
VIDEO_DEPTH_HOST_DEVICE inline void write_state_word(const StateTask& task, unsigned index) {
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

} // namespace video_depth::cuda

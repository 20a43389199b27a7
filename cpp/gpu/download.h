// Owns: results on their way from the device to a caller's arrays.
// Must not know: what they are.
#pragma once

#include <cstddef>

#include "cuda/memory.h"

namespace video_depth::gpu {

/// Copies in pieces through two page-locked blocks, so that one is filled while the other is emptied. For the
/// completing thread, but for `prepare`.
class Downloader {
 public:
  /// @param piece_bytes of either block
  explicit Downloader(size_t piece_bytes)
      : blocks_{cuda::PinnedBuffer(piece_bytes), cuda::PinnedBuffer(piece_bytes)} {}

  /// `to` is complete after `flush`.
  /// @param from on the device; `stream` has waited for whatever writes it
  void copy(const void* from, void* to, size_t bytes, cuda::Stream& stream);
  void flush();

 private:
  void queue(const char* from, char* to, size_t bytes, cuda::Stream& stream);
  void empty(size_t block);

  struct Piece {
    char* to = nullptr;
    size_t bytes = 0;
  };

  cuda::PinnedBuffer blocks_[2];
  cuda::Event filled_[2];
  Piece pieces_[2];
  size_t next_ = 0;
};

} // namespace video_depth::gpu

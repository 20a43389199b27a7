// Owns: results on their way from the device to a caller's arrays.
// Must not know: what they are.

#include "gpu/download.h"

#include <algorithm>
#include <cstring>

#include "cuda/failure.h"

namespace video_depth::gpu {

void Downloader::copy(const void* from, void* to, size_t bytes, cuda::Stream& stream) {
  for (size_t done = 0; done < bytes;) {
    const size_t block = next_;
    next_ = 1 - next_;
    empty(block);
    const size_t piece = std::min(bytes - done, blocks_[block].bytes());
    cuda::check(cudaMemcpyAsync(blocks_[block].data(), static_cast<const char*>(from) + done, piece,
                                cudaMemcpyDeviceToHost, stream.get()),
                "copying results from the GPU");
    filled_[block].record(stream);
    pieces_[block] = {static_cast<char*>(to) + done, piece};
    done += piece;
  }
}

void Downloader::flush() {
  empty(0);
  empty(1);
}

void Downloader::empty(size_t block) {
  Piece& piece = pieces_[block];
  if (piece.to == nullptr) return;
  const Piece waiting = piece;
  piece = {}; // also where waiting fails: the caller's array may go then
  filled_[block].synchronize();
  std::memcpy(waiting.to, blocks_[block].data(), waiting.bytes);
}

} // namespace video_depth::gpu

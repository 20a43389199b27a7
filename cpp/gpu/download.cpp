// Owns: results on their way from the device to a caller's arrays.
// Must not know: what they are.

#include "gpu/download.h"

#include <algorithm>
#include <cstring>

#include "cuda/failure.h"
#include "parallel.h"

namespace video_depth::gpu {

namespace {

/// Enough for the speed of a link; the caller's pages are often touched here for the first time.
constexpr int kCopyThreads = 4;
constexpr size_t kPartBytes = size_t{1} << 16;

void copy_in_parts(char* to, const char* from, size_t bytes) {
  const auto parts = static_cast<int>((bytes + kPartBytes - 1) / kPartBytes);
  parallel_rows(parts, kCopyThreads, [&](const RowChunk& chunk) {
    const size_t begin = static_cast<size_t>(chunk.begin) * kPartBytes;
    const size_t end = std::min(bytes, static_cast<size_t>(chunk.end) * kPartBytes);
    std::memcpy(to + begin, from + begin, end - begin);
  });
}

} // namespace

void Downloader::copy(const void* from, void* to, size_t bytes, cuda::Stream& stream) {
  try {
    queue(static_cast<const char*>(from), static_cast<char*>(to), bytes, stream);
  } catch (...) {
    for (Piece& piece : pieces_) piece = {}; // the caller's array may go now
    throw;
  }
}

void Downloader::queue(const char* from, char* to, size_t bytes, cuda::Stream& stream) {
  for (size_t done = 0; done < bytes;) {
    const size_t block = next_;
    next_ = 1 - next_;
    empty(block);
    const size_t piece = std::min(bytes - done, blocks_[block].bytes());
    cuda::check(
        cudaMemcpyAsync(blocks_[block].data(), from + done, piece, cudaMemcpyDeviceToHost, stream.get()),
        "copying results from the GPU");
    filled_[block].record(stream);
    pieces_[block] = {to + done, piece};
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
  copy_in_parts(waiting.to, blocks_[block].as<char>(), waiting.bytes);
}

} // namespace video_depth::gpu

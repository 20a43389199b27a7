// Owns: spreading rows over threads.
// Must not know: what is done with a row.
#pragma once

#include <functional>

namespace video_depth {

/// Rows that one thread takes at a time; sums are kept by chunk, so that they do not depend on the thread
/// count.
constexpr int kRowsPerChunk = 16;

constexpr int chunk_count(int rows) {
  return (rows + kRowsPerChunk - 1) / kRowsPerChunk;
}

struct RowChunk {
  int index;
  /// Rows [begin, end).
  int begin;
  int end;
  /// Which of the threads runs it, 0 ≤ worker < threads: scratch space by worker is never shared.
  int worker;
};

/// Runs `body` once for each chunk of `rows` rows, on the caller and up to `threads` − 1 further threads,
/// which end before it returns. The first exception is rethrown on the caller after all threads have ended.
void parallel_rows(int rows, int threads, const std::function<void(const RowChunk&)>& body);

} // namespace video_depth

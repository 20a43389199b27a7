// Owns: spreading rows over threads.
// Must not know: what is done with a row.

#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace video_depth {

void parallel_rows(int rows, int threads, const std::function<void(const RowChunk&)>& body) {
  const int chunks = chunk_count(rows);
  std::atomic<int> next{0};
  std::mutex mutex;
  std::exception_ptr failure;

  const auto work = [&](int worker) noexcept {
    for (int index = next++; index < chunks; index = next++) {
      const int begin = index * kRowsPerChunk;
      try {
        body({index, begin, std::min(rows, begin + kRowsPerChunk), worker});
      } catch (...) {
        next = chunks;
        const std::lock_guard<std::mutex> lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  };

  const int helpers = std::max(0, std::min(threads, chunks) - 1);
  std::vector<std::thread> others;
  others.reserve(static_cast<size_t>(helpers));
  try {
    for (int worker = 1; worker <= helpers; worker++) others.emplace_back(work, worker);
  } catch (...) {
    // No further thread can be had; those that started and the caller do all the work.
  }
  work(0);
  for (std::thread& thread : others) thread.join();
  if (failure) std::rethrow_exception(failure);
}

} // namespace video_depth

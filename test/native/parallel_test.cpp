// Owns: tests of spreading rows over threads.
// Must not know: what rows are used for.

#include "parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

using video_depth::parallel_rows;
using video_depth::RowChunk;

TEST_CASE("parallel_rows: every row once, in fixed chunks, whatever the number of threads") {
  for (const int rows : {0, 1, 15, 16, 17, 31, 127}) {
    for (const int threads : {1, 2, 3, 64}) {
      std::vector<std::atomic<int>> seen(static_cast<size_t>(rows));
      std::atomic<bool> shaped{true};
      parallel_rows(rows, threads, [&](const RowChunk& chunk) {
        if (chunk.begin != chunk.index * video_depth::kRowsPerChunk || chunk.worker < 0 ||
            chunk.worker >= threads) {
          shaped = false;
        }
        for (int row = chunk.begin; row < chunk.end; row++) seen[static_cast<size_t>(row)]++;
      });
      CHECK(shaped);
      for (const auto& count : seen) CHECK(count == 1);
    }
  }
}

TEST_CASE("parallel_rows: an exception reaches the caller after all threads have ended") {
  for (const int threads : {1, 4}) {
    std::atomic<int> running{0};
    const auto body = [&](const RowChunk& chunk) {
      running++;
      if (chunk.index == 3) {
        running--;
        throw std::runtime_error("third chunk");
      }
      running--;
    };
    CHECK_THROWS_WITH(parallel_rows(1000, threads, body), "third chunk");
    CHECK(running == 0);
  }
}

// Owns: tests of the network's threads.
// Must not know: what they compute.

#include "cpu/thread_team.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <vector>

using video_depth::cpu::ThreadTeam;

TEST_CASE("thread team: every task once, whatever the number of threads, call after call") {
  for (const int threads : {1, 2, 3, 16}) {
    ThreadTeam team(threads);
    CHECK(team.size() >= 1);
    CHECK(team.size() <= threads);
    for (int call = 0; call < 200; call++) {
      const int tasks = call % 7 == 0 ? 0 : call % 50;
      std::vector<std::atomic<int>> seen(static_cast<size_t>(tasks));
      std::vector<std::atomic<int>> working(static_cast<size_t>(threads));
      std::atomic<bool> shared{false};
      team.run(tasks, [&](int task, int worker) {
        if (working[static_cast<size_t>(worker)]++ != 0) shared = true;
        seen[static_cast<size_t>(task)]++;
        working[static_cast<size_t>(worker)]--;
      });
      CHECK(!shared);
      for (const auto& count : seen) CHECK(count == 1);
    }
  }
}

TEST_CASE("thread team: the first exception comes back, nothing is left running, and the next call works") {
  ThreadTeam team(3);
  for (int call = 0; call < 50; call++) {
    std::atomic<int> running{0};
    CHECK_THROWS_AS(team.run(40,
                             [&](int task, int) {
                               running++;
                               const bool fails = task == 5;
                               running--;
                               if (fails) throw std::runtime_error("task 5");
                             }),
                    std::runtime_error);
    CHECK(running == 0);
  }
  std::atomic<int> sum{0};
  team.run(10, [&](int task, int) { sum += task; });
  CHECK(sum == 45);
}

TEST_CASE("thread team: threads that slept wake for the next call") {
  ThreadTeam team(2);
  for (int call = 0; call < 5; call++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<int> done{0};
    team.run(8, [&](int, int) { done++; });
    CHECK(done == 8);
  }
}

// Owns: threads of a block on a processor: each runs until it reaches a barrier or ends, then another one
// does. Must not know: CUDA, kernels.
#pragma once

#include <functional>
#include <vector>

namespace gpu_double {

/// What the threads of one block do, one at a time.
struct Team {
  /// Asked before each round, which ends when all threads wait or have ended: the order in which they run.
  std::function<void(std::vector<unsigned>& threads)> order;
  /// Called whenever another thread goes on.
  std::function<void(unsigned thread)> enter;
  std::function<void()> run;
};

/// Runs every thread to its end. One team at a time. @returns false where some threads ended while others
/// waited at a barrier
bool run_team(const Team& team, unsigned threads);

/// The running thread waits until all others wait, too, or have ended.
void wait_for_team();

} // namespace gpu_double

// Owns: threads that stay, and spreading tasks over them.
// Must not know: what a task does.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace video_depth::cpu {

/// One caller at a time. Between calls the threads sleep. A call waits for tasks, never for threads: on a
/// busy machine the caller does alone what no other thread has come to.
class ThreadTeam {
 public:
  /// @param threads the caller's included; fewer where the system gives no more
  explicit ThreadTeam(int threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return static_cast<int>(helpers_.size()) + 1; }

  /// Runs `body(task, worker)` for 0 ≤ task < tasks < 2²⁴, each once, in any order; 0 ≤ worker < size(),
  /// never two tasks of one worker at a time. After an exception no further task begins; the first one is
  /// rethrown.
  void run(int tasks, const std::function<void(int task, int worker)>& body);

 private:
  /// A call's number (16 bits), its tasks (24) and how many of these were taken (24), changed together: a
  /// thread that comes late takes nothing of a call that is over.
  using Ticket = uint64_t;

  void help(int worker);
  void work(int worker);
  void perform(int task, int worker);
  static bool has_tasks(Ticket ticket);

  std::vector<std::thread> helpers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::atomic<Ticket> ticket_{0};
  std::atomic<int> finished_{0};
  std::atomic<bool> failed_{false};
  std::atomic<bool> ending_{false};
  const std::function<void(int, int)>* body_ = nullptr;
  std::exception_ptr failure_;
};

} // namespace video_depth::cpu

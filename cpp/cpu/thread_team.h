// Owns: threads that stay, and spreading tasks over them.
// Must not know: what a task does.
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace video_depth::cpu {

/// One caller at a time. Between calls the threads sleep.
class ThreadTeam {
 public:
  /// @param threads the caller's included; fewer where the system gives no more
  explicit ThreadTeam(int threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return static_cast<int>(helpers_.size()) + 1; }

  /// Runs `body(task, worker)` for 0 ≤ task < tasks, each once, in any order; 0 ≤ worker < size(), never two tasks
  /// of one worker at a time. The first exception is rethrown after all threads have stopped.
  void run(int tasks, const std::function<void(int task, int worker)>& body);

 private:
  void help(int worker);
  void work(int worker);

  std::vector<std::thread> helpers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  /// Counts calls of run; helpers wait for it to change.
  std::atomic<unsigned> call_{0};
  std::atomic<int> next_{0};
  std::atomic<int> busy_{0};
  std::atomic<bool> ending_{false};
  int tasks_ = 0;
  const std::function<void(int, int)>* body_ = nullptr;
  std::exception_ptr failure_;
};

} // namespace video_depth::cpu

// Owns: threads that stay, and spreading tasks over them.
// Must not know: what a task does.

#include "cpu/thread_team.h"

#include <immintrin.h>

#include <system_error>

namespace video_depth::cpu {

namespace {

/// Calls follow each other within microseconds: about so long a thread looks before it sleeps.
constexpr int kSpins = 4000;

template <class Ready>
bool spin(const Ready& ready) {
  for (int i = 0; i < kSpins; i++) {
    if (ready()) return true;
    _mm_pause();
  }
  return ready();
}

} // namespace

ThreadTeam::ThreadTeam(int threads) {
  helpers_.reserve(static_cast<size_t>(threads > 1 ? threads - 1 : 0));
  try {
    for (int worker = 1; worker < threads; worker++) helpers_.emplace_back([this, worker] { help(worker); });
  } catch (const std::system_error&) {
    // No further thread can be had; those that started and the caller do all the work.
  }
}

ThreadTeam::~ThreadTeam() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
    call_++;
  }
  wake_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

void ThreadTeam::run(int tasks, const std::function<void(int, int)>& body) {
  if (helpers_.empty() || tasks < 2) {
    for (int task = 0; task < tasks; task++) body(task, 0);
    return;
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    tasks_ = tasks;
    body_ = &body;
    failure_ = nullptr;
    next_ = 0;
    busy_ = static_cast<int>(helpers_.size());
    call_++;
  }
  wake_.notify_all();
  work(0);
  const auto idle = [this] { return busy_.load() == 0; };
  if (!spin(idle)) {
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, idle);
  }
  body_ = nullptr;
  if (failure_) std::rethrow_exception(failure_);
}

void ThreadTeam::help(int worker) {
  unsigned seen = 0;
  const auto called = [&] { return call_.load() != seen; };
  for (;;) {
    if (!spin(called)) {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, called);
    }
    seen = call_.load();
    if (ending_) return;
    work(worker);
    if (--busy_ == 0) {
      const std::lock_guard<std::mutex> lock(mutex_); // or the caller could fall asleep just after this is told
      done_.notify_one();
    }
  }
}

void ThreadTeam::work(int worker) {
  for (int task = next_++; task < tasks_; task = next_++) {
    try {
      (*body_)(task, worker);
    } catch (...) {
      next_ = tasks_;
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  }
}

} // namespace video_depth::cpu

// Owns: threads that stay, and spreading tasks over them.
// Must not know: what a task does.

#include "cpu/thread_team.h"

#include <stdexcept>

namespace video_depth::cpu {

namespace {

/// Calls follow each other within microseconds: about so long a thread looks before it sleeps.
constexpr int kSpins = 2000;

constexpr int kTaskBits = 24;
constexpr uint64_t kTaskMask = (uint64_t{1} << kTaskBits) - 1;

constexpr uint64_t tasks_in(uint64_t ticket) {
  return (ticket >> kTaskBits) & kTaskMask;
}

constexpr uint64_t taken_in(uint64_t ticket) {
  return ticket & kTaskMask;
}

/// Tells the core that it waits in a loop.
void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <class Ready>
bool spin(const Ready& ready) {
  for (int i = 0; i < kSpins; i++) {
    if (ready()) return true;
    pause();
  }
  return ready();
}

} // namespace

ThreadTeam::ThreadTeam(int threads) {
  helpers_.reserve(static_cast<size_t>(threads > 1 ? threads - 1 : 0));
  try {
    for (int worker = 1; worker < threads; worker++) helpers_.emplace_back([this, worker] { help(worker); });
  } catch (const std::exception&) {
    // No further thread can be had; those that started and the caller do all the work.
  }
}

ThreadTeam::~ThreadTeam() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

bool ThreadTeam::has_tasks(Ticket ticket) {
  return taken_in(ticket) < tasks_in(ticket);
}

void ThreadTeam::run(int tasks, const std::function<void(int, int)>& body) {
  if (tasks > static_cast<int>(kTaskMask)) throw std::length_error("more tasks than a call can count");
  if (helpers_.empty() || tasks < 2) {
    for (int task = 0; task < tasks; task++) body(task, 0);
    return;
  }
  body_ = &body;
  failure_ = nullptr;
  failed_ = false;
  finished_ = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const uint64_t call = (ticket_.load() >> (2 * kTaskBits)) + 1;
    ticket_ = (call << (2 * kTaskBits)) | (static_cast<uint64_t>(tasks) << kTaskBits);
  }
  wake_.notify_all();
  work(0);
  const auto over = [&] { return finished_.load() == tasks; };
  if (!spin(over)) {
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, over);
  }
  if (failed_) std::rethrow_exception(failure_);
}

void ThreadTeam::help(int worker) {
  const auto called = [this] { return has_tasks(ticket_.load()) || ending_.load(); };
  while (!ending_) {
    if (!spin(called)) {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, called);
    }
    work(worker);
  }
}

void ThreadTeam::work(int worker) {
  Ticket ticket = ticket_.load();
  while (has_tasks(ticket)) {
    if (!ticket_.compare_exchange_weak(ticket, ticket + 1)) continue;
    // From here on the call cannot end before this task has.
    perform(static_cast<int>(taken_in(ticket)), worker);
    if (finished_.fetch_add(1) + 1 == static_cast<int>(tasks_in(ticket))) {
      const std::lock_guard<std::mutex> lock(
          mutex_); // or the caller could fall asleep just after this is told
      done_.notify_one();
    }
    ticket = ticket_.load();
  }
}

void ThreadTeam::perform(int task, int worker) {
  if (failed_) return;
  try {
    (*body_)(task, worker);
  } catch (...) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!failed_) failure_ = std::current_exception();
    failed_ = true;
  }
}

} // namespace video_depth::cpu

// Owns: an engine's two threads: one that gives work to the device, one that waits for it; their order and
// their end. Must not know: what the work is, Node.js.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace video_depth::gpu {

/// A thread that runs what it is given, in order.
class WorkThread {
 public:
  WorkThread() : thread_([this] { loop(); }) {}
  WorkThread(const WorkThread&) = delete;
  WorkThread& operator=(const WorkThread&) = delete;
  /// Runs what is queued, then ends.
  ~WorkThread();

  /// @param task must not throw
  void post(std::function<void()> task);

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool ended_ = false;
  std::thread thread_;
};

/// Runs on the completing thread: waits for the device and hands results over. May throw.
using Epilogue = std::function<void()>;

/// Runs on the device thread: queues work on the device. May throw.
using Work = std::function<Epilogue()>;

/// Called exactly once, on either thread, with what was thrown, or null. Must not throw.
using Settle = std::function<void(std::exception_ptr)>;

/// Why nothing begins any more. Shared by the executors of one device: what loses the context for one loses
/// it for all.
class Ending {
 public:
  /// The first reason stays, but for `is_final`.
  void set(const std::exception_ptr& reason, bool is_final);
  /// Null while work begins.
  std::exception_ptr reason() const;

 private:
  mutable std::mutex mutex_;
  std::exception_ptr reason_;
};

/// Work begins in the order given and epilogues run in that order, too. After a lasting failure, and after
/// `shut`, what has not begun is settled with that failure instead.
class Executor {
 public:
  /// Throws GpuFailure where the device cannot be used.
  Executor(int device, std::shared_ptr<Ending> ending);
  /// Waits for both threads.
  ~Executor();

  void submit(Work work, Settle settle);

  /// Runs on the device thread whatever has happened; for freeing. @param task must not throw
  void submit_always(std::function<void()> task);

  /// On the device thread: waits until every epilogue so far has run.
  void drain();

  /// Nothing begins any more.
  void shut();

 private:
  void run(const Work& work, const Settle& settle);
  void complete(const Epilogue& epilogue, const Settle& settle);
  void end(const std::exception_ptr& reason);

  std::shared_ptr<Ending> ending_;
  // The device thread is destroyed, and so drained, first: it posts to the other one.
  WorkThread completing_;
  WorkThread device_;
};

} // namespace video_depth::gpu

// Owns: an engine's two threads: one that gives work to the device, one that waits for it; their order and
// their end. Must not know: what the work is, Node.js.

#include "gpu/executor.h"

#include <cuda_runtime_api.h>

#include <future>
#include <utility>

#include "cuda/failure.h"

namespace video_depth::gpu {

WorkThread::~WorkThread() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void WorkThread::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void WorkThread::loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ended_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    {
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    } // what it holds is freed outside of the lock
    lock.lock();
  }
}

void Ending::set(const std::exception_ptr& reason, bool is_final) {
  const std::lock_guard lock(mutex_);
  if (!reason_ || is_final) reason_ = reason;
}

std::exception_ptr Ending::reason() const {
  const std::lock_guard lock(mutex_);
  return reason_;
}

Executor::Executor(int device, std::shared_ptr<Ending> ending) : ending_(std::move(ending)) {
  for (WorkThread* thread : {&device_, &completing_}) {
    auto failure = std::make_shared<std::promise<void>>();
    std::future<void> ready = failure->get_future();
    thread->post([device, failure] {
      try {
        cuda::check(cudaSetDevice(device), "choosing the GPU");
        failure->set_value();
      } catch (...) {
        failure->set_exception(std::current_exception());
      }
    });
    ready.get();
  }
}

Executor::~Executor() {
  shut();
}

void Executor::submit(Work work, Settle settle) {
  device_.post([this, work = std::move(work), settle = std::move(settle)] { run(work, settle); });
}

void Executor::submit_always(std::function<void()> task) {
  device_.post(std::move(task));
}

void Executor::drain() {
  std::promise<void> drained;
  completing_.post([&drained] { drained.set_value(); });
  drained.get_future().wait();
}

void Executor::run(const Work& work, const Settle& settle) {
  if (const std::exception_ptr reason = ending_->reason()) return settle(reason);
  Epilogue epilogue;
  try {
    epilogue = work();
  } catch (...) {
    end(std::current_exception());
    return settle(std::current_exception());
  }
  if (!epilogue) return settle(nullptr);
  completing_.post([this, epilogue = std::move(epilogue), settle] { complete(epilogue, settle); });
}

void Executor::complete(const Epilogue& epilogue, const Settle& settle) {
  try {
    epilogue();
  } catch (...) {
    end(std::current_exception());
    return settle(std::current_exception());
  }
  settle(nullptr);
}

/// Only a lasting failure ends it.
void Executor::end(const std::exception_ptr& reason) {
  try {
    std::rethrow_exception(reason);
  } catch (const GpuFailure& failure) {
    if (!failure.is_lasting()) return;
    const std::string message = std::string("The GPU's context was lost earlier (") + failure.what() +
                                "). No GPU work is possible in this process any more: restart it.";
    ending_->set(std::make_exception_ptr(GpuFailure(failure.code(), message, true)), false);
  } catch (...) { // NOLINT(bugprone-empty-catch): concerns this piece of work alone
  }
}

void Executor::shut() {
  ending_->set(std::make_exception_ptr(GpuFailure("CLOSED", "The engine was closed")), true);
}

} // namespace video_depth::gpu

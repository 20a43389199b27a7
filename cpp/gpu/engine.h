// Owns: one device with TensorRT on it: opening and closing, and what lives on it meanwhile.
// Must not know: what its residents do, Node.js.
#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cuda/failure.h"
#include "gpu/device.h"
#include "gpu/probe.h"
#include "tensorrt/interface.h"

namespace video_depth::gpu {

/// Something on the device that a caller has a handle to, and that the engine can take away. For the device
/// thread.
class Holding {
 public:
  virtual ~Holding() = default;
  virtual void drop() noexcept = 0;
};

template <class T>
class Held final : public Holding {
 public:
  void set(std::shared_ptr<T> object) { object_ = std::move(object); }
  void drop() noexcept override { object_.reset(); }

  /// Throws GpuFailure after `drop` and after a failure.
  T& get() { return *share(); }
  const std::shared_ptr<T>& share() {
    {
      const std::lock_guard lock(mutex_);
      if (failure_) std::rethrow_exception(failure_);
    }
    if (!object_) throw GpuFailure("CLOSED", "It was closed");
    return object_;
  }

  /// From any thread: something failed on the device, so what is queued or kept since then cannot be trusted.
  void fail(const std::exception_ptr& failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = failure;
  }

 private:
  std::shared_ptr<T> object_;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

/// Opened and closed by any thread, each blocking for a while.
class Engine {
 public:
  /// Takes the newest TensorRT that can be used. Throws GpuFailure: GPU_UNAVAILABLE, TENSORRT_UNAVAILABLE,
  /// GPU_OUT_OF_MEMORY, GPU_FAILED.
  Engine(int device, const std::vector<std::string>& folders);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  /// Ends a build, settles everything that has not begun with CLOSED, waits for the rest, frees all holdings.
  ~Engine();

  const DeviceInfo& device() const { return device_; }
  int tensorrt_version() const { return tensorrt_version_; }
  int tensorrt_build() const { return tensorrt_build_; }
  Executor& executor() { return *executor_; }
  /// For builds, which take minutes: a device thread of their own, so that sessions and streams go on.
  Executor& building() { return *building_; }
  /// Set to end the build under way.
  std::atomic<bool>& build_cancelled() { return build_cancelled_; }

  // For the device thread.
  DeviceLanes& lanes() { return *lanes_; }
  tensorrt::Api& api() { return *api_; }
  /// For the building thread.
  tensorrt::Api& build_api();
  void adopt(std::shared_ptr<Holding> holding) { holdings_.push_back(std::move(holding)); }
  /// Waits for the epilogues that use it.
  void release(const std::shared_ptr<Holding>& holding);

 private:
  void close();
  void free_all() noexcept;

  DeviceInfo device_;
  int tensorrt_version_ = 0, tensorrt_build_ = 0;
  std::atomic<bool> build_cancelled_{false};
  std::unique_ptr<DeviceLanes> lanes_;
  tensorrt::Library library_;
  std::unique_ptr<tensorrt::Api> api_, build_api_;
  std::vector<std::shared_ptr<Holding>> holdings_;
  // Last: its threads use everything above.
  std::unique_ptr<Executor> executor_, building_;
};

} // namespace video_depth::gpu

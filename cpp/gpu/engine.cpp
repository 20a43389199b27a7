// Owns: one device with TensorRT on it: opening and closing, and what lives on it meanwhile.
// Must not know: what its residents do, Node.js.

#include "gpu/engine.h"

#include <algorithm>
#include <future>

namespace video_depth::gpu {

namespace {

DeviceInfo usable_device(int index) {
  const Probe found = probe_devices();
  if (!found.problem.empty()) throw GpuFailure("GPU_UNAVAILABLE", "No GPU can be used: " + found.problem);
  if (index < 0 || static_cast<size_t>(index) >= found.devices.size()) {
    throw GpuFailure("GPU_UNAVAILABLE", "Expected a device below " + std::to_string(found.devices.size()) +
                                            " for device, received " + std::to_string(index));
  }
  return found.devices[static_cast<size_t>(index)];
}

tensorrt::Library usable_library(const std::vector<std::string>& folders) {
  std::string problems;
  for (const tensorrt::CompiledMajor& compiled : tensorrt::compiled_majors()) {
    tensorrt::Library library = tensorrt::open_library(compiled.major, folders);
    if (library.report.problem.empty()) return library;
    problems += (problems.empty() ? "" : "; ") + library.report.problem;
  }
  throw GpuFailure("TENSORRT_UNAVAILABLE", "TensorRT cannot be used: " + problems);
}

} // namespace

Engine::Engine(int device, const std::vector<std::string>& folders) : device_(usable_device(device)) {
  library_ = usable_library(folders);
  tensorrt_version_ = library_.report.version;
  tensorrt_build_ = library_.report.build;
  const auto ending = std::make_shared<Ending>();
  executor_ = std::make_unique<Executor>(device, ending);
  building_ = std::make_unique<Executor>(device, ending);
  std::promise<void> opened;
  executor_->submit(
      [&]() -> Epilogue {
        lanes_ = std::make_unique<DeviceLanes>();
        api_ = tensorrt::open_api(library_);
        return nullptr;
      },
      [&opened](const std::exception_ptr& failure) {
        if (failure) {
          opened.set_exception(failure);
        } else {
          opened.set_value();
        }
      });
  try {
    opened.get_future().get();
  } catch (...) {
    close();
    throw;
  }
}

Engine::~Engine() {
  close();
}

/// The executor itself goes last, when nothing of this engine is queued any more.
void Engine::close() {
  build_cancelled_ = true;
  executor_->shut();
  std::promise<void> built;
  building_->submit_always([&] {
    build_api_.reset();
    built.set_value();
  });
  built.get_future().wait();
  std::promise<void> freed;
  executor_->submit_always([&] {
    executor_->drain();
    free_all();
    freed.set_value();
  });
  freed.get_future().wait();
}

tensorrt::Api& Engine::build_api() {
  if (!build_api_) build_api_ = tensorrt::open_api(library_);
  return *build_api_;
}

void Engine::release(const std::shared_ptr<Holding>& holding) {
  executor_->drain();
  holding->drop();
  holdings_.erase(std::remove(holdings_.begin(), holdings_.end(), holding), holdings_.end());
}

/// In reverse: sessions before the plans that they run.
void Engine::free_all() noexcept {
  for (auto holding = holdings_.rbegin(); holding != holdings_.rend(); ++holding) (*holding)->drop();
  holdings_.clear();
  api_.reset();
  lanes_.reset();
}

} // namespace video_depth::gpu

// Owns: what tests of plans share: models for the double, plans built of them, memory for their ports.
// Must not know: what is tested.
#pragma once

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cuda/failure.h"
#include "cuda/memory.h"
#include "gpu-double/queue.h"
#include "tensorrt/interface.h"

namespace video_depth::test {

/// A small model for the double.
inline const char* const kDecoder =
    "graph depth-decoder\ninput path3 float16 2x4x3x5\ninput layer1 float16 2x4x6x10\n"
    "output depth float32 2x6x10\nworkspace 4096\n";

/// A healthy double for one test, and a check that nothing is left behind.
class Device {
 public:
  Device() { gpu_double::reset(); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device() {
    CHECK(gpu_double::total(gpu_double::live()) == 0);
    for (const std::string& fault : gpu_double::faults()) FAIL_CHECK(fault);
    gpu_double::reset();
  }
};

inline std::string double_folder(const std::string& name) {
  return std::string(GPU_DOUBLE_FOLDER) + "/" + name;
}

inline std::unique_ptr<tensorrt::Api> open_double(int major = 10) {
  const auto library = tensorrt::open_library(major, {double_folder("trt" + std::to_string(major))});
  REQUIRE(library.report.problem == "");
  return tensorrt::open_api(library);
}

class ModelFile {
 public:
  explicit ModelFile(const std::string& text) {
    char name[] = "/tmp/video-depth-model-XXXXXX";
    const int file = mkstemp(name);
    REQUIRE(file >= 0);
    close(file);
    path_ = name;
    std::ofstream(path_) << text;
  }
  ModelFile(const ModelFile&) = delete;
  ModelFile& operator=(const ModelFile&) = delete;
  ~ModelFile() { std::remove(path_.c_str()); }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class QuietMonitor final : public tensorrt::BuildMonitor {
 public:
  void progress(const std::string&, double) noexcept override {}
  bool cancelled() noexcept override { return false; }
};

inline tensorrt::BuildResult build(tensorrt::Api& api, const std::string& model,
                                   const std::vector<uint8_t>& timing_cache = {}) {
  const ModelFile file(model);
  QuietMonitor monitor;
  return api.build({file.path(), size_t{1} << 20, 3, timing_cache}, monitor);
}

inline std::unique_ptr<tensorrt::Plan> load(tensorrt::Api& api, const std::string& model) {
  const auto built = build(api, model);
  return api.load(built.plan.data(), built.plan.size());
}

/// Memory for every port of a plan and its scratch.
class Ports {
 public:
  explicit Ports(const tensorrt::Plan& plan) : scratch_(plan.scratch_bytes()) {
    for (const tensorrt::Port& port : plan.ports())
      buffers_.emplace(port.name, cuda::DeviceBuffer(port.bytes));
  }

  void bind_to(tensorrt::Execution& execution, const std::string& but = "") {
    for (const auto& [name, buffer] : buffers_) {
      if (name != but) execution.bind(name, buffer.data());
    }
    execution.set_scratch(scratch_.data(), scratch_.bytes());
  }
  template <class T>
  void write(const std::string& port, const std::vector<T>& values) {
    REQUIRE(values.size() * sizeof(T) == buffers_.at(port).bytes());
    cuda::check(cudaMemcpy(buffers_.at(port).data(), values.data(), buffers_.at(port).bytes(),
                           cudaMemcpyHostToDevice),
                "writing a port");
  }
  template <class T>
  std::vector<T> read(const std::string& port) const {
    std::vector<T> values(buffers_.at(port).bytes() / sizeof(T));
    cuda::check(cudaMemcpy(values.data(), buffers_.at(port).data(), buffers_.at(port).bytes(),
                           cudaMemcpyDeviceToHost),
                "reading a port");
    return values;
  }

 private:
  std::map<std::string, cuda::DeviceBuffer> buffers_;
  cuda::DeviceBuffer scratch_;
};

/// The failure that `run` ends in.
template <class Run>
GpuFailure failure_of(const Run& run) {
  try {
    run();
  } catch (const GpuFailure& failure) {
    return failure;
  }
  FAIL("Expected a GpuFailure, received none");
  throw 0;
}

inline std::string code_of(const GpuFailure& failure) {
  return failure.code();
}

inline bool contains(const std::string& text, const std::string& part) {
  const bool does = text.find(part) != std::string::npos;
  if (!does) MESSAGE("in: ", text);
  return does;
}

} // namespace video_depth::test

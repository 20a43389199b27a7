// Owns: what the rest of the core uses of TensorRT, in terms that are the same for every major version.
// Must not know: TensorRT's headers, plans' meaning.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tensorrt/library.h"

namespace video_depth::tensorrt {

enum class ElementType { kFloat32, kFloat16, kInt32, kInt64, kOther };

/// An input or output of a plan.
struct Port {
  std::string name;
  bool is_input = false;
  ElementType type = ElementType::kOther;
  std::vector<int64_t> shape;
  size_t bytes = 0;
};

struct BuildRequest {
  /// Its external data lies beside it.
  std::string onnx_path;
  size_t workspace_bytes = 0;
  /// 0…5
  int optimization_level = 3;
  /// What an earlier build left, on the same device with the same library; an unusable one is left aside.
  std::vector<uint8_t> timing_cache;
};

struct BuildResult {
  std::vector<uint8_t> plan;
  /// Empty where the library gave none.
  std::vector<uint8_t> timing_cache;
};

/// Called often, from one thread at a time: the building thread, or one of TensorRT's own meanwhile.
class BuildMonitor {
 public:
  virtual ~BuildMonitor() = default;
  /// @param phase TensorRT's name of the outermost phase under way
  /// @param fraction 0…1 within it
  virtual void progress(const std::string& phase, double fraction) noexcept = 0;
  virtual bool cancelled() noexcept = 0;
};

/// One use of a plan, with its own addresses. Not thread-safe; runs of executions that share scratch never
/// overlap.
class Execution {
 public:
  virtual ~Execution() = default;
  /// Before the first run, for every port. Aligned to 256 bytes.
  virtual void bind(const std::string& port, void* address) = 0;
  /// At least the plan's scratch_bytes, aligned to 256 bytes.
  virtual void set_scratch(void* scratch, size_t bytes) = 0;
  /// Queues one run. May be captured into a CUDA graph after one run outside of a capture.
  virtual void enqueue(cudaStream_t stream) = 0;
};

/// A deserialized plan: immutable. It outlives its executions.
class Plan {
 public:
  virtual ~Plan() = default;
  virtual const std::vector<Port>& ports() const = 0;
  virtual size_t scratch_bytes() const = 0;
  /// JSON of the layers that the builder chose.
  virtual std::string layers() const = 0;
  virtual std::unique_ptr<Execution> new_execution() = 0;
};

/// TensorRT of one major version on the calling thread's current device. Used by one thread. Everything
/// throws GpuFailure with TensorRT's own messages: PLAN_FAILED, ABORTED for a cancelled build,
/// GPU_OUT_OF_MEMORY.
class Api {
 public:
  virtual ~Api() = default;
  virtual BuildResult build(const BuildRequest& request, BuildMonitor& monitor) = 0;
  virtual std::unique_ptr<Plan> load(const void* plan, size_t bytes) = 0;
};

/// Major versions that were compiled in, with the headers' version, newest first.
struct CompiledMajor {
  int major;
  int header_version;
};
std::vector<CompiledMajor> compiled_majors();

/// `library` was opened without a problem, and a CUDA device is there and current: without one TensorRT ends
/// the process.
std::unique_ptr<Api> open_api(const Library& library);

} // namespace video_depth::tensorrt

// Owns: how the GPU parts report what went wrong.
// Must not know: how a caller shows it.
#pragma once

#include <cuda_runtime_api.h>

#include <stdexcept>
#include <string>

namespace video_depth {

/// `code` is the VideoDepthError code of lib/base/errors.ts: GPU_UNAVAILABLE, GPU_OUT_OF_MEMORY, GPU_FAILED,
/// TENSORRT_UNAVAILABLE, PLAN_FAILED, CLOSED or ABORTED.
class GpuFailure : public std::runtime_error {
 public:
  /// @param is_lasting the device's context is lost: nothing that is left on it can be used or freed
  GpuFailure(const char* code, const std::string& message, bool is_lasting = false)
      : std::runtime_error(message), code_(code), is_lasting_(is_lasting) {}

  const char* code() const { return code_; }
  bool is_lasting() const { return is_lasting_; }

 private:
  const char* code_;
  bool is_lasting_;
};

/// A failure before anything was begun: what it concerns is as it was.
class NothingBegun : public GpuFailure {
 public:
  explicit NothingBegun(const GpuFailure& failure)
      : GpuFailure(failure.code(), failure.what(), failure.is_lasting()) {}
};

namespace cuda {

/// Throws GpuFailure unless `status` is cudaSuccess: GPU_OUT_OF_MEMORY, which leaves the context usable, or
/// GPU_FAILED, lasting where CUDA says so.
/// @param operation what was tried, as "copying frames to the GPU"
void check(cudaError_t status, const char* operation);

} // namespace cuda
} // namespace video_depth

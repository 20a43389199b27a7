// Owns: which TensorRT major versions were compiled in, and the way to them.
// Must not know: TensorRT's headers.

#include <cuda_runtime_api.h>

#include "cuda/failure.h"
#include "tensorrt/adapter.h"

namespace video_depth::tensorrt {
namespace {

struct Major {
  int number;
  int header_version;
  std::unique_ptr<Api> (*make_api)(const Library&);
};

/// Newest first.
std::vector<Major> majors() {
  return {
#if defined(VIDEO_DEPTH_TENSORRT11)
    {11, trt11::header_version(), trt11::make_api},
#endif
#if defined(VIDEO_DEPTH_TENSORRT10)
        {10, trt10::header_version(), trt10::make_api},
#endif
  };
}

/// Without a driver, 10.6's createInferBuilder ends the process (an exception leaves a noexcept function),
/// and createInferRuntime of 10.15 and 11.2 returns a small address that is no object: seen. So a device is
/// asked for first.
void check_device() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) return;
  const char* const reason = status == cudaSuccess ? "none is there" : cudaGetErrorString(status);
  throw GpuFailure("GPU_UNAVAILABLE", std::string("Expected a CUDA device for TensorRT: ") + reason);
}

} // namespace

std::vector<CompiledMajor> compiled_majors() {
  std::vector<CompiledMajor> compiled;
  for (const Major& major : majors()) compiled.push_back({major.number, major.header_version});
  return compiled;
}

std::unique_ptr<Api> open_api(const Library& library) {
  if (!library.report.problem.empty()) throw GpuFailure("TENSORRT_UNAVAILABLE", library.report.problem);
  check_device();
  for (const Major& major : majors()) {
    if (major.number == library.report.major) return major.make_api(library);
  }
  throw GpuFailure("TENSORRT_UNAVAILABLE",
                   "TensorRT " + std::to_string(library.report.major) + " was not compiled in");
}

} // namespace video_depth::tensorrt

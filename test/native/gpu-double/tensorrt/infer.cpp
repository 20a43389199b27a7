// Owns: the entry points of the libnvinfer double.
// Must not know: what is behind them.

#include <cstdlib>

#include "common.h"

#define ENTRY extern "C" __attribute__((visibility("default")))

namespace {

/// As TensorRT does, the first logger is kept for the whole process and used by all.
nvinfer1::ILogger* process_logger(void* given) {
  static auto* const first = static_cast<nvinfer1::ILogger*>(given);
  if (first != given) first->log(nvinfer1::ILogger::Severity::kWARNING, "another logger is in use already");
  return first;
}

/// Without a device, real libraries end the process or return what is no object.
void need_device() {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) std::abort();
}

} // namespace

ENTRY int32_t getInferLibVersion() noexcept {
  return GPU_DOUBLE_TENSORRT;
}

ENTRY void* createInferBuilder_INTERNAL(void* logger, int32_t) noexcept {
  need_device();
  process_logger(logger);
  return gpu_double::new_builder(static_cast<nvinfer1::ILogger*>(logger));
}

ENTRY void* createInferRuntime_INTERNAL(void* logger, int32_t) noexcept {
  need_device();
  process_logger(logger);
  return gpu_double::new_runtime(static_cast<nvinfer1::ILogger*>(logger));
}

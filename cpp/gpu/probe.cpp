// Owns: what GPU, driver and TensorRT this machine has, and why they cannot be used.
// Must not know: engines.

#include "gpu/probe.h"

#include <cuda_runtime_api.h>

#include "tensorrt/interface.h"

namespace video_depth::gpu {

namespace {

std::string device_problem(cudaError_t status, int count, int driver) {
  if (status == cudaSuccess && count > 0) return "";
  if (status == cudaErrorInsufficientDriver && driver != 0) {
    return "the driver supports CUDA up to " + cuda_version_text(driver) + ", this build needs " +
           cuda_version_text(CUDART_VERSION / 1000 * 1000) + " or newer";
  }
  if (driver == 0) return "no NVIDIA driver was found";
  if (status == cudaErrorNoDevice || count == 0) return "the driver reports no GPU";
  return std::string("CUDA answers: ") + cudaGetErrorString(status);
}

DeviceInfo device_info(int index) {
  cudaDeviceProp properties{};
  if (cudaGetDeviceProperties(&properties, index) != cudaSuccess)
    return {index, "a GPU that does not answer"};
  return {index,
          properties.name,
          properties.major,
          properties.minor,
          properties.totalGlobalMem,
          properties.multiProcessorCount};
}

} // namespace

Probe probe_devices() {
  Probe result;
  cudaDriverGetVersion(&result.driver);
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  result.problem = device_problem(status, count, result.driver);
  cudaGetLastError(); // or the next check would find it
  for (int i = 0; status == cudaSuccess && i < count; i++) result.devices.push_back(device_info(i));
  return result;
}

Probe probe(const std::vector<std::string>& folders) {
  Probe result = probe_devices();
  for (const tensorrt::CompiledMajor& compiled : tensorrt::compiled_majors()) {
    result.libraries.push_back(tensorrt::open_library(compiled.major, folders).report);
  }
  return result;
}

std::string cuda_version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

} // namespace video_depth::gpu

// Owns: what GPU, driver and TensorRT this machine has, and why they cannot be used.
// Must not know: engines.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tensorrt/library.h"

namespace video_depth::gpu {

struct DeviceInfo {
  int index = 0;
  std::string name;
  /// Compute capability.
  int major = 0, minor = 0;
  size_t memory_bytes = 0;
  int multiprocessors = 0;
};

struct Probe {
  /// CUDA version that the driver supports, 1000 · major + 10 · minor; 0 where there is no driver.
  int driver = 0;
  /// Why no device can be used; empty where one can.
  std::string problem;
  std::vector<DeviceInfo> devices;
  /// One report for each major version that was compiled in, newest first.
  std::vector<tensorrt::LibraryReport> libraries;
};

/// Never throws for what is missing. Asks CUDA first: without a device no entry point of TensorRT may be
/// called.
Probe probe(const std::vector<std::string>& folders);

/// Without the libraries, none of which is opened.
Probe probe_devices();

/// "13.0"
std::string cuda_version_text(int version);

} // namespace video_depth::gpu

// Owns: finding TensorRT's libraries, opening them at run time, and saying why one cannot be used.
// Must not know: CUDA, what a plan is for.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace video_depth::tensorrt {

/// The oldest that is used: 10.0 to 10.2 lack what sessions need.
constexpr int kOldestVersion = 100300;

/// A TensorRT major version that was opened, or why it could not be.
struct LibraryReport {
  int major = 0;
  /// major · 10000 + minor · 100 + patch; 0 where it could not be opened.
  int version = 0;
  /// Tells builds of one version apart; 0 where the library does not say.
  int build = 0;
  /// Files as the system found them.
  std::string infer_path, parser_path;
  /// Empty where the library can be used.
  std::string problem;
};

/// Handles to libnvinfer and libnvonnxparser of one major version; never closed, as TensorRT keeps threads.
struct Library {
  LibraryReport report;
  void* create_builder = nullptr;
  void* create_runtime = nullptr;
  void* create_parser = nullptr;
};

/// Tries `folders` in order, then what TENSORRT<major>_ROOT and TENSORRT_ROOT name; one of these that holds a
/// library which cannot be used is the answer, unless another holds a usable one. Where these hold none: the
/// system's own search, then the usual places. Calls nothing but getInferLibVersion, which is safe without a
/// driver.
Library open_library(int major, const std::vector<std::string>& folders);

/// "10.6.0"
std::string version_text(int version);

} // namespace video_depth::tensorrt

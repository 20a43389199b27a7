// Owns: what TensorRT said during one operation, and how that becomes an error.
// Must not know: TensorRT's headers.
#pragma once

#include <mutex>
#include <string>
#include <vector>

namespace video_depth::tensorrt {

/// Takes messages from any thread; keeps a bounded number.
class Messages {
 public:
  enum class Severity { kWarning, kError };

  void add(Severity severity, const char* text) noexcept;
  void add_out_of_memory() noexcept;
  /// Before an operation.
  void clear() noexcept;
  /// Errors, then warnings, one a line.
  std::string text() const;

  /// Throws GpuFailure: the device's own error where its context is lost, GPU_OUT_OF_MEMORY where memory ran
  /// out, else PLAN_FAILED.
  /// @param what as "building the plan of encoder.onnx failed"
  [[noreturn]] void fail(const std::string& what) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> errors_, warnings_;
  bool out_of_memory_ = false;
};

} // namespace video_depth::tensorrt

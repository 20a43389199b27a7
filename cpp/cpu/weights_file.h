// Owns: reading named float32 tensors of a weights file, without keeping them in memory.
// Must not know: what the tensors are for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace video_depth::cpu {

struct TensorPlace {
  /// Bytes from the file's start.
  uint64_t offset = 0;
  std::vector<int64_t> shape;
};

using TensorPlaces = std::unordered_map<std::string, TensorPlace>;

/// Maps the file while it lives.
class WeightsFile {
 public:
  /// Throws Error where the file cannot be read.
  WeightsFile(const std::string& path, TensorPlaces tensors);
  ~WeightsFile();
  WeightsFile(const WeightsFile&) = delete;
  WeightsFile& operator=(const WeightsFile&) = delete;

  bool has(const std::string& name) const { return tensors_.count(name) != 0; }
  /// Valid until the file is closed. Throws Error unless it has `count` elements, all within the file.
  const float* tensor(const std::string& name, int64_t count) const;
  /// 0 where there is no such tensor.
  int64_t elements(const std::string& name) const;

 private:
  std::string path_;
  TensorPlaces tensors_;
  void* map_ = nullptr;
  size_t bytes_ = 0;
};

} // namespace video_depth::cpu

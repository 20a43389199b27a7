// Owns: what the parts of the TensorRT double share: errors, memory, the network between parser and builder.
// Must not know: how plans are built or run.
#pragma once

#include <NvInfer.h>

#include <cstring>
#include <string>
#include <vector>

#include "model.h"

namespace gpu_double {

/// What the parser library hands to the infer library.
class Network final : public nvinfer1::INetworkDefinition {
 public:
  std::string text;
};

class HostMemory final : public nvinfer1::IHostMemory {
 public:
  explicit HostMemory(const std::string& bytes) : bytes_(bytes.begin(), bytes.end()) {}
  void* data() const noexcept override { return const_cast<char*>(bytes_.data()); }
  size_t size() const noexcept override { return bytes_.size(); }

 private:
  std::vector<char> bytes_;
};

/// Errors go to the recorder and to the log, as TensorRT's often do.
struct Reporter {
  nvinfer1::ILogger* logger = nullptr;
  nvinfer1::IErrorRecorder* recorder = nullptr;

  void error(nvinfer1::ErrorCode code, const std::string& text) const {
    if (recorder != nullptr) recorder->reportError(code, text.c_str());
    logger->log(nvinfer1::ILogger::Severity::kERROR, text.c_str());
  }
  void warn(const std::string& text) const {
    logger->log(nvinfer1::ILogger::Severity::kWARNING, text.c_str());
  }
};

/// Header of a plan and of a timing cache: another version's, or a damaged one, is refused.
struct Tag {
  char kind[8];
  int64_t version;
  uint64_t checksum;
};

inline uint64_t checksum(const std::string& bytes) {
  uint64_t hash = 14695981039346656037ULL;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
  return hash;
}

inline std::string tagged(const char* kind, const std::string& bytes) {
  Tag tag{{}, GPU_DOUBLE_TENSORRT, checksum(bytes)};
  std::strncpy(tag.kind, kind, sizeof tag.kind - 1);
  return std::string(reinterpret_cast<const char*>(&tag), sizeof tag) + bytes;
}

enum class TagState { kGood, kOtherVersion, kDamaged };

inline TagState read_tagged(const char* kind, const void* data, size_t size, std::string& bytes) {
  Tag tag;
  if (size < sizeof tag) return TagState::kDamaged;
  std::memcpy(&tag, data, sizeof tag);
  bytes.assign(static_cast<const char*>(data) + sizeof tag, size - sizeof tag);
  tag.kind[sizeof tag.kind - 1] = '\0';
  if (std::strcmp(tag.kind, kind) != 0 || tag.checksum != checksum(bytes)) return TagState::kDamaged;
  return tag.version == GPU_DOUBLE_TENSORRT ? TagState::kGood : TagState::kOtherVersion;
}

nvinfer1::IRuntime* new_runtime(nvinfer1::ILogger* logger);
nvinfer1::IBuilder* new_builder(nvinfer1::ILogger* logger);

} // namespace gpu_double

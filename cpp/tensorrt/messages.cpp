// Owns: see messages.h.
// Must not know: TensorRT's headers.

#include "tensorrt/messages.h"

#include <algorithm>
#include <cctype>

#include "cuda/failure.h"

namespace video_depth::tensorrt {
namespace {

constexpr size_t kMostMessages = 12;
constexpr size_t kMostCharacters = 1000;

bool says_out_of_memory(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text.find("out of memory") != std::string::npos || text.find("outofmemory") != std::string::npos;
}

/// TensorRT reports many errors twice, to its logger and to its recorder. Of too many, the last ones say why
/// it gave up.
void keep(std::vector<std::string>& messages, std::string text) {
  if (std::find(messages.begin(), messages.end(), text) != messages.end()) return;
  if (messages.size() == kMostMessages) messages.erase(messages.begin() + 1);
  messages.push_back(std::move(text));
}

} // namespace

void Messages::add(Severity severity, const char* text) noexcept {
  // Called through TensorRT's noexcept functions: a message that there is no memory for is lost.
  try {
    std::string clipped = text == nullptr ? "" : text;
    if (clipped.size() > kMostCharacters) clipped.resize(kMostCharacters);
    while (!clipped.empty() && std::isspace(static_cast<unsigned char>(clipped.back()))) clipped.pop_back();
    if (clipped.empty()) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (severity == Severity::kError && says_out_of_memory(clipped)) out_of_memory_ = true;
    keep(severity == Severity::kError ? errors_ : warnings_, std::move(clipped));
  } catch (...) {
  }
}

void Messages::add_out_of_memory() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  out_of_memory_ = true;
}

void Messages::clear() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  errors_.clear();
  warnings_.clear();
  out_of_memory_ = false;
}

std::string Messages::text() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string text;
  for (const auto* messages : {&errors_, &warnings_}) {
    for (const std::string& message : *messages) text += (text.empty() ? "" : "\n") + message;
  }
  return text;
}

void Messages::fail(const std::string& what) const {
  const std::string said = text();
  const std::string message = what + (said.empty() ? "; TensorRT gave no reason" : ":\n" + said);
  // TensorRT has a CUDA runtime of its own, so its last error is not ours to ask for. A lost context shows in
  // any call.
  size_t free_bytes = 0, total_bytes = 0;
  const cudaError_t status = cudaMemGetInfo(&free_bytes, &total_bytes);
  try {
    cuda::check(status, "asking the GPU for its state");
  } catch (const GpuFailure& failure) {
    throw GpuFailure(failure.code(), message + "\n" + failure.what(), failure.is_lasting());
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  throw GpuFailure(out_of_memory_ ? "GPU_OUT_OF_MEMORY" : "PLAN_FAILED", message);
}

} // namespace video_depth::tensorrt

// Owns: see callbacks.h.
// Must not know: what is built or run.

#include "tensorrt/callbacks.h"

namespace video_depth::tensorrt::VIDEO_DEPTH_TENSORRT_NAMESPACE {
namespace {

constexpr size_t kMostErrors = 64;

struct IdleLoggers {
  std::mutex mutex;
  std::vector<Logger*> loggers;
};

/// Never destroyed either: TensorRT's own exit handlers may still log.
IdleLoggers& idle_loggers() {
  static auto* const idle = new IdleLoggers;
  return *idle;
}

} // namespace

void Logger::log(Severity severity, const nvinfer1::AsciiChar* text) noexcept {
  if (severity > Severity::kWARNING) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (messages_ == nullptr) return;
  messages_->add(severity == Severity::kWARNING ? Messages::Severity::kWarning : Messages::Severity::kError,
                 text);
}

LoggerLease::LoggerLease(Messages& messages) {
  IdleLoggers& idle = idle_loggers();
  {
    const std::lock_guard<std::mutex> lock(idle.mutex);
    if (idle.loggers.empty()) idle.loggers.push_back(new Logger);
    logger_ = idle.loggers.back();
    idle.loggers.pop_back();
  }
  const std::lock_guard<std::mutex> lock(logger_->mutex_);
  logger_->messages_ = &messages;
}

LoggerLease::~LoggerLease() {
  {
    const std::lock_guard<std::mutex> lock(logger_->mutex_);
    logger_->messages_ = nullptr;
  }
  IdleLoggers& idle = idle_loggers();
  const std::lock_guard<std::mutex> lock(idle.mutex);
  idle.loggers.push_back(logger_);
}

int32_t ErrorRecorder::getNbErrors() const noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<int32_t>(entries_.size());
}

nvinfer1::ErrorCode ErrorRecorder::getErrorCode(int32_t index) const noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool is_known = index >= 0 && static_cast<size_t>(index) < entries_.size();
  return is_known ? entries_[static_cast<size_t>(index)].code : nvinfer1::ErrorCode::kINVALID_ARGUMENT;
}

ErrorRecorder::ErrorDesc ErrorRecorder::getErrorDesc(int32_t index) const noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool is_known = index >= 0 && static_cast<size_t>(index) < entries_.size();
  return is_known ? entries_[static_cast<size_t>(index)].text.c_str() : "";
}

bool ErrorRecorder::hasOverflowed() const noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  return has_overflowed_;
}

void ErrorRecorder::clear() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.clear();
  has_overflowed_ = false;
}

bool ErrorRecorder::reportError(nvinfer1::ErrorCode code, ErrorDesc text) noexcept {
  messages_.add(Messages::Severity::kError, text);
  if (code == nvinfer1::ErrorCode::kFAILED_ALLOCATION) messages_.add_out_of_memory();
  const std::lock_guard<std::mutex> lock(mutex_);
  try {
    entries_.reserve(kMostErrors);
    has_overflowed_ = has_overflowed_ || entries_.size() == kMostErrors;
    if (!has_overflowed_) entries_.push_back({code, text == nullptr ? "" : text});
  } catch (...) {
    has_overflowed_ = true;
  }
  return true;
}

void ProgressMonitor::phaseStart(const char* phase, const char* parent, int32_t steps) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (parent != nullptr && *parent != '\0') return;
  try {
    outermost_ = phase == nullptr ? "" : phase;
  } catch (...) {
    outermost_.clear();
  }
  steps_ = steps;
  steps_done_ = 0;
  report();
}

bool ProgressMonitor::stepComplete(const char* phase, int32_t step) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (phase != nullptr && outermost_ == phase) steps_done_ = step + 1;
  report();
  if (monitor_.cancelled()) was_cancelled_ = true;
  return !was_cancelled_;
}

void ProgressMonitor::phaseFinish(const char* phase) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (phase == nullptr || outermost_ != phase) return;
  steps_done_ = steps_;
  report();
}

void ProgressMonitor::report() noexcept {
  const double fraction = steps_ > 0 ? static_cast<double>(steps_done_) / steps_ : 0;
  monitor_.progress(outermost_, fraction > 1 ? 1 : fraction);
}

} // namespace video_depth::tensorrt::VIDEO_DEPTH_TENSORRT_NAMESPACE

// Owns: what TensorRT calls in us: log, errors, progress. Compiled once per major version.
// Must not know: what is built or run. Nothing here throws: TensorRT's functions are noexcept.
#pragma once

#include "tensorrt/headers.h"

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "tensorrt/interface.h"
#include "tensorrt/messages.h"

namespace video_depth::tensorrt::VIDEO_DEPTH_TENSORRT_NAMESPACE {

/// Never destroyed: TensorRT keeps the first logger that it is given for the whole process, and goes on using
/// it after the builder or runtime that brought it is gone. Loggers are lent out again, so there are as many
/// as Apis at one time.
class Logger final : public nvinfer1::ILogger {
 public:
  void log(Severity severity, const nvinfer1::AsciiChar* text) noexcept override;

 private:
  friend class LoggerLease;
  std::mutex mutex_;
  /// Null while nobody holds the logger.
  Messages* messages_ = nullptr;
};

/// A logger that writes to `messages` for as long as the lease lives.
class LoggerLease {
 public:
  explicit LoggerLease(Messages& messages);
  LoggerLease(const LoggerLease&) = delete;
  LoggerLease& operator=(const LoggerLease&) = delete;
  ~LoggerLease();

  Logger& logger() const { return *logger_; }

 private:
  Logger* logger_;
};

/// Outlives every object that it was given to; TensorRT's count of its uses does not free it.
class ErrorRecorder final : public nvinfer1::IErrorRecorder {
 public:
  explicit ErrorRecorder(Messages& messages) : messages_(messages) {}

  int32_t getNbErrors() const noexcept override;
  nvinfer1::ErrorCode getErrorCode(int32_t index) const noexcept override;
  ErrorDesc getErrorDesc(int32_t index) const noexcept override;
  bool hasOverflowed() const noexcept override;
  void clear() noexcept override;
  bool reportError(nvinfer1::ErrorCode code, ErrorDesc text) noexcept override;
  RefCount incRefCount() noexcept override { return ++uses_; }
  RefCount decRefCount() noexcept override { return --uses_; }

 private:
  struct Entry {
    nvinfer1::ErrorCode code;
    std::string text;
  };

  Messages& messages_;
  mutable std::mutex mutex_;
  /// Reserved once: TensorRT keeps pointers to texts.
  std::vector<Entry> entries_;
  bool has_overflowed_ = false;
  std::atomic<RefCount> uses_{0};
};

/// Phases nest; only the outermost is passed on, but every finished step asks whether to go on.
class ProgressMonitor final : public nvinfer1::IProgressMonitor {
 public:
  explicit ProgressMonitor(BuildMonitor& monitor) : monitor_(monitor) {}

  void phaseStart(const char* phase, const char* parent, int32_t steps) noexcept override;
  bool stepComplete(const char* phase, int32_t step) noexcept override;
  void phaseFinish(const char* phase) noexcept override;

  bool was_cancelled() const { return was_cancelled_; }

 private:
  void report() noexcept;

  BuildMonitor& monitor_;
  /// TensorRT may call from several threads of its own; the monitor hears of one thing at a time.
  std::mutex mutex_;
  std::string outermost_;
  int32_t steps_ = 0, steps_done_ = 0;
  std::atomic<bool> was_cancelled_{false};
};

} // namespace video_depth::tensorrt::VIDEO_DEPTH_TENSORRT_NAMESPACE

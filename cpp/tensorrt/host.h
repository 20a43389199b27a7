// Owns: one Api's logger, recorder, runtime and the library's entry points. Compiled once per major version.
// Must not know: what is built or run.
#pragma once

#include "tensorrt/headers.h"

#include <memory>
#include <string>

#include "tensorrt/callbacks.h"
#include "tensorrt/interface.h"
#include "tensorrt/library.h"
#include "tensorrt/messages.h"

namespace video_depth::tensorrt::VIDEO_DEPTH_TENSORRT_NAMESPACE {

/// Shared by an Api and its plans; used by one thread. Members are destroyed in reverse: logger and recorder
/// last.
struct Host {
  explicit Host(const Library& opened) : library(opened) {}

  /// Throws the failure of `what` with TensorRT's messages unless `object` is there.
  template <class T>
  std::unique_ptr<T> owned(void* object, const std::string& what) const {
    if (object == nullptr) messages.fail(what + " failed");
    return std::unique_ptr<T>(static_cast<T*>(object));
  }
  void check(bool is_good, const std::string& what) const {
    if (!is_good) messages.fail(what + " failed");
  }

  /// As the entry points take it: through void*, so it has to be the base class's address.
  nvinfer1::ILogger* logger() const { return &lease.logger(); }
  std::unique_ptr<nvinfer1::IBuilder> new_builder();
  std::unique_ptr<nvonnxparser::IParser> new_parser(nvinfer1::INetworkDefinition& network);
  /// Made at the first call.
  nvinfer1::IRuntime& get_runtime();

  const Library library;
  Messages messages;
  LoggerLease lease{messages};
  ErrorRecorder recorder{messages};
  std::unique_ptr<nvinfer1::IRuntime> runtime;
};

BuildResult build_plan(Host& host, const BuildRequest& request, BuildMonitor& monitor);
std::unique_ptr<Plan> load_plan(std::shared_ptr<Host> host, const void* plan, size_t bytes);

} // namespace video_depth::tensorrt::VIDEO_DEPTH_TENSORRT_NAMESPACE

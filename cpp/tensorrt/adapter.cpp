// Owns: the Api of one TensorRT major version.
// Must not know: how plans are built or run.

#include "tensorrt/adapter.h"

#include "tensorrt/host.h"

namespace video_depth::tensorrt::VIDEO_DEPTH_TENSORRT_NAMESPACE {

constexpr int kHeaderVersion = NV_TENSORRT_MAJOR * 10000 + NV_TENSORRT_MINOR * 100 + NV_TENSORRT_PATCH;

int header_version() {
  return kHeaderVersion;
}

std::unique_ptr<nvinfer1::IBuilder> Host::new_builder() {
  using Create = void* (*)(void*, int32_t) noexcept;
  const auto create = reinterpret_cast<Create>(library.create_builder);
  auto builder = owned<nvinfer1::IBuilder>(create(logger(), kHeaderVersion), "Creating TensorRT's builder");
  builder->setErrorRecorder(&recorder);
  return builder;
}

std::unique_ptr<nvonnxparser::IParser> Host::new_parser(nvinfer1::INetworkDefinition& network) {
  using Create = void* (*)(void*, void*, int) noexcept;
  const auto create = reinterpret_cast<Create>(library.create_parser);
  return owned<nvonnxparser::IParser>(create(&network, logger(), NV_ONNX_PARSER_VERSION),
                                      "Creating TensorRT's ONNX parser");
}

nvinfer1::IRuntime& Host::get_runtime() {
  using Create = void* (*)(void*, int32_t) noexcept;
  if (runtime == nullptr) {
    const auto create = reinterpret_cast<Create>(library.create_runtime);
    runtime = owned<nvinfer1::IRuntime>(create(logger(), kHeaderVersion), "Creating TensorRT's runtime");
    runtime->setErrorRecorder(&recorder);
  }
  return *runtime;
}

namespace {

class MajorApi final : public Api {
 public:
  explicit MajorApi(const Library& library) : host_(std::make_shared<Host>(library)) {}

  BuildResult build(const BuildRequest& request, BuildMonitor& monitor) override {
    host_->messages.clear();
    return build_plan(*host_, request, monitor);
  }

  std::unique_ptr<Plan> load(const void* plan, size_t bytes) override {
    host_->messages.clear();
    return load_plan(host_, plan, bytes);
  }

 private:
  const std::shared_ptr<Host> host_;
};

} // namespace

std::unique_ptr<Api> make_api(const Library& library) {
  return std::make_unique<MajorApi>(library);
}

} // namespace video_depth::tensorrt::VIDEO_DEPTH_TENSORRT_NAMESPACE

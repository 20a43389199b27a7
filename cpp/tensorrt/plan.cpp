// Owns: deserialized plans and their executions.
// Must not know: how plans are built, what their ports mean.

#include <algorithm>
#include <utility>

#include "cuda/failure.h"
#include "tensorrt/host.h"

namespace video_depth::tensorrt::VIDEO_DEPTH_TENSORRT_NAMESPACE {
namespace {

/// What TensorRT asks of addresses.
constexpr uintptr_t kAlignment = 256;

[[noreturn]] void refuse(const std::string& message) {
  throw GpuFailure("PLAN_FAILED", message);
}

bool is_usable(const void* address) {
  return address != nullptr && reinterpret_cast<uintptr_t>(address) % kAlignment == 0;
}

ElementType element_type(nvinfer1::DataType type) {
  switch (type) {
    case nvinfer1::DataType::kFLOAT:
      return ElementType::kFloat32;
    case nvinfer1::DataType::kHALF:
      return ElementType::kFloat16;
    case nvinfer1::DataType::kINT32:
      return ElementType::kInt32;
    case nvinfer1::DataType::kINT64:
      return ElementType::kInt64;
    default:
      return ElementType::kOther;
  }
}

size_t element_bytes(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
    case ElementType::kInt32:
      return 4;
    case ElementType::kFloat16:
      return 2;
    case ElementType::kInt64:
      return 8;
    case ElementType::kOther:
      return 0;
  }
  return 0;
}

Port read_port(const nvinfer1::ICudaEngine& engine, const char* name) {
  Port port;
  port.name = name;
  port.is_input = engine.getTensorIOMode(name) == nvinfer1::TensorIOMode::kINPUT;
  port.type = element_type(engine.getTensorDataType(name));
  if (engine.getTensorLocation(name) != nvinfer1::TensorLocation::kDEVICE)
    refuse("Expected device memory for port " + port.name + ", received a port in host memory");
  if (engine.getTensorFormat(name) != nvinfer1::TensorFormat::kLINEAR)
    refuse("Expected a linear layout for port " + port.name + ", received another one");
  port.bytes = element_bytes(port.type);
  if (port.bytes == 0) port.bytes = static_cast<size_t>(std::max(engine.getTensorBytesPerComponent(name), 0));
  const nvinfer1::Dims shape = engine.getTensorShape(name);
  for (int32_t i = 0; i < shape.nbDims; i++) {
    const int64_t size = shape.d[i];
    if (size < 0) refuse("Expected a static shape for port " + port.name + ", received a dynamic one");
    port.shape.push_back(size);
    port.bytes *= static_cast<size_t>(size);
  }
  return port;
}

class MajorExecution final : public Execution {
 public:
  MajorExecution(std::shared_ptr<Host> host, const std::vector<Port>& ports, size_t scratch_bytes,
                 std::unique_ptr<nvinfer1::IExecutionContext> context)
      : host_(std::move(host)),
        ports_(ports),
        scratch_bytes_(scratch_bytes),
        is_bound_(ports.size()),
        context_(std::move(context)) {
    context_->setErrorRecorder(&host_->recorder);
  }

  void bind(const std::string& name, void* address) override {
    const auto port =
        std::find_if(ports_.begin(), ports_.end(), [&](const Port& p) { return p.name == name; });
    if (port == ports_.end()) refuse("Expected a port of the plan, received '" + name + "'");
    if (!is_usable(address))
      refuse("Expected an address aligned to 256 bytes for port " + name + ", received another one");
    host_->messages.clear();
    host_->check(context_->setTensorAddress(name.c_str(), address), "Setting the address of port " + name);
    is_bound_[static_cast<size_t>(port - ports_.begin())] = true;
    is_ready_ = false;
  }

  void set_scratch(void* scratch, size_t bytes) override {
    if (bytes < scratch_bytes_)
      refuse("Expected at least " + std::to_string(scratch_bytes_) + " bytes of scratch memory, received " +
             std::to_string(bytes));
    if (bytes > 0 && !is_usable(scratch))
      refuse("Expected scratch memory aligned to 256 bytes, received another address");
    context_->setDeviceMemoryV2(scratch, static_cast<int64_t>(bytes));
    has_scratch_ = true;
    is_ready_ = false;
  }

  void enqueue(cudaStream_t stream) override {
    if (!is_ready_) make_ready();
    host_->messages.clear();
    host_->check(context_->enqueueV3(stream), "Queueing a run of a plan");
  }

 private:
  void make_ready() {
    for (size_t i = 0; i < ports_.size(); i++) {
      if (!is_bound_[i]) refuse("Expected an address for port " + ports_[i].name + ", received none");
    }
    if (!has_scratch_ && scratch_bytes_ > 0) refuse("Expected scratch memory, received none");
    host_->messages.clear();
    host_->check(context_->inferShapes(0, nullptr) == 0, "Inferring a plan's shapes");
    is_ready_ = true;
  }

  const std::shared_ptr<Host> host_;
  /// The plan's, which outlives this.
  const std::vector<Port>& ports_;
  const size_t scratch_bytes_;
  std::vector<bool> is_bound_;
  bool has_scratch_ = false, is_ready_ = false;
  const std::unique_ptr<nvinfer1::IExecutionContext> context_;
};

class MajorPlan final : public Plan {
 public:
  MajorPlan(std::shared_ptr<Host> host, std::unique_ptr<nvinfer1::ICudaEngine> engine)
      : host_(std::move(host)), engine_(std::move(engine)) {
    engine_->setErrorRecorder(&host_->recorder);
    for (int32_t i = 0; i < engine_->getNbIOTensors(); i++) {
      ports_.push_back(read_port(*engine_, engine_->getIOTensorName(i)));
    }
    scratch_bytes_ = static_cast<size_t>(std::max<int64_t>(engine_->getDeviceMemorySizeV2(), 0));
  }

  const std::vector<Port>& ports() const override { return ports_; }
  size_t scratch_bytes() const override { return scratch_bytes_; }

  std::string layers() const override {
    host_->messages.clear();
    const auto inspector = host_->owned<nvinfer1::IEngineInspector>(engine_->createEngineInspector(),
                                                                    "Creating TensorRT's inspector");
    const char* text = inspector->getEngineInformation(nvinfer1::LayerInformationFormat::kJSON);
    host_->check(text != nullptr, "Reading a plan's layers");
    return text;
  }

  std::unique_ptr<Execution> new_execution() override {
    host_->messages.clear();
    auto context = host_->owned<nvinfer1::IExecutionContext>(
        engine_->createExecutionContext(nvinfer1::ExecutionContextAllocationStrategy::kUSER_MANAGED),
        "Creating an execution of a plan");
    return std::make_unique<MajorExecution>(host_, ports_, scratch_bytes_, std::move(context));
  }

 private:
  const std::shared_ptr<Host> host_;
  const std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  std::vector<Port> ports_;
  size_t scratch_bytes_ = 0;
};

} // namespace

std::unique_ptr<Plan> load_plan(std::shared_ptr<Host> host, const void* plan, size_t bytes) {
  auto engine = host->owned<nvinfer1::ICudaEngine>(host->get_runtime().deserializeCudaEngine(plan, bytes),
                                                   "Loading a plan");
  return std::make_unique<MajorPlan>(std::move(host), std::move(engine));
}

} // namespace video_depth::tensorrt::VIDEO_DEPTH_TENSORRT_NAMESPACE

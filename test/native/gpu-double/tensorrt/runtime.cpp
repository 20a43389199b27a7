// Owns: the double of TensorRT's runtime, engine and execution context.
// Must not know: how plans are built.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>

#include "../queue.h"
#include "common.h"

namespace gpu_double {
namespace {

using namespace nvinfer1;

class Recorded {
 public:
  explicit Recorded(ILogger* logger) { reporter.logger = logger; }
  ~Recorded() { set_recorder(nullptr); }
  void set_recorder(IErrorRecorder* recorder) noexcept {
    if (recorder != nullptr) recorder->incRefCount();
    if (reporter.recorder != nullptr) reporter.recorder->decRefCount();
    reporter.recorder = recorder;
  }
  Reporter reporter;
};

class Inspector final : public IEngineInspector {
 public:
  explicit Inspector(const Model& model) : text_("{\"Layers\": [\"" + model.graph + "\"]}") {}
  const char* getEngineInformation(LayerInformationFormat) const noexcept override { return text_.c_str(); }

 private:
  const std::string text_;
};

class Context final : public IExecutionContext, Recorded {
 public:
  Context(const Model& model, std::atomic<unsigned>& runs, ILogger* logger)
      : Recorded(logger), model_(model), runs_(runs), addresses_(model.tensors.size()) {}

  void setErrorRecorder(IErrorRecorder* recorder) noexcept override { set_recorder(recorder); }

  bool setTensorAddress(const char* name, void* address) noexcept override {
    const Tensor* tensor = model_.find(name);
    if (tensor == nullptr) return fail(std::string("no tensor has the name ") + name);
    addresses_[static_cast<size_t>(tensor - model_.tensors.data())] = address;
    return true;
  }
  void setDeviceMemoryV2(void* memory, int64_t bytes) noexcept override {
    scratch_ = static_cast<unsigned char*>(memory);
    scratch_bytes_ = static_cast<size_t>(bytes);
  }
  int32_t inferShapes(int32_t, const char**) noexcept override {
    shapes_are_inferred_ = true;
    return 0;
  }

  bool enqueueV3(cudaStream_t stream) noexcept override {
    if (!shapes_are_inferred_) return fail("the shapes were not inferred");
    for (size_t i = 0; i < addresses_.size(); i++) {
      if (reinterpret_cast<uintptr_t>(addresses_[i]) % 256 != 0 || addresses_[i] == nullptr)
        return fail("no usable address was set for " + model_.tensors[i].name);
    }
    if (model_.scratch_bytes > 0 && (scratch_ == nullptr || scratch_bytes_ < model_.scratch_bytes ||
                                     reinterpret_cast<uintptr_t>(scratch_) % 256 != 0))
      return fail("no usable device memory was set");
    if (model_.fail == "enqueue") return fail("the launch failed");
    // By pointer to the engine's model: a plan that is freed too early shows.
    const cudaError_t status =
        enqueue(stream, [model = &model_, runs = &runs_, addresses = addresses_, scratch = scratch_] {
          run(*model, *runs, addresses, scratch);
        });
    return status == cudaSuccess || fail(std::string("Cuda Runtime (") + cudaGetErrorString(status) + ")");
  }

 private:
  static void run(const Model& model, std::atomic<unsigned>& runs, const std::vector<void*>& addresses,
                  unsigned char* scratch) {
    static std::atomic<unsigned> runs_of_all{0};
    std::this_thread::sleep_for(std::chrono::milliseconds(model.delay_ms));
    const size_t last = model.scratch_bytes - 1;
    const auto token = static_cast<unsigned char>(++runs_of_all);
    if (model.scratch_bytes > 0) scratch[0] = scratch[last] = token;
    compute(model, addresses, is_off(++runs) ? model.wrong * model.flaky : model.wrong);
    if (model.scratch_bytes > 0 && (scratch[0] != token || scratch[last] != token))
      report_fault("scratch memory was used by two runs at once");
  }

  bool fail(const std::string& text) noexcept {
    reporter.error(ErrorCode::kFAILED_EXECUTION, text);
    return false;
  }

  const Model& model_;
  std::atomic<unsigned>& runs_;
  std::vector<void*> addresses_;
  unsigned char* scratch_ = nullptr;
  size_t scratch_bytes_ = 0;
  bool shapes_are_inferred_ = false;
};

class Engine final : public ICudaEngine, Recorded {
 public:
  Engine(Model model, ILogger* logger) : Recorded(logger), model_(std::move(model)) {}

  void setErrorRecorder(IErrorRecorder* recorder) noexcept override { set_recorder(recorder); }
  int32_t getNbIOTensors() const noexcept override { return static_cast<int32_t>(model_.tensors.size()); }
  const char* getIOTensorName(int32_t index) const noexcept override {
    return model_.tensors[static_cast<size_t>(index)].name.c_str();
  }
  TensorIOMode getTensorIOMode(const char* name) const noexcept override {
    return model_.find(name)->is_input ? TensorIOMode::kINPUT : TensorIOMode::kOUTPUT;
  }
  DataType getTensorDataType(const char* name) const noexcept override {
    const Type type = model_.find(name)->type;
    return type == Type::kFloat16   ? DataType::kHALF
           : type == Type::kFloat32 ? DataType::kFLOAT
                                    : DataType::kINT64;
  }
  TensorLocation getTensorLocation(const char*) const noexcept override { return TensorLocation::kDEVICE; }
  TensorFormat getTensorFormat(const char*) const noexcept override { return TensorFormat::kLINEAR; }
  int32_t getTensorBytesPerComponent(const char*) const noexcept override { return -1; }
  Dims getTensorShape(const char* name) const noexcept override {
    Dims dims;
    for (const int64_t size : model_.find(name)->shape) dims.d[dims.nbDims++] = size;
    return dims;
  }
  int64_t getDeviceMemorySizeV2() const noexcept override {
    return static_cast<int64_t>(model_.scratch_bytes);
  }
  IEngineInspector* createEngineInspector() const noexcept override { return new Inspector(model_); }
  IExecutionContext* createExecutionContext(ExecutionContextAllocationStrategy strategy) noexcept override {
    if (strategy != ExecutionContextAllocationStrategy::kUSER_MANAGED)
      report_fault("a context with memory of its own");
    return new Context(model_, runs_, reporter.logger);
  }

 private:
  const Model model_;
  /// Of all its contexts.
  mutable std::atomic<unsigned> runs_{0};
};

class Runtime final : public IRuntime, Recorded {
 public:
  explicit Runtime(ILogger* logger) : Recorded(logger) {}
  void setErrorRecorder(IErrorRecorder* recorder) noexcept override { set_recorder(recorder); }
  ICudaEngine* deserializeCudaEngine(const void* plan, size_t bytes) noexcept override {
    std::string text;
    const TagState tag = read_tagged("plan", plan, bytes, text);
    if (tag == TagState::kGood) return new Engine(read_model(text), reporter.logger);
    reporter.error(ErrorCode::kINTERNAL_ERROR, tag == TagState::kDamaged
                                                   ? "the plan is damaged"
                                                   : "the plan was built with another version of TensorRT");
    return nullptr;
  }
};

} // namespace

nvinfer1::IRuntime* new_runtime(nvinfer1::ILogger* logger) {
  return new Runtime(logger);
}

} // namespace gpu_double

// Owns: the double of TensorRT's builder.
// Must not know: how plans are run.

#include <chrono>
#include <cstdlib>
#include <thread>

#include "../queue.h"
#include "common.h"

namespace gpu_double {
namespace {

using namespace nvinfer1;

class TimingCache final : public ITimingCache {
 public:
  TimingCache(std::string entries, bool is_ours) : entries(std::move(entries)), is_ours(is_ours) {}
  IHostMemory* serialize() const noexcept override { return new HostMemory(tagged("timing", entries)); }

  /// One byte a build. The configuration that it is set on adds to it, though it only borrows it.
  mutable std::string entries;
  const bool is_ours;
};

class Config final : public IBuilderConfig {
 public:
  explicit Config(const Reporter& reporter) : reporter_(reporter) {}

  void setMemoryPoolLimit(MemoryPoolType, size_t bytes) noexcept override { workspace = bytes; }
  void setBuilderOptimizationLevel(int32_t level) noexcept override {
    if (level < 0 || level > 5) report_fault("an optimization level outside of 0 to 5");
  }
  void setProfilingVerbosity(ProfilingVerbosity) noexcept override {}
  void setProgressMonitor(IProgressMonitor* given) noexcept override { monitor = given; }
  void clearFlag(BuilderFlag flag) noexcept override { has_tf32 = has_tf32 && flag != BuilderFlag::kTF32; }
  void setMaxAuxStreams(int32_t count) noexcept override { aux_streams = count; }

  ITimingCache* createTimingCache(const void* bytes, size_t size) const noexcept override {
    if (size == 0) return new TimingCache("", true);
    std::string entries;
    const TagState tag = read_tagged("timing", bytes, size, entries);
    if (tag != TagState::kDamaged) return new TimingCache(entries, tag == TagState::kGood);
    reporter_.warn("the timing cache is damaged");
    return nullptr;
  }
  bool setTimingCache(const ITimingCache& given, bool ignore_mismatch) noexcept override {
    const auto& candidate = static_cast<const TimingCache&>(given);
    if (!candidate.is_ours && !ignore_mismatch) return false;
    cache = &candidate;
    return true;
  }
  const ITimingCache* getTimingCache() const noexcept override { return cache; }

  size_t workspace = 0;
  int aux_streams = -1;
  bool has_tf32 = true;
  IProgressMonitor* monitor = nullptr;
  const TimingCache* cache = nullptr;

 private:
  const Reporter& reporter_;
};

/// @returns false where the build is to stop
bool run_phases(const Model& model, IProgressMonitor* monitor) {
  constexpr int kOuter = 4, kInner = 3;
  const auto step = [&](const char* phase, int number) {
    std::this_thread::sleep_for(std::chrono::milliseconds(model.slow_ms));
    return monitor == nullptr || monitor->stepComplete(phase, number);
  };
  if (monitor != nullptr) monitor->phaseStart("Building engine", nullptr, kOuter);
  if (model.crashes) std::abort();
  while (model.hangs) std::this_thread::sleep_for(std::chrono::seconds(1));
  bool goes_on = true;
  while (model.is_endless && goes_on) goes_on = step("Building engine", 0);
  for (int i = 0; i < kOuter && goes_on; i++) {
    if (monitor != nullptr) monitor->phaseStart("Timing tactics", "Building engine", kInner);
    for (int j = 0; j < kInner && goes_on; j++) goes_on = step("Timing tactics", j);
    if (monitor != nullptr) monitor->phaseFinish("Timing tactics");
    goes_on = goes_on && step("Building engine", i);
  }
  if (monitor != nullptr) monitor->phaseFinish("Building engine");
  return goes_on;
}

class Builder final : public IBuilder {
 public:
  explicit Builder(ILogger* logger) { reporter_.logger = logger; }
  ~Builder() override { set_recorder(nullptr); }

  void setErrorRecorder(IErrorRecorder* recorder) noexcept override { set_recorder(recorder); }
  bool setMaxThreads(int32_t count) noexcept override { return count >= 1; }
  INetworkDefinition* createNetworkV2(NetworkDefinitionCreationFlags flags) noexcept override {
    // On 11 bit 0 means what it says, but is the default.
    if (flags != (NV_TENSORRT_MAJOR >= 11 ? 0U : 2U)) report_fault("a network that is not strongly typed");
    return new Network;
  }
  IBuilderConfig* createBuilderConfig() noexcept override { return new Config(reporter_); }

  IHostMemory* buildSerializedNetwork(INetworkDefinition& network, IBuilderConfig& config) noexcept override {
    const auto& text = static_cast<Network&>(network).text;
    auto& settings = static_cast<Config&>(config);
    const Model model = read_model(text);
    if (settings.has_tf32 || settings.aux_streams != 0 || settings.workspace == 0)
      report_fault("a builder configuration with TF32, auxiliary streams or no workspace");
    if (model.fail == "build") {
      reporter_.error(ErrorCode::kINTERNAL_ERROR, "Could not find any implementation for node /fused");
      return nullptr;
    }
    if (model.fail == "memory") {
      reporter_.error(ErrorCode::kFAILED_ALLOCATION, "The request for 9 bytes failed");
      return nullptr;
    }
    if (model.fail == "resource") {
      reporter_.error(ErrorCode::kINTERNAL_ERROR,
                      "Unable to load library: libnvinfer_builder_resource.so.10.6.0");
      return nullptr;
    }
    if (!run_phases(model, settings.monitor)) {
      reporter_.error(ErrorCode::kINTERNAL_ERROR, "The build was stopped");
      return nullptr;
    }
    if (settings.cache != nullptr) settings.cache->entries += 'x';
    return new HostMemory(tagged("plan", text));
  }

 private:
  void set_recorder(IErrorRecorder* recorder) noexcept {
    if (recorder != nullptr) recorder->incRefCount();
    if (reporter_.recorder != nullptr) reporter_.recorder->decRefCount();
    reporter_.recorder = recorder;
  }

  Reporter reporter_;
};

} // namespace

nvinfer1::IBuilder* new_builder(nvinfer1::ILogger* logger) {
  return new Builder(logger);
}

} // namespace gpu_double

// Owns: declarations of what this project calls of TensorRT, with tables of their own order.
// Must not know: what carries them out.
// scripts/check-tensorrt-headers.mjs holds our sources against the real headers.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#if !defined(GPU_DOUBLE_TENSORRT)
#error "GPU_DOUBLE_TENSORRT is the version that the double stands for, as 100600"
#endif
#define NV_TENSORRT_MAJOR (GPU_DOUBLE_TENSORRT / 10000)
#define NV_TENSORRT_MINOR (GPU_DOUBLE_TENSORRT / 100 % 100)
#define NV_TENSORRT_PATCH (GPU_DOUBLE_TENSORRT % 100)

namespace nvinfer1 {

using AsciiChar = char;
using NetworkDefinitionCreationFlags = uint32_t;

enum class ErrorCode : int32_t {
  kSUCCESS,
  kUNSPECIFIED_ERROR,
  kINTERNAL_ERROR,
  kINVALID_ARGUMENT,
  kINVALID_CONFIG,
  kFAILED_ALLOCATION,
  kFAILED_INITIALIZATION,
  kFAILED_EXECUTION,
};
enum class DataType : int32_t { kFLOAT, kHALF, kINT8, kINT32, kBOOL, kUINT8, kFP8, kBF16, kINT64, kINT4 };
enum class TensorIOMode : int32_t { kNONE, kINPUT, kOUTPUT };
enum class TensorLocation : int32_t { kDEVICE, kHOST };
enum class TensorFormat : int32_t { kLINEAR, kCHW2 };
enum class MemoryPoolType : int32_t { kWORKSPACE };
enum class ProfilingVerbosity : int32_t { kLAYER_NAMES_ONLY, kNONE, kDETAILED };
enum class LayerInformationFormat : int32_t { kONELINE, kJSON };
enum class ExecutionContextAllocationStrategy : int32_t { kSTATIC, kON_PROFILE_CHANGE, kUSER_MANAGED };
enum class BuilderFlag : int32_t { kTF32 = 6 };
#if NV_TENSORRT_MAJOR >= 11
enum class NetworkDefinitionCreationFlag : int32_t { kSTRONGLY_TYPED = 0 };
#else
enum class NetworkDefinitionCreationFlag : int32_t { kEXPLICIT_BATCH = 0, kSTRONGLY_TYPED = 1 };
#endif

struct Dims {
  int32_t nbDims = 0;
  int64_t d[8] = {};
};

class ILogger {
 public:
  enum class Severity : int32_t { kINTERNAL_ERROR, kERROR, kWARNING, kINFO, kVERBOSE };
  virtual ~ILogger() = default;
  virtual void log(Severity severity, const AsciiChar* text) noexcept = 0;
};

class IErrorRecorder {
 public:
  using ErrorDesc = const char*;
  using RefCount = int32_t;
  virtual ~IErrorRecorder() = default;
  virtual int32_t getNbErrors() const noexcept = 0;
  virtual ErrorCode getErrorCode(int32_t index) const noexcept = 0;
  virtual ErrorDesc getErrorDesc(int32_t index) const noexcept = 0;
  virtual bool hasOverflowed() const noexcept = 0;
  virtual void clear() noexcept = 0;
  virtual bool reportError(ErrorCode code, ErrorDesc text) noexcept = 0;
  virtual RefCount incRefCount() noexcept = 0;
  virtual RefCount decRefCount() noexcept = 0;
};

class IProgressMonitor {
 public:
  virtual ~IProgressMonitor() = default;
  virtual void phaseStart(const char* phase, const char* parent, int32_t steps) noexcept = 0;
  virtual bool stepComplete(const char* phase, int32_t step) noexcept = 0;
  virtual void phaseFinish(const char* phase) noexcept = 0;
};

class IHostMemory {
 public:
  virtual ~IHostMemory() = default;
  virtual void* data() const noexcept = 0;
  virtual size_t size() const noexcept = 0;
};

class ITimingCache {
 public:
  virtual ~ITimingCache() = default;
  virtual IHostMemory* serialize() const noexcept = 0;
};

class INetworkDefinition {
 public:
  virtual ~INetworkDefinition() = default;
};

class IBuilderConfig {
 public:
  virtual ~IBuilderConfig() = default;
  virtual void setMemoryPoolLimit(MemoryPoolType pool, size_t bytes) noexcept = 0;
  virtual void setBuilderOptimizationLevel(int32_t level) noexcept = 0;
  virtual void setProfilingVerbosity(ProfilingVerbosity verbosity) noexcept = 0;
  virtual void setProgressMonitor(IProgressMonitor* monitor) noexcept = 0;
  virtual void clearFlag(BuilderFlag flag) noexcept = 0;
  virtual void setMaxAuxStreams(int32_t count) noexcept = 0;
  virtual ITimingCache* createTimingCache(const void* bytes, size_t size) const noexcept = 0;
  virtual bool setTimingCache(const ITimingCache& cache, bool ignore_mismatch) noexcept = 0;
  virtual const ITimingCache* getTimingCache() const noexcept = 0;
};

class IBuilder {
 public:
  virtual ~IBuilder() = default;
  virtual void setErrorRecorder(IErrorRecorder* recorder) noexcept = 0;
  virtual bool setMaxThreads(int32_t count) noexcept = 0;
  virtual INetworkDefinition* createNetworkV2(NetworkDefinitionCreationFlags flags) noexcept = 0;
  virtual IBuilderConfig* createBuilderConfig() noexcept = 0;
  virtual IHostMemory* buildSerializedNetwork(INetworkDefinition& network,
                                              IBuilderConfig& config) noexcept = 0;
};

class IEngineInspector {
 public:
  virtual ~IEngineInspector() = default;
  virtual const char* getEngineInformation(LayerInformationFormat format) const noexcept = 0;
};

class IExecutionContext {
 public:
  virtual ~IExecutionContext() = default;
  virtual void setErrorRecorder(IErrorRecorder* recorder) noexcept = 0;
  virtual bool setTensorAddress(const char* name, void* address) noexcept = 0;
  virtual void setDeviceMemoryV2(void* memory, int64_t bytes) noexcept = 0;
  virtual int32_t inferShapes(int32_t most_names, const char** names) noexcept = 0;
  virtual bool enqueueV3(cudaStream_t stream) noexcept = 0;
};

class ICudaEngine {
 public:
  virtual ~ICudaEngine() = default;
  virtual void setErrorRecorder(IErrorRecorder* recorder) noexcept = 0;
  virtual int32_t getNbIOTensors() const noexcept = 0;
  virtual const char* getIOTensorName(int32_t index) const noexcept = 0;
  virtual TensorIOMode getTensorIOMode(const char* name) const noexcept = 0;
  virtual DataType getTensorDataType(const char* name) const noexcept = 0;
  virtual TensorLocation getTensorLocation(const char* name) const noexcept = 0;
  virtual TensorFormat getTensorFormat(const char* name) const noexcept = 0;
  virtual int32_t getTensorBytesPerComponent(const char* name) const noexcept = 0;
  virtual Dims getTensorShape(const char* name) const noexcept = 0;
  virtual int64_t getDeviceMemorySizeV2() const noexcept = 0;
  virtual IEngineInspector* createEngineInspector() const noexcept = 0;
  virtual IExecutionContext* createExecutionContext(ExecutionContextAllocationStrategy strategy) noexcept = 0;
};

class IRuntime {
 public:
  virtual ~IRuntime() = default;
  virtual void setErrorRecorder(IErrorRecorder* recorder) noexcept = 0;
  virtual ICudaEngine* deserializeCudaEngine(const void* plan, size_t bytes) noexcept = 0;
};

} // namespace nvinfer1

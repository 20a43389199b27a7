// Owns: the CUDA double's devices, errors and faults.
// Must not know: memory, streams.

#include <cstdio>
#include <cstdlib>

#include "state.h"

namespace gpu_double {
namespace {

thread_local cudaError_t last_error = cudaSuccess;
thread_local int current_device = 0;

constexpr size_t kMemory = size_t{1} << 30;
constexpr int kRuntime = 13000;

} // namespace

State& state() {
  static State* const it = [] {
    auto* made = new State;
    made->memory = kMemory;
    read_environment(*made);
    return made;
  }();
  return *it;
}

cudaError_t Fault::take() {
  if (countdown.load() == 0) return cudaSuccess;
  return countdown.fetch_sub(1) == 1 ? error.load() : cudaSuccess;
}

void Fault::set(cudaError_t what, int nth) {
  error = what;
  countdown = nth;
}

cudaError_t done(cudaError_t status) {
  if (status != cudaSuccess) last_error = status;
  return status;
}

cudaError_t usable() {
  State& all = state();
  if (all.driver < kRuntime) return done(cudaErrorInsufficientDriver);
  if (all.devices == 0) return done(cudaErrorNoDevice);
  return done(all.lasting.load());
}

Live live() {
  State& all = state();
  const std::lock_guard<std::mutex> lock(all.mutex);
  return {all.allocations.size(), all.pinned.size(), all.streams.size(),
          all.events.size(),      all.graphs.size(), all.executables.size()};
}

size_t total(const Live& live) {
  return live.allocations + live.pinned + live.streams + live.events + live.graphs + live.executables;
}

void reset() {
  State& all = state();
  for (Fault* fault : {&all.allocation, &all.launch, &all.copy}) fault->set(cudaSuccess, 0);
  all.lasting = cudaSuccess;
  all.devices = 1;
  all.driver = kRuntime;
  all.delay_ms = 0;
  all.captures_to_disturbed = 0;
  std::map<cudaStream_t, std::shared_ptr<CUstream_st>> streams;
  {
    const std::lock_guard<std::mutex> lock(all.mutex);
    streams = all.streams;
  }
  for (const auto& [stream, owner] : streams) cudaStreamDestroy(stream);
  const std::lock_guard<std::mutex> lock(all.mutex);
  for (const auto& [memory, bytes] : all.allocations) std::free(memory);
  for (const auto& [memory, bytes] : all.pinned) std::free(memory);
  for (const cudaEvent_t event : all.events) delete event;
  for (const cudaGraph_t graph : all.graphs) delete graph;
  for (const cudaGraphExec_t executable : all.executables) delete executable;
  all.allocations.clear();
  all.pinned.clear();
  all.events.clear();
  all.graphs.clear();
  all.executables.clear();
  all.faults.clear();
  all.memory = kMemory;
  all.memory_used = 0;
  all.launches_done = 0;
  all.last_launch = 0;
  last_error = cudaSuccess;
}

void fail_allocation(int nth) {
  state().allocation.set(cudaErrorMemoryAllocation, nth);
}
void fail_launch(cudaError_t error, int nth) {
  state().launch.set(error, nth);
}
void fail_copy(cudaError_t error, int nth) {
  state().copy.set(error, nth);
}
void lose_context(cudaError_t error) {
  state().lasting = error;
}
void disturb_capture(int nth) {
  state().captures_to_disturbed = nth;
}
void set_devices(int count) {
  state().devices = count;
}
void set_driver(int version) {
  state().driver = version;
}
void set_delay(std::chrono::milliseconds delay) {
  state().delay_ms = delay.count();
}
size_t launches_done() {
  return state().launches_done;
}

void set_memory(size_t bytes) {
  State& all = state();
  const std::lock_guard<std::mutex> lock(all.mutex);
  all.memory = bytes;
}

void report_fault(const std::string& fault) {
  State& all = state();
  const std::lock_guard<std::mutex> lock(all.mutex);
  all.faults.push_back(fault);
}

std::vector<std::string> faults() {
  State& all = state();
  const std::lock_guard<std::mutex> lock(all.mutex);
  return all.faults;
}

} // namespace gpu_double

using namespace gpu_double;

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (const cudaError_t status = usable()) return status;
  *count = state().devices;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (const cudaError_t status = usable()) return status;
  if (device < 0 || device >= state().devices) return done(cudaErrorInvalidDevice);
  current_device = device;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  if (const cudaError_t status = usable()) return status;
  *device = current_device;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (const cudaError_t status = usable()) return status;
  if (device < 0 || device >= state().devices) return done(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof(properties->name), "Double GPU %d", device);
  State& all = state();
  const std::lock_guard<std::mutex> lock(all.mutex);
  properties->totalGlobalMem = all.memory;
  properties->major = 9;
  properties->multiProcessorCount = 132;
  properties->l2CacheSize = 1 << 20;
  properties->memoryBusWidth = 512;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = state().driver;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kRuntime;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  const cudaError_t lasting = state().lasting;
  const cudaError_t error = lasting != cudaSuccess ? lasting : last_error;
  last_error = cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError() {
  const cudaError_t lasting = state().lasting;
  return lasting != cudaSuccess ? lasting : last_error;
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle:
      return "cudaErrorInvalidResourceHandle";
    case cudaErrorIllegalAddress:
      return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    default:
      return "an error without a name in the double";
  }
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorIllegalAddress:
      return "an illegal memory access was encountered";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
    default:
      return cudaGetErrorName(error);
  }
}

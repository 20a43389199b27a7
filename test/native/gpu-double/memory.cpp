// Owns: the CUDA double's memory: ordinary memory, so that the address sanitizer sees every access.
// Must not know: devices, how queues work.

#include <cstdlib>
#include <cstring>

#include "state.h"

using namespace gpu_double;

namespace {

using Table = std::unordered_map<void*, size_t>;

/// Filled with NaN, in float16 and in float32, as nobody may count on zeros.
cudaError_t allocate(Table State::*table, bool counts, void** memory, size_t bytes) {
  if (const cudaError_t status = usable_outside_capture()) return status;
  *memory = nullptr;
  if (bytes == 0) return cudaSuccess;
  State& all = state();
  if (const cudaError_t fault = all.allocation.take()) return done(fault);
  const std::lock_guard<std::mutex> lock(all.mutex);
  if (counts && bytes > all.memory - std::min(all.memory, all.memory_used)) {
    return done(cudaErrorMemoryAllocation);
  }
  if (posix_memalign(memory, 256, bytes) != 0) return done(cudaErrorMemoryAllocation);
  std::memset(*memory, 0xff, bytes);
  (all.*table)[*memory] = bytes;
  if (counts) all.memory_used += bytes;
  return cudaSuccess;
}

/// Waits for the device, as the real ones do: nothing that was queued loses its memory.
cudaError_t release(Table State::*table, bool counts, void* memory) {
  if (memory == nullptr) return cudaSuccess;
  const cudaError_t status = usable_outside_capture();
  finish_all();
  State& all = state();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = (all.*table).find(memory);
  if (found == (all.*table).end()) return done(cudaErrorInvalidValue);
  if (counts) all.memory_used -= found->second;
  (all.*table).erase(found);
  std::free(memory);
  return status;
}

} // namespace

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  return allocate(&State::allocations, true, memory, bytes);
}

cudaError_t cudaFree(void* memory) {
  return release(&State::allocations, true, memory);
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  return allocate(&State::pinned, false, memory, bytes);
}

cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
  return cudaMallocHost(memory, bytes);
}

cudaError_t cudaFreeHost(void* memory) {
  return release(&State::pinned, false, memory);
}

cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  if (const cudaError_t status = usable()) return status;
  State& all = state();
  const std::lock_guard<std::mutex> lock(all.mutex);
  *total_bytes = all.memory;
  *free_bytes = all.memory - std::min(all.memory, all.memory_used);
  return cudaSuccess;
}

/// Not ordered after work on other streams: these are non-blocking ones.
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind) {
  if (const cudaError_t status = usable_outside_capture()) return status;
  if (bytes > 0) std::memmove(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemset(void* memory, int value, size_t bytes) {
  if (const cudaError_t status = usable_outside_capture()) return status;
  if (bytes > 0) std::memset(memory, value, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  if (const cudaError_t status = usable()) return status;
  if (const cudaError_t fault = state().copy.take()) return done(fault);
  return push(stream, {[=] {
                if (bytes > 0) std::memmove(to, from, bytes);
              }});
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  if (const cudaError_t status = usable()) return status;
  if (const cudaError_t fault = state().copy.take()) return done(fault);
  return push(stream, {[=] {
                if (bytes > 0) std::memset(memory, value, bytes);
              }});
}

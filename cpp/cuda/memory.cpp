// Owns: CUDA's memory, streams, events and graphs as objects that free themselves.
// Must not know: what they are used for.

#include "cuda/memory.h"

#include <string>

#include "cuda/failure.h"

namespace video_depth::cuda {

namespace {

std::string allocating(size_t bytes, const char* kind) {
  return "allocating " + std::to_string(bytes) + " bytes of " + kind;
}

} // namespace

// Freeing leaves statuses aside: where the context is lost nothing can be freed, and whoever lost it has
// said so.

void* DeviceMemory::allocate(size_t bytes) {
  void* data = nullptr;
  check(cudaMalloc(&data, bytes), allocating(bytes, "GPU memory").c_str());
  return data;
}

void DeviceMemory::free(void* data) {
  cudaFree(data);
}

void* PinnedMemory::allocate(size_t bytes) {
  void* data = nullptr;
  check(cudaHostAlloc(&data, bytes, cudaHostAllocDefault), allocating(bytes, "page-locked memory").c_str());
  return data;
}

void PinnedMemory::free(void* data) {
  cudaFreeHost(data);
}

Stream::Stream() {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
}

Stream::~Stream() {
  cudaStreamSynchronize(stream_);
  cudaStreamDestroy(stream_);
}

void Stream::wait_for(Event& event) {
  check(cudaStreamWaitEvent(stream_, event.get(), 0), "making a stream wait for an event");
}

void Stream::synchronize() {
  check(cudaStreamSynchronize(stream_), "waiting for a stream");
}

Event::Event(bool is_timed, Wait wait) {
  const unsigned timing = is_timed ? cudaEventDefault : cudaEventDisableTiming;
  const unsigned waiting = wait == Wait::kSleep ? cudaEventBlockingSync : cudaEventDefault;
  check(cudaEventCreateWithFlags(&event_, timing | waiting), "creating an event");
}

Event::~Event() {
  if (event_ != nullptr) cudaEventDestroy(event_);
}

void Event::record(Stream& stream) {
  check(cudaEventRecord(event_, stream.get()), "recording an event");
}

void Event::synchronize() {
  check(cudaEventSynchronize(event_), "waiting for an event");
}

float Event::milliseconds_since(const Event& start) const {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, start.event_, event_), "reading events' times");
  return milliseconds;
}

} // namespace video_depth::cuda

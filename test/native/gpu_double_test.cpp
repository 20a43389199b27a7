// Owns: tests of the CUDA double itself: what the other tests on it rely on.
// Must not know: TensorRT.

#include "gpu-double/queue.h"

#include <atomic>
#include <thread>

#include "tensorrt_support.h"

using namespace video_depth;

namespace {

cudaStream_t new_stream() {
  cudaStream_t stream = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  return stream;
}

cudaEvent_t new_event(unsigned flags = cudaEventDisableTiming) {
  cudaEvent_t event = nullptr;
  REQUIRE(cudaEventCreateWithFlags(&event, flags) == cudaSuccess);
  return event;
}

} // namespace

TEST_CASE("double: streams run in order, beside each other and after each other's events") {
  const test::Device device;
  const cudaStream_t one = new_stream(), two = new_stream();
  const cudaEvent_t event = new_event();
  std::atomic<bool> may_go{false};
  std::vector<int> order;
  gpu_double::enqueue(one, [&] {
    while (!may_go) std::this_thread::yield();
    order.push_back(1);
  });
  gpu_double::enqueue(one, [&] { order.push_back(2); });
  CHECK(cudaEventRecord(event, one) == cudaSuccess);
  CHECK(cudaEventQuery(event) == cudaErrorNotReady);
  CHECK(cudaStreamQuery(one) == cudaErrorNotReady);
  CHECK(cudaStreamWaitEvent(two, event) == cudaSuccess);
  gpu_double::enqueue(two, [&] { order.push_back(3); });
  may_go = true;
  CHECK(cudaStreamSynchronize(two) == cudaSuccess);
  CHECK(order == std::vector<int>{1, 2, 3});
  CHECK(cudaEventDestroy(event) == cudaSuccess);
  CHECK(cudaStreamDestroy(one) == cudaSuccess);
  CHECK(cudaStreamDestroy(two) == cudaSuccess);
  CHECK(cudaStreamSynchronize(one) == cudaErrorInvalidResourceHandle);
}

TEST_CASE("double: a capture records what several streams do, and a graph carries it out") {
  const test::Device device;
  const cudaStream_t one = new_stream(), two = new_stream();
  const cudaEvent_t fork = new_event(), join = new_event();
  int value = 1;
  REQUIRE(cudaStreamBeginCapture(one, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  gpu_double::enqueue(one, [&] { value *= 2; });
  CHECK(cudaEventRecord(fork, one) == cudaSuccess);
  CHECK(cudaStreamWaitEvent(two, fork) == cudaSuccess);
  gpu_double::enqueue(two, [&] { value += 3; });
  CHECK(cudaEventRecord(join, two) == cudaSuccess);
  CHECK(cudaStreamWaitEvent(one, join) == cudaSuccess);
  cudaGraph_t graph = nullptr;
  REQUIRE(cudaStreamEndCapture(one, &graph) == cudaSuccess);
  CHECK(value == 1);
  CHECK(cudaEventSynchronize(join) == cudaErrorCapturedEvent);
  cudaGraphExec_t executable = nullptr;
  REQUIRE(cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess);
  for (int i = 0; i < 2; i++) CHECK(cudaGraphLaunch(executable, two) == cudaSuccess);
  CHECK(cudaStreamSynchronize(two) == cudaSuccess);
  CHECK(value == 13);
  CHECK(gpu_double::launches_done() == 4);
  cudaGraphExecDestroy(executable);
  cudaGraphDestroy(graph);
  for (const cudaEvent_t event : {fork, join}) cudaEventDestroy(event);
  for (const cudaStream_t stream : {one, two}) cudaStreamDestroy(stream);
}

TEST_CASE("double: a call that a capture forbids ends it") {
  const test::Device device;
  const cudaStream_t stream = new_stream();
  cudaGraph_t graph = nullptr;
  void* memory = nullptr;
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  CHECK(cudaMalloc(&memory, 16) == cudaErrorStreamCaptureUnsupported);
  CHECK(gpu_double::enqueue(stream, [] {}) == cudaErrorStreamCaptureInvalidated);
  CHECK(cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated);
  CHECK(graph == nullptr);
  CHECK(cudaMalloc(&memory, 16) == cudaSuccess);
  CHECK(cudaFree(memory) == cudaSuccess);
  CHECK(cudaStreamDestroy(stream) == cudaSuccess);
}

TEST_CASE("double: a device synchronization from another thread ends every capture") {
  const test::Device device;
  const cudaStream_t streams[] = {new_stream(), new_stream()};
  std::atomic<int> turn{0};
  std::thread other([&] {
    CHECK(cudaStreamBeginCapture(streams[1], cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    turn = 1;
    while (turn != 2) std::this_thread::yield();
    cudaGraph_t graph = nullptr;
    CHECK(cudaStreamEndCapture(streams[1], &graph) == cudaErrorStreamCaptureInvalidated);
  });
  while (turn != 1) std::this_thread::yield();
  CHECK(cudaDeviceSynchronize() == cudaErrorStreamCaptureUnsupported);
  turn = 2;
  other.join();
  CHECK(cudaDeviceSynchronize() == cudaSuccess);

  gpu_double::disturb_capture(2);
  for (const cudaError_t expected : {cudaSuccess, cudaErrorStreamCaptureInvalidated, cudaSuccess}) {
    cudaGraph_t graph = nullptr;
    CHECK(cudaStreamBeginCapture(streams[0], cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    CHECK(gpu_double::enqueue(streams[0], [] {}) == expected);
    CHECK(cudaStreamEndCapture(streams[0], &graph) == expected);
    if (graph != nullptr) cudaGraphDestroy(graph);
  }
  for (const cudaStream_t stream : streams) cudaStreamDestroy(stream);
}

TEST_CASE("double: memory runs out by count and by size") {
  const test::Device device;
  void* memory = nullptr;
  gpu_double::fail_allocation(2);
  REQUIRE(cudaMalloc(&memory, 100) == cudaSuccess);
  void* other = nullptr;
  CHECK(cudaMalloc(&other, 100) == cudaErrorMemoryAllocation);
  CHECK(cudaGetLastError() == cudaErrorMemoryAllocation);
  CHECK(cudaGetLastError() == cudaSuccess);
  gpu_double::set_memory(150);
  CHECK(cudaMalloc(&other, 51) == cudaErrorMemoryAllocation);
  CHECK(cudaMalloc(&other, 50) == cudaSuccess);
  size_t free_bytes = 1, total_bytes = 0;
  CHECK(cudaMemGetInfo(&free_bytes, &total_bytes) == cudaSuccess);
  CHECK(free_bytes == 0);
  CHECK(total_bytes == 150);
  CHECK(gpu_double::live().allocations == 2);
  CHECK(cudaFree(memory) == cudaSuccess);
  CHECK(cudaFree(other) == cudaSuccess);
  CHECK(cudaFree(other) == cudaErrorInvalidValue);
}

TEST_CASE("double: launches and copies fail once, a lost context for ever") {
  const test::Device device;
  const cudaStream_t stream = new_stream();
  int done = 0, from = 7, to = 0;
  gpu_double::fail_launch(cudaErrorLaunchOutOfResources);
  CHECK(gpu_double::enqueue(stream, [&] { done++; }) == cudaErrorLaunchOutOfResources);
  gpu_double::fail_copy(cudaErrorInvalidValue, 2);
  CHECK(cudaMemcpyAsync(&to, &from, sizeof to, cudaMemcpyHostToDevice, stream) == cudaSuccess);
  CHECK(cudaMemcpyAsync(&to, &from, sizeof to, cudaMemcpyHostToDevice, stream) == cudaErrorInvalidValue);
  CHECK(gpu_double::enqueue(stream, [&] { done++; }) == cudaSuccess);
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(done == 1);
  CHECK(to == 7);

  // As a kernel that fails: what comes after it is not carried out, and nobody waits for ever.
  const cudaEvent_t event = new_event();
  gpu_double::enqueue(stream, [] { gpu_double::lose_context(cudaErrorIllegalAddress); });
  cudaEventRecord(event, stream);
  cudaEventSynchronize(event);
  CHECK(cudaStreamSynchronize(stream) == cudaErrorIllegalAddress);
  CHECK(gpu_double::enqueue(stream, [&] { done++; }) == cudaErrorIllegalAddress);
  CHECK(cudaGetLastError() == cudaErrorIllegalAddress);
  CHECK(cudaGetLastError() == cudaErrorIllegalAddress);
  CHECK(cudaEventDestroy(event) == cudaErrorIllegalAddress);
  CHECK(cudaStreamDestroy(stream) == cudaErrorIllegalAddress);
  CHECK(done == 1);
}

TEST_CASE("double: times between events") {
  const test::Device device;
  const cudaStream_t stream = new_stream();
  const cudaEvent_t start = new_event(cudaEventDefault), end = new_event(cudaEventDefault);
  gpu_double::set_delay(std::chrono::milliseconds(5));
  float milliseconds = 0;
  CHECK(cudaEventElapsedTime(&milliseconds, start, end) == cudaErrorInvalidResourceHandle);
  cudaEventRecord(start, stream);
  gpu_double::enqueue(stream, [] {});
  cudaEventRecord(end, stream);
  CHECK(cudaEventSynchronize(end) == cudaSuccess);
  CHECK(cudaEventElapsedTime(&milliseconds, start, end) == cudaSuccess);
  CHECK(milliseconds >= 5);
  for (const cudaEvent_t event : {start, end}) cudaEventDestroy(event);
  cudaStreamDestroy(stream);
}

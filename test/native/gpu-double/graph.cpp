// Owns: the CUDA double's stream capture and graphs.
// Must not know: what is captured.

#include "state.h"

namespace gpu_double {
namespace {

/// The capture that this thread began; every mode is treated as the thread-local one.
thread_local std::weak_ptr<Capture> thread_capture;

template <class T>
cudaError_t forget(std::set<T> State::*table, T object) {
  {
    const std::lock_guard<std::mutex> lock(state().mutex);
    if ((state().*table).erase(object) == 0) return done(cudaErrorInvalidValue);
  }
  delete object;
  return usable();
}

/// The real thing does this to a plan's recording where a plan is built beside it.
void disturb_where_due() {
  std::atomic<int>& left = state().captures_to_disturbed;
  if (left.load() == 0 || left.fetch_sub(1) != 1) return;
  std::thread(cudaDeviceSynchronize).join();
}

} // namespace

cudaError_t usable_outside_capture() {
  if (const cudaError_t status = usable()) return status;
  const auto capture = thread_capture.lock();
  if (capture == nullptr) return cudaSuccess;
  const std::lock_guard<std::mutex> lock(capture->mutex);
  capture->is_valid = false;
  return done(cudaErrorStreamCaptureUnsupported);
}

} // namespace gpu_double

using namespace gpu_double;

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (const cudaError_t status = usable()) return status;
  if (stream == nullptr || !is_known(stream)) return done(cudaErrorStreamCaptureUnsupported);
  if (capture_of(stream) != nullptr) return done(cudaErrorIllegalState);
  auto capture = std::make_shared<Capture>();
  capture->thread = std::this_thread::get_id();
  capture->streams.push_back(stream);
  thread_capture = capture;
  set_capture(stream, std::move(capture));
  disturb_where_due();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  const cudaError_t status = usable();
  const auto capture = is_known(stream) ? capture_of(stream) : nullptr;
  if (capture == nullptr) return done(cudaErrorIllegalState);
  const std::lock_guard<std::mutex> lock(capture->mutex);
  if (capture->thread != std::this_thread::get_id()) return done(cudaErrorStreamCaptureWrongThread);
  if (capture->streams.front() != stream) return done(cudaErrorStreamCaptureUnmatched);
  for (const cudaStream_t joined : capture->streams) set_capture(joined, nullptr);
  thread_capture.reset();
  if (status != cudaSuccess) return status;
  if (!capture->is_valid) return done(cudaErrorStreamCaptureInvalidated);
  *graph = new CUgraph_st{capture->items};
  const std::lock_guard<std::mutex> state_lock(state().mutex);
  state().graphs.insert(*graph);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  if (const cudaError_t status = usable_outside_capture()) return status;
  const std::lock_guard<std::mutex> lock(state().mutex);
  if (state().graphs.count(graph) == 0) return done(cudaErrorInvalidValue);
  *executable = new CUgraphExec_st{std::make_shared<const std::vector<Item>>(graph->items)};
  state().executables.insert(*executable);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (const cudaError_t status = usable()) return status;
  if (const cudaError_t fault = state().launch.take()) return done(fault);
  std::shared_ptr<const std::vector<Item>> items;
  {
    const std::lock_guard<std::mutex> lock(state().mutex);
    if (state().executables.count(executable) == 0) return done(cudaErrorInvalidValue);
    items = executable->items;
  }
  return push(stream, {[items] {
                for (const Item& item : *items) {
                  if (state().lasting == cudaSuccess) item.run();
                }
              }});
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return forget(&State::graphs, graph);
}

/// One that is still running keeps what it runs.
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return forget(&State::executables, executable);
}

// Owns: the CUDA double's events and streams: threads that carry out what was queued, in order.
// Must not know: what is queued.

#include "state.h"

namespace gpu_double {
namespace {

/// Launches and copies, which a lost context does not carry out any more.
void carry_out(const Item& item) {
  if (item.is_mark || state().lasting == cudaSuccess) item.run();
}

void serve(cudaStream_t stream) {
  std::unique_lock<std::mutex> lock(stream->mutex);
  for (;;) {
    stream->changed.wait(lock, [&] { return stream->is_ending || !stream->items.empty(); });
    if (stream->items.empty()) return;
    const Item item = std::move(stream->items.front());
    stream->items.pop_front();
    stream->is_busy = true;
    lock.unlock();
    carry_out(item);
    lock.lock();
    stream->is_busy = false;
    stream->changed.notify_all();
  }
}

void complete(EventState& event, uint64_t number) {
  const std::lock_guard<std::mutex> lock(event.mutex);
  event.completed = std::max(event.completed, number);
  event.when = std::chrono::steady_clock::now();
  event.changed.notify_all();
}

void wait_for(EventState& event, uint64_t number) {
  std::unique_lock<std::mutex> lock(event.mutex);
  event.changed.wait(lock, [&] { return event.completed >= number; });
}

void finish(CUstream_st& stream) {
  std::unique_lock<std::mutex> lock(stream.mutex);
  stream.changed.wait(lock, [&] { return stream.items.empty() && !stream.is_busy; });
}

auto known_streams() {
  const std::lock_guard<std::mutex> lock(state().mutex);
  return state().streams;
}

bool is_known_event(cudaEvent_t event) {
  State& all = state();
  const std::lock_guard<std::mutex> lock(all.mutex);
  return all.events.count(event) > 0;
}

} // namespace

bool is_known(cudaStream_t stream) {
  if (stream == nullptr) return true;
  State& all = state();
  const std::lock_guard<std::mutex> lock(all.mutex);
  return all.streams.count(stream) > 0;
}

std::shared_ptr<EventState> event_state(cudaEvent_t event) {
  return is_known_event(event) ? event->state : nullptr;
}

std::shared_ptr<Capture> capture_of(cudaStream_t stream) {
  if (stream == nullptr) return nullptr;
  const std::lock_guard<std::mutex> lock(stream->mutex);
  return stream->capture;
}

void set_capture(cudaStream_t stream, std::shared_ptr<Capture> capture) {
  const std::lock_guard<std::mutex> lock(stream->mutex);
  stream->capture = std::move(capture);
}

void finish_all() {
  for (const auto& [stream, owner] : known_streams()) finish(*owner);
}

cudaError_t push(cudaStream_t stream, Item item) {
  if (!is_known(stream)) return done(cudaErrorInvalidResourceHandle);
  if (stream == nullptr) {
    carry_out(item);
    return cudaSuccess;
  }
  if (const auto capture = capture_of(stream)) {
    const std::lock_guard<std::mutex> lock(capture->mutex);
    if (!capture->is_valid) return done(cudaErrorStreamCaptureInvalidated);
    if (!item.is_mark) capture->items.push_back(std::move(item));
    return cudaSuccess;
  }
  const std::lock_guard<std::mutex> lock(stream->mutex);
  stream->items.push_back(std::move(item));
  stream->changed.notify_all();
  return cudaSuccess;
}

cudaError_t enqueue(cudaStream_t stream, std::function<void()> work) {
  if (const cudaError_t status = usable()) return status;
  if (const cudaError_t fault = state().launch.take()) return done(fault);
  return push(stream, {[work = std::move(work)] {
                std::this_thread::sleep_for(std::chrono::milliseconds(state().delay_ms));
                work();
                if (++state().launches_done == state().last_launch) lose_context(cudaErrorIllegalAddress);
              }});
}

} // namespace gpu_double

using namespace gpu_double;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  if (const cudaError_t status = usable_outside_capture()) return status;
  const auto made = std::make_shared<CUstream_st>();
  made->thread = std::thread(serve, made.get());
  State& all = state();
  const std::lock_guard<std::mutex> lock(all.mutex);
  all.streams.emplace(made.get(), made);
  *stream = made.get();
  return cudaSuccess;
}

/// What is queued is carried out first.
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  State& all = state();
  std::shared_ptr<CUstream_st> owner;
  {
    const std::lock_guard<std::mutex> lock(all.mutex);
    const auto found = all.streams.find(stream);
    if (found == all.streams.end()) return done(cudaErrorInvalidResourceHandle);
    owner = std::move(found->second);
    all.streams.erase(found);
  }
  {
    const std::lock_guard<std::mutex> lock(stream->mutex);
    stream->is_ending = true;
    stream->changed.notify_all();
  }
  stream->thread.join();
  return usable();
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (const cudaError_t status = usable()) return status;
  if (!is_known(stream)) return done(cudaErrorInvalidResourceHandle);
  if (stream == nullptr) return cudaSuccess;
  if (const auto capture = capture_of(stream)) {
    const std::lock_guard<std::mutex> lock(capture->mutex);
    capture->is_valid = false;
    return done(cudaErrorStreamCaptureUnsupported);
  }
  finish(*stream);
  return usable();
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (const cudaError_t status = usable()) return status;
  if (!is_known(stream)) return done(cudaErrorInvalidResourceHandle);
  if (stream == nullptr) return cudaSuccess;
  const std::lock_guard<std::mutex> lock(stream->mutex);
  return stream->items.empty() && !stream->is_busy ? cudaSuccess : cudaErrorNotReady;
}

/// Ends every capture, whichever thread began it.
cudaError_t cudaDeviceSynchronize() {
  if (const cudaError_t status = usable_outside_capture()) return status;
  cudaError_t result = cudaSuccess;
  for (const auto& [stream, owner] : known_streams()) {
    const cudaError_t status = cudaStreamSynchronize(stream);
    if (result == cudaSuccess) result = status;
  }
  return result;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (const cudaError_t status = usable()) return status;
  const auto waited = event_state(event);
  if (waited == nullptr || !is_known(stream)) return done(cudaErrorInvalidResourceHandle);
  std::unique_lock<std::mutex> lock(waited->mutex);
  const uint64_t number = waited->recorded;
  const auto joined = waited->capture;
  lock.unlock();
  const auto own = capture_of(stream);
  if (joined == nullptr && own == nullptr) return push(stream, {[=] { wait_for(*waited, number); }, true});
  if (joined == own) return cudaSuccess;
  if (joined == nullptr) return done(cudaErrorStreamCaptureIsolation);
  if (own != nullptr) return done(cudaErrorStreamCaptureMerge);
  const std::lock_guard<std::mutex> capture_lock(joined->mutex);
  joined->streams.push_back(stream);
  set_capture(stream, joined);
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  if (const cudaError_t status = usable()) return status;
  auto* const made = new CUevent_st;
  made->is_timed = (flags & cudaEventDisableTiming) == 0;
  const std::lock_guard<std::mutex> lock(state().mutex);
  state().events.insert(made);
  *event = made;
  return cudaSuccess;
}

/// May be destroyed while streams still wait for it.
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  {
    const std::lock_guard<std::mutex> lock(state().mutex);
    if (state().events.erase(event) == 0) return done(cudaErrorInvalidResourceHandle);
  }
  delete event;
  return usable();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (const cudaError_t status = usable()) return status;
  const auto recorded = event_state(event);
  if (recorded == nullptr || !is_known(stream)) return done(cudaErrorInvalidResourceHandle);
  std::unique_lock<std::mutex> lock(recorded->mutex);
  recorded->capture = capture_of(stream);
  const uint64_t number = recorded->capture == nullptr ? ++recorded->recorded : 0;
  lock.unlock();
  return push(stream, {[=] { complete(*recorded, number); }, true});
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (const cudaError_t status = usable()) return status;
  const auto waited = event_state(event);
  if (waited == nullptr) return done(cudaErrorInvalidResourceHandle);
  std::unique_lock<std::mutex> lock(waited->mutex);
  if (waited->capture != nullptr) return done(cudaErrorCapturedEvent);
  const uint64_t number = waited->recorded;
  lock.unlock();
  wait_for(*waited, number);
  return usable();
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (const cudaError_t status = usable()) return status;
  const auto asked = event_state(event);
  if (asked == nullptr) return done(cudaErrorInvalidResourceHandle);
  const std::lock_guard<std::mutex> lock(asked->mutex);
  if (asked->capture != nullptr) return done(cudaErrorCapturedEvent);
  return asked->completed >= asked->recorded ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  if (const cudaError_t status = usable()) return status;
  std::chrono::steady_clock::time_point times[2];
  for (int i = 0; i < 2; i++) {
    const cudaEvent_t event = i == 0 ? start : end;
    const auto asked = event_state(event);
    if (asked == nullptr || !event->is_timed) return done(cudaErrorInvalidResourceHandle);
    const std::lock_guard<std::mutex> lock(asked->mutex);
    if (asked->capture != nullptr) return done(cudaErrorCapturedEvent);
    if (asked->recorded == 0) return done(cudaErrorInvalidResourceHandle);
    if (asked->completed < asked->recorded) return cudaErrorNotReady;
    times[i] = asked->when;
  }
  *milliseconds = std::chrono::duration<float, std::milli>(times[1] - times[0]).count();
  return cudaSuccess;
}

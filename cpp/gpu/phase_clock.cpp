// Owns: how long the device spent on each phase of a session's work.
// Must not know: what the phases do.

#include "gpu/phase_clock.h"

#include <cuda_runtime_api.h>

#include <utility>

namespace video_depth::gpu {

void PhaseClock::begin(Phase phase, cuda::Stream& stream) {
  Span span{phase, cuda::Event(true), cuda::Event(true)};
  span.from.record(stream);
  const std::lock_guard lock(mutex_);
  spans_.push_back(std::move(span));
}

void PhaseClock::end(cuda::Stream& stream) {
  const std::lock_guard lock(mutex_);
  spans_.back().to.record(stream);
  spans_.back().is_ended = true;
}

void PhaseClock::settle() {
  const std::lock_guard lock(mutex_);
  while (!spans_.empty() && spans_.front().is_ended &&
         cudaEventQuery(spans_.front().to.get()) == cudaSuccess) {
    const Span& span = spans_.front();
    times_[static_cast<size_t>(span.phase)] += static_cast<double>(span.to.milliseconds_since(span.from));
    spans_.pop_front();
  }
}

PhaseTimes PhaseClock::times() const {
  const std::lock_guard lock(mutex_);
  return times_;
}

} // namespace video_depth::gpu

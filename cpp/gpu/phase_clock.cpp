// Owns: how long the device spent on each phase of a session's work.
// Must not know: what the phases do.

#include "gpu/phase_clock.h"

#include <cuda_runtime_api.h>

#include <utility>

namespace video_depth::gpu {

void PhaseClock::begin(Phase phase, cuda::Stream& stream) {
  Span span = new_span();
  span.phase = phase;
  span.is_ended = false;
  span.from.record(stream);
  const std::lock_guard lock(mutex_);
  // A span that was never ended belongs to work that failed.
  if (!spans_.empty() && !spans_.back().is_ended) spans_.pop_back();
  spans_.push_back(std::move(span));
}

PhaseClock::Span PhaseClock::new_span() {
  {
    const std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
      Span span = std::move(spare_.back());
      spare_.pop_back();
      return span;
    }
  }
  return {};
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
    spare_.push_back(std::move(spans_.front()));
    spans_.pop_front();
  }
}

PhaseTimes PhaseClock::times() const {
  const std::lock_guard lock(mutex_);
  return times_;
}

} // namespace video_depth::gpu

// Owns: how long the device spent on each phase of a session's work.
// Must not know: what the phases do.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <mutex>
#include <vector>

#include "cuda/memory.h"

namespace video_depth::gpu {

enum class Phase { kPreprocess, kEncode, kTemporalHead, kDepthDecoder, kStitch };
constexpr size_t kPhases = 5;

/// Milliseconds by phase.
using PhaseTimes = std::array<double, kPhases>;

/// `begin` and `end` on the device thread, `settle` on any thread once the device is done with what it
/// covers.
class PhaseClock {
 public:
  void begin(Phase phase, cuda::Stream& stream);
  void end(cuda::Stream& stream);
  /// Adds up every span that is completed.
  void settle();
  PhaseTimes times() const;

 private:
  struct Span {
    Phase phase{};
    cuda::Event from{true}, to{true};
    bool is_ended = false;
  };

  Span new_span();

  mutable std::mutex mutex_;
  std::deque<Span> spans_;
  /// Their events are used again.
  std::vector<Span> spare_;
  PhaseTimes times_{};
};

} // namespace video_depth::gpu

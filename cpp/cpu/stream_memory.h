// Owns: what streams remember: the pool that their memory comes from, and which slot holds which frame's
// states. Must not know: how states are computed, which frames are remembered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "error.h"

namespace video_depth::cpu {

/// Memory of one frame's states. Slots that stand for the same frame share it; with the last of them it goes
/// back to its pool.
using States = std::shared_ptr<std::byte>;

/// Streams would take more than they may. All in bytes.
class OverBudget : public Error {
 public:
  OverBudget(size_t wanted, size_t in_use, size_t allowed);
  size_t wanted() const { return wanted_; }
  size_t in_use() const { return in_use_; }
  size_t allowed() const { return allowed_; }

 private:
  size_t wanted_;
  size_t in_use_;
  size_t allowed_;
};

/// Memory for the streams of a model. What goes back is kept for the next one to ask, up to a limit. Any
/// thread may call; blocks may outlive the pool.
class StatePool {
 public:
  static constexpr size_t kNoBudget = std::numeric_limits<size_t>::max();

  StatePool();

  /// Memory aligned to a page, of any content. Throws OverBudget, and bad_alloc.
  States take(size_t bytes);

  size_t bytes_in_use() const;
  /// Free, for the next one to ask.
  size_t bytes_kept() const;
  /// The most bytes in use; what is kept besides never makes it more. What is in use already stays.
  void set_budget(size_t bytes);
  /// Gives what is kept back to the system.
  void trim();

 private:
  class Blocks;
  std::shared_ptr<Blocks> blocks_;
};

/// What one stream remembers: the states of earlier frames in `slots` slots. A frame that was put into
/// several of them is there once. One thread at a time.
class StreamMemory {
 public:
  /// @param frame_bytes of one frame's states
  StreamMemory(StatePool pool, size_t frame_bytes, int slots);

  int slots() const { return static_cast<int>(frames_.size()); }
  size_t frame_bytes() const { return frame_bytes_; }
  /// Null where nothing was put yet.
  const std::byte* frame(int slot) const { return frames_[static_cast<size_t>(slot)].get(); }
  /// For a frame to come, of any content. Throws as StatePool does.
  States new_frame() { return pool_.take(frame_bytes_); }
  /// Throws Error where a slot is none of this memory's.
  void put(const States& frame, const int32_t* into, int count);
  /// As before the first frame.
  void clear();
  /// What its frames take of the pool.
  size_t bytes() const;

  /// Which frame each slot holds, and the frames, each once.
  size_t export_bytes() const;
  void export_to(std::byte* out) const;
  /// Replaces everything. Throws Error, and changes nothing, unless it is a memory of this size that was
  /// exported; throws as StatePool does.
  void import_from(const std::byte* bytes, size_t count);

 private:
  /// For each slot the number of its frame, counted as they come, or −1.
  std::vector<int32_t> numbers(std::vector<const std::byte*>& distinct) const;

  StatePool pool_;
  size_t frame_bytes_;
  std::vector<States> frames_;
};

} // namespace video_depth::cpu

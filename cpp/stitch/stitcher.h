// Owns: the state between windows: frames held back for the next blend and remembered references.
// Must not know: which window it is, how the step was planned, Node.js.
#pragma once

#include <memory>
#include <vector>

#include "image/bilinear.h"
#include "stitch/align.h"
#include "stitch/step.h"

namespace video_depth {

/// One owner, one call at a time. Results are the same bits whatever the number of threads.
class Stitcher {
 public:
  explicit Stitcher(const StitcherOptions& options);

  /// Carries out `step`; fills `out` in order. Where it throws, nothing has changed but what `out` holds.
  StitchResult stitch(const std::vector<MapView>& maps, const StitchStep& step,
                      const std::vector<FrameView>& out);

  int held() const { return static_cast<int>(held_.size()); }
  /// Bytes of frames held and remembered.
  size_t memory_bytes() const;

 private:
  /// [frame_height, frame_width]
  using Frame = std::unique_ptr<float[]>;

  struct Reference {
    int64_t frame;
    Frame data;
    /// What its map was multiplied by.
    double scale;
  };

  /// One frame to be written. Without `held`: the map alone; without `map`: the held frame alone.
  struct Placement {
    const float* map;
    const float* held;
    double weight;
    float* target;
  };

  /// Where this window's frames go. Memory that leaves with old frames is used again for new ones.
  struct Plan {
    std::vector<Frame> fresh_held, fresh_references;
    std::vector<Placement> placements;
    std::vector<Frame> next_held;           // reserved, filled by commit
    std::vector<Reference> next_references; // reserved, filled by commit
  };

  WindowFit fit(const std::vector<MapView>& maps, const StitchStep& step);
  Plan plan(const std::vector<MapView>& maps, const StitchStep& step, const std::vector<FrameView>& out);
  std::vector<Reference*> replaced(const std::vector<MapView>& maps, const StitchStep& step,
                                   const WindowFit& window, Plan& plan);
  void write(const std::vector<Placement>& placements, const WindowFit& window);
  void commit(const StitchStep& step, int leaving, double scale, Plan& plan) noexcept;

  Frame& home_of_held(Plan& plan, int index, int leaving);
  Frame& home_of_reference(Plan& plan, const StitchStep& step, size_t index);
  Reference& reference(int64_t frame);
  Frame new_frame() const;
  uint64_t count_non_finite(const std::vector<MapView>& maps, const std::vector<int>& slots) const;
  StitchState state() const;
  float* scratch(int worker) { return scratch_.data() + scratch_per_worker_ * static_cast<size_t>(worker); }

  StitcherOptions options_;
  BilinearGeometry geometry_;
  size_t frame_values_;
  std::vector<Frame> held_;
  std::vector<Reference> references_;
  size_t scratch_per_worker_;
  std::vector<float> scratch_;
};

} // namespace video_depth

// Owns: what one window's stitching is told and tells, and whether it can be carried out.
// Must not know: how it is carried out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stitch/fit_rules.h"

namespace video_depth {

struct SlotFrame {
  int slot;
  int64_t frame;
};

struct SlotRange {
  int slot = 0;
  int count = 0;
};

/// See StitchStep in lib/native/types.ts.
struct StitchStep {
  std::vector<SlotFrame> align;
  SlotRange blend;
  SlotRange append;
  std::vector<SlotFrame> remember;
  std::vector<int64_t> forget;
  int hold = 0;
};

struct StitchResult {
  double scale = 1;
  double shift = 0;
  bool degenerate = false;
  /// See WindowFit.
  bool is_anew = false;
  /// References without content that the window was not fitted to.
  int left_out = 0;
  uint64_t non_finite = 0;
};

/// One slot's [map_height, map_width] float32 map; borrowed. `data` is null where there is none.
struct MapView {
  const float* data = nullptr;
  size_t length = 0;
};

/// One [frame_height, frame_width] float32 result; borrowed.
struct FrameView {
  float* data = nullptr;
  size_t length = 0;
};

struct StitcherOptions {
  int map_width, map_height;
  int frame_width, frame_height;
  int threads;
};

/// What a step is checked against.
struct StitchState {
  size_t map_values;
  size_t frame_values;
  int held;
  std::vector<int64_t> remembered;
};

/// The fit's part of a window's result.
StitchResult result_of(const WindowFit& window);

/// Weight of the new map at the i-th of `count` blended frames: i/(count − 1). A lone frame has weight 1;
/// upstream never blends one.
double blend_weight(int i, int count);

/// Slots whose maps a valid `step` reads, each once, ascending. A blended slot of weight 0 is not read.
std::vector<int> used_slots(const StitchStep& step);

/// Throws Error where `options` are out of range.
void check_options(const StitcherOptions& options);

/// Throws Error unless `step` can be carried out with these maps and results.
void check_step(const StitchStep& step, const std::vector<MapView>& maps, const std::vector<FrameView>& out,
                const StitchState& state);

} // namespace video_depth

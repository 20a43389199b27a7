// Owns: what one window's stitching is told and tells, and whether it can be carried out.
// Must not know: how it is carried out.

#include "stitch/step.h"

#include <algorithm>
#include <string>

#include "checks.h"
#include "error.h"

namespace video_depth {

namespace {

using std::to_string;

[[noreturn]] void fail(const std::string& expected, const std::string& parameter,
                       const std::string& received) {
  throw Error("stitch", expected, parameter, received);
}

std::string item(const char* list, size_t i, const char* member = "") {
  return std::string(list) + "[" + to_string(i) + "]" + member;
}

bool contains(const std::vector<int64_t>& frames, int64_t frame) {
  return std::find(frames.begin(), frames.end(), frame) != frames.end();
}

void check_slot(int slot, const std::string& parameter, size_t slots) {
  if (slot >= 0 && static_cast<size_t>(slot) < slots) return;
  fail("a slot below " + to_string(slots), parameter, to_string(slot));
}

void check_range(const SlotRange& range, const std::string& parameter, size_t slots) {
  if (range.count == 0) return;
  if (range.count < 0) fail("a count of at least 0", parameter + ".count", to_string(range.count));
  const int64_t last = static_cast<int64_t>(range.slot) + range.count - 1;
  if (range.slot >= 0 && last < static_cast<int64_t>(slots)) return;
  fail("slots below " + to_string(slots), parameter, to_string(range.slot) + "…" + to_string(last));
}

void check_frames(const StitchStep& step, const StitchState& state, size_t slots) {
  if (step.align.size() > static_cast<size_t>(kMostReferences)) {
    fail("at most " + to_string(kMostReferences) + " frames", "step.align", to_string(step.align.size()));
  }
  for (size_t i = 0; i < step.align.size(); i++) {
    check_slot(step.align[i].slot, item("step.align", i, ".slot"), slots);
    if (contains(state.remembered, step.align[i].frame)) continue;
    fail("a remembered frame", item("step.align", i, ".frame"), to_string(step.align[i].frame));
  }
  std::vector<int64_t> known = state.remembered;
  for (size_t i = 0; i < step.remember.size(); i++) {
    check_slot(step.remember[i].slot, item("step.remember", i, ".slot"), slots);
    const int64_t frame = step.remember[i].frame;
    if (contains(known, frame)) {
      fail("a frame not remembered yet", item("step.remember", i, ".frame"), to_string(frame));
    }
    known.push_back(frame);
  }
  std::vector<int64_t> forgettable = state.remembered;
  for (size_t i = 0; i < step.forget.size(); i++) {
    const auto found = std::find(forgettable.begin(), forgettable.end(), step.forget[i]);
    if (found == forgettable.end()) {
      fail("an earlier remembered frame, once", item("step.forget", i), to_string(step.forget[i]));
    }
    forgettable.erase(found);
  }
}

void check_maps(const std::vector<int>& used, const std::vector<MapView>& maps, size_t values) {
  for (const int slot : used) {
    const auto index = static_cast<size_t>(slot);
    const MapView& map = maps[index];
    if (map.data != nullptr && map.length == values) continue;
    fail("a map of " + to_string(values) + " values", item("maps", index),
         map.data == nullptr ? "null" : to_string(map.length) + " values");
  }
}

void check_out(const StitchStep& step, const std::vector<int>& used, const std::vector<MapView>& maps,
               const std::vector<FrameView>& out, const StitchState& state) {
  const int total = state.held + step.append.count;
  if (step.hold < 0 || step.hold > total) {
    fail("a count from 0 to " + to_string(total), "step.hold", to_string(step.hold));
  }
  const auto leaving = static_cast<size_t>(total - step.hold);
  if (out.size() != leaving) fail(to_string(leaving) + " arrays", "out", to_string(out.size()));
  const size_t bytes = state.frame_values * sizeof(float);
  for (size_t i = 0; i < out.size(); i++) {
    if (out[i].data == nullptr || out[i].length != state.frame_values) {
      fail(to_string(state.frame_values) + " values", item("out", i), to_string(out[i].length) + " values");
    }
    for (size_t k = 0; k < i; k++) {
      if (!overlap(out[i].data, bytes, out[k].data, bytes)) continue;
      fail("memory of its own", item("out", i), "memory that overlaps " + item("out", k));
    }
    for (const int slot : used) {
      const MapView& map = maps[static_cast<size_t>(slot)];
      if (!overlap(out[i].data, bytes, map.data, map.length * sizeof(float))) continue;
      fail("memory of its own", item("out", i),
           "memory that overlaps " + item("maps", static_cast<size_t>(slot)));
    }
  }
}

} // namespace

StitchResult result_of(const WindowFit& window) {
  StitchResult result{window.fit.scale, window.fit.shift, window.fit.degenerate, window.is_anew};
  for (uint32_t bits = window.left_out; bits != 0; bits >>= 1) result.left_out += static_cast<int>(bits & 1);
  return result;
}

double blend_weight(int i, int count) {
  return count == 1 ? 1.0 : static_cast<double>(i) / (count - 1);
}

std::vector<int> used_slots(const StitchStep& step) {
  std::vector<int> slots;
  for (const SlotFrame& pair : step.align) slots.push_back(pair.slot);
  for (const SlotFrame& pair : step.remember) slots.push_back(pair.slot);
  for (int i = 0; i < step.append.count; i++) slots.push_back(step.append.slot + i);
  for (int i = 0; i < step.blend.count; i++) {
    if (blend_weight(i, step.blend.count) > 0) slots.push_back(step.blend.slot + i);
  }
  std::sort(slots.begin(), slots.end());
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  return slots;
}

void check_options(const StitcherOptions& options) {
  check_side("stitch", options.map_width, "options.mapWidth");
  check_side("stitch", options.map_height, "options.mapHeight");
  check_side("stitch", options.frame_width, "options.frameWidth");
  check_side("stitch", options.frame_height, "options.frameHeight");
  check_threads("stitch", options.threads, "options.threads");
}

void check_step(const StitchStep& step, const std::vector<MapView>& maps, const std::vector<FrameView>& out,
                const StitchState& state) {
  check_range(step.blend, "step.blend", maps.size());
  if (step.blend.count != 0 && step.blend.count != state.held) {
    fail("0 or the " + to_string(state.held) + " frames held", "step.blend.count",
         to_string(step.blend.count));
  }
  check_range(step.append, "step.append", maps.size());
  check_frames(step, state, maps.size());
  const std::vector<int> used = used_slots(step);
  check_maps(used, maps, state.map_values);
  check_out(step, used, maps, out, state);
}

} // namespace video_depth

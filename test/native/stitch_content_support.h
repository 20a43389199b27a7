// Owns: sequences of windows of which some have no content, for the stitchers on processors and on GPUs.
// Must not know: either stitcher.
#pragma once

#include <vector>

#include "stitch/step.h"
#include "support.h"

namespace test {

constexpr int kContentMapWidth = 28, kContentMapHeight = 14;

/// One window: two references, three overlapping frames, three new ones.
struct ContentWindow {
  std::vector<std::vector<float>> maps; // [8]
  video_depth::StitchStep step;
  /// Frames that leave.
  int leaving;
};

inline std::vector<float> content_map(uint32_t seed, float scale = 1, float shift = 0) {
  std::vector<float> map = noise(size_t{kContentMapWidth} * kContentMapHeight, seed);
  for (float& value : map) value = value * scale + shift;
  return map;
}

/// A picture that shows nothing: next to no spread, unlike anything.
inline std::vector<float> empty_map(uint32_t seed) {
  return content_map(seed, 0.02f, 1);
}

inline std::vector<float> times(std::vector<float> map, float scale, float shift = 0) {
  for (float& value : map) value = value * scale + shift;
  return map;
}

/// Window `index`; references are frames 0 and, from the second window on, what the one before remembered.
inline ContentWindow content_window(int index, bool keeps_both = false) {
  ContentWindow window;
  const auto seed = static_cast<uint32_t>(100 * (index + 1));
  for (uint32_t slot = 0; slot < 8; slot++) window.maps.push_back(content_map(seed + slot));
  auto& step = window.step;
  step.hold = 3;
  if (index == 0) {
    step.append = {0, 8};
    step.remember = {{0, 0}, {1, 1}};
    window.leaving = 5;
    return window;
  }
  const int64_t second = keeps_both || index == 1 ? 1 : 10 + index - 1;
  step.align = {{0, 0}, {1, second}};
  step.blend = {2, 3};
  step.append = {5, 3};
  if (!keeps_both) {
    step.forget = {second};
    step.remember = {{6, 10 + index}};
  }
  window.leaving = 3;
  return window;
}

/// Nothing is seen in the first window; the second one begins anew, and the third is half of it.
inline std::vector<ContentWindow> dark_start() {
  std::vector<ContentWindow> windows{content_window(0), content_window(1), content_window(2)};
  for (uint32_t slot = 0; slot < 8; slot++) windows[0].maps[slot] = empty_map(slot + 1);
  windows[2].maps[0] = times(windows[1].maps[0], 2, 0.1f);
  windows[2].maps[1] = times(windows[1].maps[6], 2, 0.1f);
  return windows;
}

/// The second reference shows nothing: the second window's scale is 2 by the first one alone, and both fit
/// the third one, whose scale is 4.
inline std::vector<ContentWindow> one_dark_reference() {
  std::vector<ContentWindow> windows{content_window(0), content_window(1, true), content_window(2, true)};
  windows[0].maps[1] = empty_map(1);
  windows[1].maps[0] = times(windows[0].maps[0], 0.5f);
  windows[2].maps[0] = times(windows[0].maps[0], 0.25f);
  windows[2].maps[1] = times(windows[1].maps[1], 0.5f);
  return windows;
}

/// The second window shows nothing, not even the references: they stay, and the third one's scale is 2.
inline std::vector<ContentWindow> dark_middle() {
  std::vector<ContentWindow> windows{content_window(0), content_window(1, true), content_window(2, true)};
  for (uint32_t slot = 0; slot < 8; slot++) windows[1].maps[slot] = times(windows[0].maps[slot], -0.02f, 1);
  for (uint32_t slot = 0; slot < 2; slot++) windows[2].maps[slot] = times(windows[0].maps[slot], 0.5f);
  return windows;
}

/// Each window has five times the spread of the one before, and shows the same: scales 1, 0.2, 0.2.
inline std::vector<ContentWindow> growing_spread() {
  std::vector<ContentWindow> windows{content_window(0), content_window(1), content_window(2)};
  for (uint32_t slot = 0; slot < 2; slot++) windows[1].maps[slot] = times(windows[0].maps[slot], 2);
  windows[1].maps[6] = times(windows[1].maps[6], 2);
  windows[2].maps[0] = times(windows[0].maps[0], 4);
  windows[2].maps[1] = times(windows[1].maps[6], 2);
  return windows;
}

} // namespace test

// Owns: a window's buffers for stitch tests, and a straightforward stitcher to compare with.
// Must not know: how the stitcher under test works.
#pragma once

#include <map>
#include <optional>

#include "stitch/stitcher.h"
#include "support.h"

namespace test {

/// Maps, a step and guarded results, ready to be passed on.
struct Window {
  std::vector<std::optional<std::vector<float>>> maps;
  video_depth::StitchStep step;
  std::vector<Guarded> out;

  std::vector<video_depth::MapView> map_views() const {
    std::vector<video_depth::MapView> views;
    for (const auto& map : maps) {
      views.push_back(map ? video_depth::MapView{map->data(), map->size()} : video_depth::MapView{});
    }
    return views;
  }
  std::vector<video_depth::FrameView> out_views() {
    std::vector<video_depth::FrameView> views;
    for (auto& frame : out) views.push_back({frame.data(), frame.size()});
    return views;
  }
  video_depth::StitchResult run(video_depth::Stitcher& stitcher) {
    return stitcher.stitch(map_views(), step, out_views());
  }
};

/// The rule as it is written down, frame by frame in float64, every map upsampled whole.
class NaiveStitcher {
 public:
  using Frame = std::vector<double>;

  explicit NaiveStitcher(const video_depth::StitcherOptions& options) : options_(options) {}

  struct Result {
    double scale = 1, shift = 0;
    std::vector<Frame> out;
  };

  Result stitch(const Window& window) {
    const auto& step = window.step;
    Result result;
    if (!step.align.empty()) fit(window, result);
    const auto aligned = [&](int slot) { return this->aligned(window, slot, result); };
    std::vector<Frame> frames = held_;
    for (int i = 0; i < step.blend.count; i++) {
      const double weight = step.blend.count == 1 ? 1 : static_cast<double>(i) / (step.blend.count - 1);
      if (weight == 0) continue;
      const Frame newer = aligned(step.blend.slot + i);
      Frame& frame = frames[static_cast<size_t>(i)];
      for (size_t p = 0; p < frame.size(); p++) frame[p] = frame[p] * (1 - weight) + newer[p] * weight;
    }
    for (int i = 0; i < step.append.count; i++) frames.push_back(aligned(step.append.slot + i));
    const auto leaving = frames.end() - step.hold;
    result.out.assign(frames.begin(), leaving);
    held_.assign(leaving, frames.end());
    for (const auto& [slot, frame] : step.remember) references_[frame] = aligned(slot);
    for (const int64_t frame : step.forget) references_.erase(frame);
    return result;
  }

 private:
  Frame upsampled(const Window& window, int slot) const {
    return naive_upsample(*window.maps[static_cast<size_t>(slot)], options_.map_width, options_.map_height,
                          options_.frame_width, options_.frame_height);
  }

  Frame aligned(const Window& window, int slot, const Result& result) const {
    Frame frame = upsampled(window, slot);
    for (double& value : frame) value = std::max(0.0, value * result.scale + result.shift);
    return frame;
  }

  void fit(const Window& window, Result& result) {
    double a00 = 0, a01 = 0, a11 = 0, b0 = 0, b1 = 0;
    for (const auto& [slot, frame] : window.step.align) {
      const Frame prediction = upsampled(window, slot);
      const Frame& target = references_.at(frame);
      for (size_t i = 0; i < target.size(); i++) {
        a00 += prediction[i] * prediction[i];
        a01 += prediction[i];
        a11 += 1;
        b0 += prediction[i] * target[i];
        b1 += target[i];
      }
    }
    const double determinant = a00 * a11 - a01 * a01;
    if (determinant == 0) return;
    const double scale = (a11 * b0 - a01 * b1) / determinant;
    if (scale <= 0) return;
    result.scale = scale;
    result.shift = (-a01 * b0 + a00 * b1) / determinant;
  }

  video_depth::StitcherOptions options_;
  std::vector<Frame> held_;
  std::map<int64_t, Frame> references_;
};

} // namespace test

// Owns: stitching on the device: frames held back for the next blend, remembered references, memory for both.
// Must not know: plans, how results get to the host.

#include "gpu/device_stitcher.h"

#include <algorithm>

#include "cuda/failure.h"

namespace video_depth::gpu {

namespace {

size_t area(cuda::Extent extent) {
  return static_cast<size_t>(extent.width) * static_cast<size_t>(extent.height);
}

bool contains(const std::vector<int64_t>& frames, int64_t frame) {
  return std::find(frames.begin(), frames.end(), frame) != frames.end();
}

/// Frames of a window that are held or remembered, for two windows.
constexpr size_t kFramesKept = 24;

} // namespace

DeviceStitcher::DeviceStitcher(cuda::Extent map, cuda::Extent frame)
    : map_(map),
      frame_(frame),
      pool_(kFramesKept),
      scales_(kFramesKept),
      scratch_(cuda::fit_scratch_bytes(frame)) {
}

size_t DeviceStitcher::frame_values() const {
  return area(frame_);
}

void DeviceStitcher::check(const std::vector<const float*>& maps, const StitchStep& step,
                           const std::vector<FrameView>& out) const {
  std::vector<MapView> views;
  for (const float* map : maps) views.push_back({map, map == nullptr ? 0 : area(map_)});
  StitchState state{area(map_), frame_values(), held(), {}};
  for (const Reference& reference : references_) state.remembered.push_back(reference.frame);
  check_step(step, views, out, state);
}

void DeviceStitcher::stitch(const std::vector<const float*>& maps, const StitchStep& step,
                            const LeavingFrames& leaving, cuda::DeviceFit* fit, cuda::Stream& stream) {
  std::vector<cuda::DeviceBuffer> next_held;
  std::vector<Reference> next_references;
  const std::vector<cuda::FrameJob> jobs = this->jobs(maps, step, leaving, next_held, next_references);
  queue_fit(maps, step, fit, stream);
  for (size_t begin = 0; begin < jobs.size(); begin += cuda::kMostFrameJobs) {
    const size_t count = std::min(jobs.size() - begin, static_cast<size_t>(cuda::kMostFrameJobs));
    cuda::check(cuda::launch_write_frames(jobs.data() + begin, static_cast<int>(count), map_, frame_, fit,
                                          stream.get()),
                "writing frames");
  }
  // What is given back is used again on this stream alone, so behind its last reader.
  for (cuda::DeviceBuffer& frame : held_) pool_.give(std::move(frame));
  for (Reference& old : references_) {
    if (contains(step.forget, old.frame)) {
      pool_.give(std::move(old.data));
      scales_.give(std::move(old.scale));
    } else {
      next_references.push_back(std::move(old));
    }
  }
  held_ = std::move(next_held);
  references_ = std::move(next_references);
}

/// The j-th of all held and appended frames leaves, or is held on.
std::vector<cuda::FrameJob> DeviceStitcher::jobs(const std::vector<const float*>& maps,
                                                 const StitchStep& step, const LeavingFrames& leaving,
                                                 std::vector<cuda::DeviceBuffer>& next_held,
                                                 std::vector<Reference>& next_references) {
  std::vector<cuda::FrameJob> jobs;
  const auto map_at = [&](int slot) { return maps[static_cast<size_t>(slot)]; };
  const auto target = [&](int j) {
    if (j < leaving.count) return leaving.frames.as<float>() + static_cast<size_t>(j) * frame_values();
    next_held.push_back(pool_.take(frame_values() * sizeof(float)));
    return next_held.back().as<float>();
  };
  for (int j = 0; j < held(); j++) {
    const double weight = j < step.blend.count ? blend_weight(j, step.blend.count) : 0;
    const float* map = weight > 0 ? map_at(step.blend.slot + j) : nullptr;
    jobs.push_back({map, held_[static_cast<size_t>(j)].as<float>(), target(j), weight});
  }
  for (int i = 0; i < step.append.count; i++) {
    jobs.push_back({map_at(step.append.slot + i), nullptr, target(held() + i), 1});
  }
  for (const SlotFrame& kept : step.remember) {
    next_references.push_back(
        {kept.frame, pool_.take(frame_values() * sizeof(float)), scales_.take(sizeof(double))});
    const Reference& reference = next_references.back();
    jobs.push_back({map_at(kept.slot), nullptr, reference.data.as<float>(), 1, reference.scale.as<double>()});
  }
  replace_left_out(maps, step, jobs);
  return jobs;
}

/// References that are left out and live on show this window's map of their frame instead.
void DeviceStitcher::replace_left_out(const std::vector<const float*>& maps, const StitchStep& step,
                                      std::vector<cuda::FrameJob>& jobs) const {
  for (size_t i = 0; i < step.align.size(); i++) {
    const auto [slot, frame] = step.align[i];
    if (contains(step.forget, frame)) continue;
    const Reference& old = reference(frame);
    jobs.push_back({maps[static_cast<size_t>(slot)], nullptr, old.data.as<float>(), 1, old.scale.as<double>(),
                    static_cast<int>(i)});
  }
}

const DeviceStitcher::Reference& DeviceStitcher::reference(int64_t frame) const {
  return *std::find_if(references_.begin(), references_.end(),
                       [&](const Reference& r) { return r.frame == frame; });
}

void DeviceStitcher::queue_fit(const std::vector<const float*>& maps, const StitchStep& step,
                               cuda::DeviceFit* fit, cuda::Stream& stream) {
  std::vector<cuda::FitPair> pairs;
  for (const SlotFrame& pair : step.align) {
    const Reference& old = reference(pair.frame);
    pairs.push_back({maps[static_cast<size_t>(pair.slot)], old.data.as<float>(), old.scale.as<double>()});
  }
  cuda::check(cuda::launch_fit(pairs.data(), static_cast<int>(pairs.size()), map_, frame_, scratch_.data(),
                               fit, stream.get()),
              "fitting a window to the frames before it");
}

} // namespace video_depth::gpu

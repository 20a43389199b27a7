// Owns: cases of the kernel that writes frames.
// Must not know: where kernels run.

#include <cmath>
#include <limits>
#include <memory>

#include "cuda/reference.h"
#include "kernels/cases.h"

namespace kernel_test {

namespace {

constexpr DeviceFit kFit{1.7, -0.4, 0, 0};

enum class Kind { kNew, kBlended, kBlendedInPlace, kHeld, kHeldInPlace };
constexpr Kind kKinds[] = {Kind::kNew, Kind::kBlended, Kind::kBlendedInPlace, Kind::kHeld,
                           Kind::kHeldInPlace};

struct Offsets {
  size_t map, held, out;
};

/// One job's memory, for kernels and for the reference.
class JobMemory {
 public:
  JobMemory(Kind kind, const std::vector<float>& map, Extent frame, double weight, Offsets offsets,
            uint32_t seed)
      : kind_(kind),
        weight_(weight),
        host_map_(map),
        host_held_(noise(area(frame), seed)),
        host_out_(Output<float>::untouched(area(frame))),
        map_(map, offsets.map),
        held_(area(frame), offsets.held),
        out_(area(frame), offsets.out) {
    held_.fill(host_held_);
  }

  FrameJob job() { return job_of(map_.data(), held_.data(), out_.data()); }
  FrameJob expected_job() { return job_of(host_map_.data(), host_held_.data(), host_out_.data()); }

  void check(Tally& tally, const std::string& name) const {
    tally.check(same(out_.values(), host_out_), name + ": out");
    tally.check(same(held_.values(), host_held_), name + ": held");
    tally.check(out_.guards_intact() && held_.guards_intact(), name + ": sentinels");
  }
  std::vector<float> result() const { return in_place() ? held_.values() : out_.values(); }

 private:
  bool in_place() const { return kind_ == Kind::kBlendedInPlace || kind_ == Kind::kHeldInPlace; }
  FrameJob job_of(const float* map, float* held, float* out) const {
    const bool has_map = kind_ != Kind::kHeld && kind_ != Kind::kHeldInPlace;
    return {has_map ? map : nullptr, kind_ == Kind::kNew ? nullptr : held, in_place() ? held : out, weight_};
  }

  Kind kind_;
  double weight_;
  std::vector<float> host_map_, host_held_, host_out_;
  Input<float> map_;
  Output<float> held_, out_;
};

std::vector<float> run_jobs(Tally& tally, std::vector<std::unique_ptr<JobMemory>>& memories, Extent map,
                            Extent frame, const DeviceFit* fit, const std::string& name) {
  std::vector<FrameJob> jobs, expected;
  for (auto& memory : memories) {
    jobs.push_back(memory->job());
    expected.push_back(memory->expected_job());
  }
  const Input<DeviceFit> device_fit({fit == nullptr ? DeviceFit{} : *fit});
  const int count = static_cast<int>(jobs.size());
  tally.check(run_write_frames(jobs.data(), count, map, frame, fit == nullptr ? nullptr : device_fit.data()),
              name + ": launched");
  tally.check(reference::write_frames(expected.data(), count, map, frame, fit), name + ": reference");
  std::vector<float> results;
  for (auto& memory : memories) {
    memory->check(tally, name);
    const std::vector<float> result = memory->result();
    results.insert(results.end(), result.begin(), result.end());
  }
  return results;
}

std::vector<float> run_one(Tally& tally, Kind kind, const std::vector<float>& values, Extent map,
                           Extent frame, Offsets offsets, const DeviceFit* fit, const std::string& name) {
  std::vector<std::unique_ptr<JobMemory>> memories;
  memories.push_back(std::make_unique<JobMemory>(kind, values, frame, 2.0 / 7, offsets, 5));
  return run_jobs(tally, memories, map, frame, fit, name);
}

} // namespace

void frames_sizes(Tally& tally) {
  struct Sizes {
    Extent map, frame;
  };
  const Sizes sizes[] = {{{1, 1}, {1, 1}},      {{1, 1}, {5, 7}},      {{7, 5}, {1, 1}},
                         {{1, 9}, {4, 31}},     {{9, 1}, {31, 4}},     {{14, 14}, {37, 23}},
                         {{37, 23}, {14, 14}},  {{2, 3}, {512, 5}},    {{13, 11}, {516, 9}},
                         {{13, 11}, {517, 10}}, {{98, 70}, {128, 13}}, {{28, 28}, {28, 28}}};
  for (const Sizes& s : sizes) {
    const std::vector<float> values = noise(area(s.map), 3);
    for (const Kind kind : kKinds) {
      for (const Offsets offsets :
           {Offsets{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {2, 2, 2}, {3, 3, 3}}) {
        run_one(tally, kind, values, s.map, s.frame, offsets, &kFit, text("map", s.map, s.frame));
      }
    }
  }
  const Extent map{518, 518}, frame{1920, 1080};
  const std::vector<float> values = noise(area(map), 4);
  const auto once = run_one(tally, Kind::kBlended, values, map, frame, {0, 0, 0}, &kFit, "518 -> 1080p");
  const auto twice =
      run_one(tally, Kind::kBlended, values, map, frame, {0, 0, 0}, &kFit, "518 -> 1080p again");
  tally.check(same(once, twice), "the same bits twice");
  run_one(tally, Kind::kNew, values, map, frame, {0, 0, 0}, nullptr, "518 -> 1080p without a fit");
}

void frames_jobs(Tally& tally) {
  const Extent map{14, 28};
  for (const Extent frame : {Extent{64, 33}, {63, 33}}) {
    std::vector<std::unique_ptr<JobMemory>> memories;
    for (uint32_t i = 0; i < kMostFrameJobs; i++) {
      const Offsets offsets{i % 4, frame.width % 4 == 0 ? 0 : i % 3, 0};
      memories.push_back(std::make_unique<JobMemory>(kKinds[i % 5], noise(area(map), i), frame,
                                                     i % 9 == 8 ? 1.0 : (i % 8) / 7.0, offsets, i + 100));
    }
    run_jobs(tally, memories, map, frame, &kFit, text("64 jobs", frame.width, frame.height));
  }
  tally.check(run_write_frames(nullptr, 0, map, {3, 3}, nullptr), "no jobs");
}

void frames_values(Tally& tally) {
  const Extent map{14, 14};
  std::vector<float> values = noise(area(map), 6);
  values[0] = std::nanf("");
  values[50] = std::numeric_limits<float>::infinity();
  values[100] = -std::numeric_limits<float>::infinity();
  values[140] = -3e38f;
  values[150] = -0.0f;
  values[160] = 1e-42f;
  values[190] = -1.5f;
  for (const Extent frame : {Extent{40, 40}, {41, 40}, {9, 7}}) {
    for (const DeviceFit& fit : {kFit, DeviceFit{1, 0, 0, 0}, DeviceFit{3e38, 1e-300, 0, 0}}) {
      for (const Kind kind : kKinds) {
        run_one(tally, kind, values, map, frame, {0, 0, 0}, &fit, text("special values", map, frame));
      }
    }
  }
}

void frames_anew(Tally& tally) {
  const Extent map{14, 28};
  const DeviceFit anew{1, 0, 0, 1, 1, 7}, partly{1.7, -0.4, 0, 0, 0, 5};
  const std::vector<float> values = noise(area(map), 8);
  for (const Extent frame : {Extent{64, 33}, {63, 33}}) {
    for (const Kind kind : kKinds) {
      run_one(tally, kind, values, map, frame, {0, 0, 0}, &anew,
              text("begins anew", frame.width, frame.height));
    }
    const auto fresh = run_one(tally, Kind::kNew, values, map, frame, {0, 0, 0}, &anew, "new");
    const auto blended = run_one(tally, Kind::kBlendedInPlace, values, map, frame, {0, 0, 0}, &anew, "held");
    tally.check(same(fresh, blended), "nothing is blended where a window begins anew");
    for (int pair = -1; pair < 3; pair++) {
      const Input<float> input(values);
      const Input<DeviceFit> fit({partly});
      Output<float> out(area(frame));
      Output<double> scale(1);
      scale.fill({7});
      const FrameJob job{input.data(), nullptr, out.data(), 1, scale.data(), pair};
      tally.check(run_write_frames(&job, 1, map, frame, fit.data()), "a pair: launched");
      std::vector<float> expected = Output<float>::untouched(area(frame));
      double expected_scale = 7;
      const FrameJob on_host{values.data(), nullptr, expected.data(), 1, &expected_scale, pair};
      tally.check(reference::write_frames(&on_host, 1, map, frame, &partly), "a pair: reference");
      const bool is_written = pair != 1;
      tally.check(expected_scale == (is_written ? 1.7 : 7), "a pair: the scale is kept");
      tally.check(scale.values()[0] == expected_scale && same(out.values(), expected), "a pair");
      tally.check(out.guards_intact() && scale.guards_intact(), "a pair: sentinels");
    }
  }
}

void frames_refusals(Tally& tally) {
  const Input<float> map(noise(4, 1));
  Output<float> out(4);
  const FrameJob fine{map.data(), nullptr, out.data(), 1};
  const auto refused = [&](const FrameJob& job, int count, Extent from, Extent to, const char* what) {
    const std::vector<FrameJob> jobs(static_cast<size_t>(count < 1 ? 1 : count), job);
    tally.check(!run_write_frames(jobs.data(), count, from, to, nullptr), what);
  };
  refused(fine, -1, {2, 2}, {2, 2}, "count -1");
  refused(fine, kMostFrameJobs + 1, {2, 2}, {2, 2}, "too many");
  refused(fine, 1, {0, 2}, {2, 2}, "a map without columns");
  refused(fine, 1, {2, 2}, {2, 0}, "a frame without rows");
  refused({map.data(), nullptr, nullptr, 1}, 1, {2, 2}, {2, 2}, "no out");
  refused({nullptr, nullptr, out.data(), 1}, 1, {2, 2}, {2, 2}, "neither map nor held");
  Output<double> scale(1);
  refused({map.data(), nullptr, out.data(), 1, scale.data()}, 1, {2, 2}, {2, 2}, "a scale without a fit");
  refused({map.data(), nullptr, out.data(), 1, nullptr, 0}, 1, {2, 2}, {2, 2}, "a pair without a fit");
  tally.check(same(out.values(), Output<float>::untouched(4)), "nothing written");
}

} // namespace kernel_test

// Owns: cases of the kernels that fit maps.
// Must not know: where kernels run.

#include <cmath>
#include <limits>

#include "cuda/reference.h"
#include "kernels/cases.h"

namespace kernel_test {

namespace {

/// Sums agree to 1e-12; solving multiplies that by Σp²·n over the determinant, at most 12 for noise from 0
/// to 1.
constexpr double kTolerance = 2e-11;

bool is_close(double found, double expected, double tolerance = kTolerance) {
  return std::abs(found - expected) <= tolerance * std::max(1.0, std::abs(expected));
}

/// Bytes, as padding may differ.
bool same_fit(const DeviceFit& a, const DeviceFit& b) {
  return std::memcmp(&a.scale, &b.scale, sizeof a.scale) == 0 &&
         std::memcmp(&a.shift, &b.shift, sizeof a.shift) == 0 &&
         std::memcmp(&a.correlation, &b.correlation, sizeof a.correlation) == 0 &&
         a.degenerate == b.degenerate && a.is_anew == b.is_anew && a.left_out == b.left_out;
}

struct HostPair {
  std::vector<float> map, target;
  /// 0: the kernel is given none.
  double scale = 0;
};

/// Targets that the maps fit, but for noise.
std::vector<HostPair> pairs_of(int count, Extent map, Extent frame) {
  std::vector<HostPair> pairs;
  for (uint32_t i = 0; i < static_cast<uint32_t>(count); i++) {
    HostPair pair{noise(area(map), i + 1), std::vector<float>(area(frame)), 0};
    const FrameJob job{pair.map.data(), nullptr, pair.target.data(), 1};
    reference::write_frames(&job, 1, map, frame, nullptr);
    const std::vector<float> off = noise(area(frame), i + 50);
    for (size_t k = 0; k < off.size(); k++) pair.target[k] = 1.9f * pair.target[k] + 0.3f + 0.2f * off[k];
    pairs.push_back(pair);
  }
  return pairs;
}

DeviceFit run(Tally& tally, const std::vector<HostPair>& host, Extent map, Extent frame, size_t map_offset,
              size_t target_offset, const std::string& name) {
  std::vector<Input<float>> memory;
  std::vector<Input<double>> scales;
  std::vector<FitPair> pairs;
  for (const HostPair& pair : host) {
    memory.emplace_back(pair.map, map_offset);
    memory.emplace_back(pair.target, target_offset);
    scales.emplace_back(std::vector<double>{pair.scale});
    pairs.push_back({memory[memory.size() - 2].data(), memory.back().data(),
                     pair.scale == 0 ? nullptr : scales.back().data()});
  }
  Output<char> scratch(scratch_bytes(frame));
  Output<DeviceFit> fit(1);
  tally.check(run_fit(pairs.data(), static_cast<int>(pairs.size()), map, frame, scratch.data(), fit.data()),
              name + ": launched");
  tally.check(scratch.guards_intact() && fit.guards_intact(), name + ": sentinels");
  return fit.values()[0];
}

DeviceFit expected_of(const std::vector<HostPair>& host, Extent map, Extent frame) {
  std::vector<FitPair> pairs;
  for (const HostPair& pair : host) {
    pairs.push_back({pair.map.data(), pair.target.data(), pair.scale == 0 ? nullptr : &pair.scale});
  }
  DeviceFit fit{};
  reference::fit(pairs.data(), static_cast<int>(pairs.size()), map, frame, &fit);
  return fit;
}

void check_alike(Tally& tally, const DeviceFit& found, const DeviceFit& expected, const std::string& name) {
  tally.check(found.degenerate == expected.degenerate, name + ": degenerate");
  tally.check(found.is_anew == expected.is_anew, name + ": anew");
  tally.check(found.left_out == expected.left_out, name + ": left out");
  tally.check(is_close(found.scale, expected.scale),
              name + ": scale " + std::to_string(found.scale) + ", not " + std::to_string(expected.scale));
  tally.check(is_close(found.shift, expected.shift), name + ": shift");
  tally.check(is_close(found.correlation, expected.correlation), name + ": correlation");
}

DeviceFit run_map(Tally& tally, const std::vector<float>& prediction, const std::vector<float>& target,
                  size_t prediction_offset, size_t target_offset, const std::string& name) {
  const Input<float> p(prediction, prediction_offset), t(target, target_offset);
  const auto count = static_cast<int>(prediction.size());
  Output<char> scratch(scratch_bytes({count, 1}));
  Output<DeviceFit> fit(1);
  tally.check(run_map_fit(p.data(), t.data(), prediction.size(), scratch.data(), fit.data()),
              name + ": launched");
  tally.check(scratch.guards_intact() && fit.guards_intact(), name + ": sentinels");
  return fit.values()[0];
}

void check_map(Tally& tally, const std::vector<float>& prediction, const std::vector<float>& target,
               size_t prediction_offset, size_t target_offset, const std::string& name) {
  const DeviceFit found = run_map(tally, prediction, target, prediction_offset, target_offset, name);
  DeviceFit expected{};
  reference::map_fit(prediction.data(), target.data(), prediction.size(), &expected);
  check_alike(tally, found, expected, name);
  tally.check(same_fit(found, run_map(tally, prediction, target, prediction_offset, target_offset, name)),
              name + ": the same bits twice");
}

std::vector<float> times(const std::vector<float>& values, float scale, float shift) {
  std::vector<float> result;
  for (const float value : values) result.push_back(value * scale + shift);
  return result;
}

} // namespace

void fit_sizes(Tally& tally) {
  struct Sizes {
    Extent map, frame;
    int pairs;
  };
  const Sizes sizes[] = {{{14, 14}, {37, 23}, 1},   {{14, 14}, {37, 23}, 2},      {{14, 14}, {37, 23}, 8},
                         {{37, 23}, {14, 14}, 2},   {{28, 14}, {512, 4}, 2},      {{28, 14}, {513, 5}, 2},
                         {{28, 14}, {516, 3}, 3},   {{2, 9}, {3, 61}, 1},         {{70, 98}, {128, 257}, 2},
                         {{98, 70}, {1031, 77}, 2}, {{518, 518}, {1920, 1080}, 2}};
  for (const Sizes& s : sizes) {
    const std::string name = text("fit", s.map, s.frame) + " of " + std::to_string(s.pairs);
    const std::vector<HostPair> pairs = pairs_of(s.pairs, s.map, s.frame);
    const DeviceFit expected = expected_of(pairs, s.map, s.frame);
    tally.check(expected.degenerate == 0 && expected.scale > 1.5 && expected.scale < 2.5,
                name + ": a real fit");
    check_alike(tally, run(tally, pairs, s.map, s.frame, 0, 0, name), expected, name);
  }
}

void fit_bits(Tally& tally) {
  for (const Extent frame : {Extent{516, 33}, {517, 33}, {36, 40}}) {
    const Extent map{28, 14};
    const std::vector<HostPair> pairs = pairs_of(2, map, frame);
    const DeviceFit once = run(tally, pairs, map, frame, 0, 0, "aligned");
    for (const size_t offset : {0, 1, 2, 3}) {
      tally.check(same_fit(once, run(tally, pairs, map, frame, offset, 3 - offset, "unaligned")),
                  text("the same bits", frame.width, frame.height));
    }
  }
}

void fit_degenerate(Tally& tally) {
  const Extent map{14, 14}, frame{31, 29};
  const HostPair usual = pairs_of(1, map, frame)[0];
  // A target of another constant has a scale of 0 up to rounding, of either sign.
  const std::vector<float> flat_map(area(map), 0.7f), flat_target(area(frame), 0.0f);
  std::vector<float> nan_target = usual.target, infinite_map = usual.map;
  nan_target[17] = std::nanf("");
  infinite_map[3] = std::numeric_limits<float>::infinity();
  const std::vector<HostPair> bad[] = {{{flat_map, usual.target}},
                                       {{usual.map, flat_target}},
                                       {{usual.map, nan_target}},
                                       {{infinite_map, usual.target}},
                                       {{usual.map, times(usual.target, -1, 3)}},
                                       {{times(usual.map, 0, 0), usual.target}},
                                       {usual, {usual.map, nan_target}}};
  for (size_t i = 0; i < std::size(bad); i++) {
    const std::string name = "degenerate " + std::to_string(i);
    const DeviceFit found = run(tally, bad[i], map, frame, 0, 0, name);
    tally.check(found.degenerate == 1 && found.scale == 1 && found.shift == 0, name);
    tally.check(expected_of(bad[i], map, frame).degenerate == 1, name + ": reference");
  }
  const DeviceFit none = run(tally, {}, map, frame, 0, 0, "no pairs");
  tally.check(none.degenerate == 0 && none.scale == 1 && none.shift == 0 && none.correlation == 0,
              "no pairs");
  const DeviceFit point = run(tally, {{{0.5f}, {0.25f}}}, {1, 1}, {1, 1}, 0, 0, "one pixel");
  tally.check(point.degenerate == 1 && point.scale == 1, "one pixel has no fit");

  Output<DeviceFit> fit(1);
  Output<char> scratch(scratch_bytes(frame));
  const FitPair missing[kMostFitPairs + 1] = {};
  tally.check(!run_fit(missing, 1, map, frame, scratch.data(), fit.data()), "no map is refused");
  tally.check(!run_fit(missing, kMostFitPairs + 1, map, frame, scratch.data(), fit.data()), "too many pairs");
  tally.check(!run_fit(missing, 0, {0, 1}, frame, scratch.data(), fit.data()), "a map without columns");
  tally.check(!run_fit(missing, 0, map, frame, nullptr, fit.data()), "no scratch");
}

void fit_content(Tally& tally) {
  struct Case {
    const char* name;
    /// Of each pair's target: its spread, as a part of the usual one, and what it was written with.
    std::vector<std::pair<float, double>> targets;
    uint32_t left_out;
    int is_anew;
  };
  const Case cases[] = {{"all have content", {{1.0f, 0}, {1.0f, 0}, {1.0f, 2}}, 0, 0},
                        {"none has", {{0.02f, 0}, {0.02f, 1}, {0.04f, 0.5}}, 7, 1},
                        {"the first has none", {{-0.02f, 0}, {1.0f, 0}}, 1, 0},
                        {"the last two have none", {{1.0f, 0}, {-0.02f, 0}, {-0.05f, 3}}, 6, 0},
                        {"written with a small scale", {{0.02f, 0.02}, {0.02f, 0.02}}, 0, 0},
                        {"written with a large scale", {{1.0f, 50}}, 1, 1}};
  const Extent map{28, 14};
  for (const Extent frame : {Extent{36, 40}, {517, 33}}) {
    for (const Case& of : cases) {
      std::vector<HostPair> pairs = pairs_of(static_cast<int>(of.targets.size()), map, frame);
      for (size_t i = 0; i < pairs.size(); i++) {
        const auto [spread, scale] = of.targets[i];
        const std::vector<float> off = noise(area(frame), static_cast<uint32_t>(70 + i));
        for (size_t k = 0; k < off.size(); k++) {
          pairs[i].target[k] = 1 + spread * (pairs[i].target[k] - 1 + off[k]);
        }
        pairs[i].scale = scale;
      }
      const std::string name = text(of.name, frame.width, frame.height);
      const DeviceFit expected = expected_of(pairs, map, frame);
      tally.check(expected.left_out == of.left_out && expected.is_anew == of.is_anew, name);
      check_alike(tally, run(tally, pairs, map, frame, 0, 0, name), expected, name);
    }
  }
}

void map_fit_sizes(Tally& tally) {
  for (const size_t count : {3, 4, 127, 128, 129, 2047, 2048, 2049, 4097, 100003, 518 * 518}) {
    const std::vector<float> prediction = noise(count, 8);
    std::vector<float> target = times(prediction, 2.5f, 0.1f);
    const std::vector<float> off = noise(count, 9);
    for (size_t i = 0; i < count; i++) target[i] += 0.5f * off[i];
    for (const size_t offset : {0, 1, 3}) {
      check_map(tally, prediction, target, offset, 3 - offset, "map fit of " + std::to_string(count));
    }
  }
}

void map_fit_values(Tally& tally) {
  const std::vector<float> values = noise(5000, 10);
  std::vector<float> nan = values, infinite = values;
  nan[4999] = std::nanf("");
  infinite[0] = -std::numeric_limits<float>::infinity();
  const std::vector<float> flat(5000, 3.0f), zeros(5000, 0.0f), one{0.5f}, two{0.5f, 0.75f};
  check_map(tally, values, zeros, 0, 0, "flat target");
  check_map(tally, flat, values, 0, 0, "flat prediction");
  check_map(tally, nan, values, 0, 0, "NaN");
  check_map(tally, values, infinite, 0, 0, "infinity");
  check_map(tally, one, one, 0, 0, "one value");
  check_map(tally, two, two, 0, 0, "two values");
  check_map(tally, values, times(values, -1, 1), 0, 0, "opposite");

  // A mean of 1000 times the spread: 1e7 of a sum's digits cancel in the fit, none in the correlation.
  const std::vector<float> far = times(values, 1, 1000);
  DeviceFit expected{};
  reference::map_fit(far.data(), times(far, 2, 5).data(), far.size(), &expected);
  const DeviceFit found = run_map(tally, far, times(far, 2, 5), 0, 0, "a large mean");
  tally.check(expected.correlation > 0.999, "a large mean: alike");
  tally.check(is_close(found.correlation, expected.correlation), "a large mean: correlation");
  tally.check(is_close(found.scale, expected.scale, 1e-6), "a large mean: scale");

  Output<DeviceFit> fit(1);
  Output<char> scratch(scratch_bytes({4, 1}));
  const Input<float> input(values);
  tally.check(!run_map_fit(input.data(), input.data(), 0, scratch.data(), fit.data()),
              "no values are refused");
  tally.check(!run_map_fit(nullptr, input.data(), 4, scratch.data(), fit.data()), "no prediction is refused");
  tally.check(!run_map_fit(input.data(), input.data(), 4, nullptr, fit.data()), "no scratch is refused");
}

} // namespace kernel_test

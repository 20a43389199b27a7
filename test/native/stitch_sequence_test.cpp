// Owns: tests of whole sequences of windows against the rule as it is written down.
// Must not know: how the stitcher works.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <thread>

#include "stitch_support.h"

using namespace video_depth;
using test::NaiveStitcher;
using test::Window;

namespace {

/// A window shape small enough to follow: 8 slots, 2 compared, `overlap` blended and held, the rest appended.
struct Shape {
  int overlap = 3;
  int appended = 3;
  bool align = true;
};

/// Window `index` of a video whose windows each have a scale and shift of their own.
Window window_of(const StitcherOptions& options, const Shape& shape, int index, bool last = false) {
  const auto values = static_cast<size_t>(options.map_width * options.map_height);
  const int slots = 2 + shape.overlap + shape.appended;
  const float scale = 1 + 0.5f * static_cast<float>(index % 3), shift = 0.3f * static_cast<float>(index % 2);
  Window window;
  for (int slot = 0; slot < slots; slot++) {
    // Slots 0 and 1 show frames 0 and 1 again, in this window's scale, with noise of their own.
    auto map = test::noise(values, static_cast<uint32_t>(slot < 2 ? slot : 100 * index + slot));
    const auto error = test::noise(values, static_cast<uint32_t>(1000 + 100 * index + slot));
    for (size_t i = 0; i < values; i++) map[i] = (map[i] + 0.05f * error[i] - shift) * scale;
    window.maps.emplace_back(std::move(map));
  }
  auto& step = window.step;
  if (index == 0) {
    step.append = {0, slots};
    if (shape.align) step.remember = {{0, 0}, {1, 1}};
  } else {
    if (shape.align) step.align = {{0, 0}, {1, 1}};
    step.blend = {2, shape.overlap};
    step.append = {2 + shape.overlap, shape.appended};
  }
  step.hold = last ? 0 : shape.overlap;
  const int held = index == 0 ? 0 : shape.overlap;
  for (int i = 0; i < held + step.append.count - step.hold; i++) {
    window.out.emplace_back(static_cast<size_t>(options.frame_width * options.frame_height));
  }
  return window;
}

double worst_difference(const Window& window, const NaiveStitcher::Result& expected) {
  double worst = window.out.size() == expected.out.size() ? 0 : 1e9;
  for (size_t f = 0; f < expected.out.size(); f++) {
    CHECK(window.out[f].guards_intact());
    CHECK(window.out[f].all_written());
    for (size_t i = 0; i < expected.out[f].size(); i++) {
      const double difference = std::abs(window.out[f].data()[i] - expected.out[f][i]);
      worst = difference <= worst ? worst : difference; // NaN is worst
    }
  }
  return worst;
}

void compare_sequence(const StitcherOptions& options, const Shape& shape, int windows) {
  Stitcher stitcher(options);
  NaiveStitcher naive(options);
  for (int index = 0; index < windows; index++) {
    Window window = window_of(options, shape, index, index == windows - 1);
    const StitchResult result = window.run(stitcher);
    const auto expected = naive.stitch(window);
    CAPTURE(index);
    CAPTURE(options.frame_width);
    CHECK(result.scale == doctest::Approx(expected.scale).epsilon(1e-4));
    CHECK(result.shift == doctest::Approx(expected.shift).epsilon(1e-4));
    CHECK_FALSE(result.degenerate);
    CHECK(result.non_finite == 0);
    CHECK(stitcher.held() == window.step.hold);
    // float32 positions and products, times a scale of at most 2
    CHECK(worst_difference(window, expected) < 2e-4);
  }
}

} // namespace

TEST_CASE("stitch: sequences of windows follow the rule") {
  for (const Shape& shape :
       {Shape{}, Shape{2, 1, true}, Shape{1, 4, true}, Shape{3, 3, false}, Shape{5, 2, true}}) {
    compare_sequence({13, 7, 29, 31, 2}, shape, 5);
    compare_sequence({28, 14, 64, 37, 3}, shape, 4);
  }
}

TEST_CASE("stitch: awkward sizes, taken as they are") {
  for (const StitcherOptions& options :
       {StitcherOptions{1, 1, 1, 1, 4}, StitcherOptions{14, 14, 1, 9, 1}, StitcherOptions{1, 14, 17, 1, 2},
        StitcherOptions{31, 29, 13, 7, 2}, StitcherOptions{14, 14, 14, 14, 2}}) {
    compare_sequence(options, {3, 3, false}, 3);
  }
}

TEST_CASE("stitch: the same bits whatever the number of threads") {
  const auto run = [](int threads) {
    const StitcherOptions options{37, 23, 101, 67, threads};
    Stitcher stitcher(options);
    std::vector<float> all;
    for (int index = 0; index < 3; index++) {
      Window window = window_of(options, {}, index);
      const StitchResult result = window.run(stitcher);
      all.push_back(static_cast<float>(result.scale));
      for (const auto& frame : window.out) all.insert(all.end(), frame.data(), frame.data() + frame.size());
    }
    return all;
  };
  const auto once = run(1);
  for (const int threads : {2, 3, 7, 64}) CHECK(test::same_bits(once, run(threads)));
}

TEST_CASE("stitch: references change hands, memory is used again") {
  const StitcherOptions options{5, 4, 9, 8, 2};
  Stitcher stitcher(options);
  NaiveStitcher naive(options);
  size_t bytes = 0;
  std::vector<float> remembered;
  for (int index = 0; index < 6; index++) {
    Window window = window_of(options, {}, index);
    if (index > 0) {
      window.step.align = {{0, 0}, {1, index == 1 ? 1 : 100 + index - 1}};
      window.step.forget = {index == 1 ? 1 : 100 + index - 1};
      window.step.remember = {{6, 100 + index}};
      if (index > 1) window.maps[1] = remembered; // slot 1 shows the remembered frame again
      remembered = *window.maps[6];
    }
    const StitchResult result = window.run(stitcher);
    const auto expected = naive.stitch(window);
    CHECK(result.scale == doctest::Approx(expected.scale).epsilon(1e-3));
    CHECK(worst_difference(window, expected) < 1e-3);
    if (index == 0) bytes = stitcher.memory_bytes();
    CHECK(stitcher.memory_bytes() == bytes);
  }
  CHECK(bytes == (3 + 2) * 9 * 8 * sizeof(float));
}

TEST_CASE("stitch: held frames that stay are blended where they are; new ones queue behind them") {
  const StitcherOptions options{6, 5, 11, 35, 2};
  Stitcher stitcher(options);
  NaiveStitcher naive(options);
  const auto compare = [&](Window& window, int leaving) {
    window.out.clear();
    for (int i = 0; i < leaving; i++) window.out.emplace_back(size_t{11 * 35});
    window.run(stitcher);
    CHECK(worst_difference(window, naive.stitch(window)) < 2e-4);
  };
  const auto blending = [&](int index, int held, SlotRange append, int hold) {
    Window window = window_of(options, {5, 3, true}, index);
    window.step.blend = {0, held};
    window.step.append = append;
    window.step.hold = hold;
    return window;
  };
  Window first = window_of(options, {5, 3, true}, 0);
  compare(first, 5);
  Window grows = blending(1, 5, {5, 3}, 8);
  compare(grows, 0);
  Window one_leaves = blending(2, 8, {0, 0}, 7);
  compare(one_leaves, 1);
  Window none_blended = blending(3, 0, {2, 4}, 6);
  compare(none_blended, 5);
  Window all_leave = blending(4, 6, {3, 2}, 0);
  compare(all_leave, 8);
  CHECK(stitcher.held() == 0);
}

TEST_CASE("stitch: a blended slot of weight 0 and unused slots need no map") {
  const StitcherOptions options{5, 4, 9, 8, 1};
  Stitcher stitcher(options);
  NaiveStitcher naive(options);
  Window first = window_of(options, {}, 0);
  first.run(stitcher);
  naive.stitch(first);
  Window second = window_of(options, {}, 1);
  const auto expected = naive.stitch(second);
  second.maps[2].reset();
  second.maps.emplace_back();
  second.run(stitcher);
  CHECK(worst_difference(second, expected) < 2e-4);
}

TEST_CASE("stitch: values that are not finite are counted in the maps that are used, once each") {
  const StitcherOptions options{5, 4, 9, 8, 2};
  Stitcher stitcher(options);
  Window first = window_of(options, {}, 0);
  (*first.maps[0])[3] = std::nanf("");
  (*first.maps[7])[19] = std::numeric_limits<float>::infinity();
  CHECK(first.run(stitcher).non_finite == 2);
  Window second = window_of(options, {}, 1);
  (*second.maps[2])[0] = std::nanf(""); // weight 0: not read
  const StitchResult result = second.run(stitcher);
  CHECK(result.non_finite == 0);
  CHECK(result.degenerate); // frame 0's reference holds the NaN
  CHECK(result.scale == 1);
  CHECK(result.shift == 0);
}

TEST_CASE("stitch: a flat window is degenerate and taken as it is") {
  const StitcherOptions options{5, 4, 9, 8, 2};
  Stitcher stitcher(options);
  Window first = window_of(options, {}, 0);
  first.run(stitcher);
  Window flat = window_of(options, {}, 1);
  for (auto& map : flat.maps) map->assign(map->size(), 0.1f);
  const StitchResult result = flat.run(stitcher);
  CHECK(result.degenerate);
  CHECK(flat.out[2].data()[0] == doctest::Approx(0.1)); // blended with weight 1
}

TEST_CASE("stitch: nothing in, nothing out") {
  Stitcher stitcher({5, 4, 9, 8, 2});
  const StitchResult result = stitcher.stitch({}, {}, {});
  CHECK(result.scale == 1);
  CHECK(result.non_finite == 0);
}

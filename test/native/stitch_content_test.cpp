// Owns: tests of windows whose references have no content: what is begun anew, left out, kept.
// Must not know: how the stitcher works.

#include "stitch_content_support.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "error.h"
#include "stitch/stitcher.h"

using namespace video_depth;
using test::ContentWindow;

namespace {

constexpr int kWidth = 61, kHeight = 35;

struct Run {
  std::vector<StitchResult> results;
  /// By window and frame.
  std::vector<std::vector<test::Guarded>> out;
};

Run run(const std::vector<ContentWindow>& windows, int threads = 2) {
  Stitcher stitcher({test::kContentMapWidth, test::kContentMapHeight, kWidth, kHeight, threads});
  Run run;
  for (const ContentWindow& window : windows) {
    std::vector<MapView> maps;
    for (const auto& map : window.maps) maps.push_back({map.data(), map.size()});
    std::vector<test::Guarded> out;
    std::vector<FrameView> views;
    for (int i = 0; i < window.leaving; i++) out.emplace_back(size_t{kWidth} * kHeight);
    for (test::Guarded& frame : out) views.push_back({frame.data(), frame.size()});
    run.results.push_back(stitcher.stitch(maps, window.step, views));
    run.out.push_back(std::move(out));
  }
  return run;
}

double difference(const test::Guarded& frame, const std::vector<float>& map, double scale = 1,
                  double shift = 0) {
  const auto expected =
      test::naive_upsample(map, test::kContentMapWidth, test::kContentMapHeight, kWidth, kHeight);
  double largest = 0;
  for (size_t i = 0; i < expected.size(); i++) {
    const double error = std::abs(frame.data()[i] - std::max(0.0, expected[i] * scale + shift));
    largest = error <= largest ? largest : error; // NaN is largest
  }
  return largest;
}

bool is_near(double value, double expected) {
  return std::abs(value - expected) < 1e-5;
}

/// Sums of a reference t = slope · p + noise of its own, p of unit variance around 1.
ReferenceSums reference_of(double slope, double noise, double scale = 1) {
  const double n = 1000;
  return {{2 * n, n, n, (2 * slope + 3) * n, (slope + 3) * n,
           ((slope + 3) * (slope + 3) + slope * slope + noise * noise) * n},
          scale};
}

WindowFit solve_of(const std::vector<ReferenceSums>& references) {
  FitSums all;
  for (const ReferenceSums& reference : references) all += reference.sums;
  return solve_window(all, references.data(), static_cast<int>(references.size()));
}

} // namespace

TEST_CASE("content: after a start that shows nothing a window begins anew") {
  const std::vector<ContentWindow> windows = test::dark_start();
  const Run found = run(windows);
  const StitchResult anew = found.results[1];
  CHECK(anew.is_anew);
  CHECK(anew.degenerate);
  CHECK(anew.left_out == 2);
  CHECK(anew.scale == 1);
  CHECK(anew.shift == 0);
  CHECK(difference(found.out[1][0], windows[0].maps[5]) < 1e-5); // its weight is 0 anyway
  for (size_t i = 1; i < 3; i++) CHECK(difference(found.out[1][i], windows[1].maps[2 + i]) < 1e-5);
  const StitchResult next = found.results[2];
  CHECK_FALSE(next.degenerate);
  CHECK(next.left_out == 0); // both references are the second window's own
  CHECK(is_near(next.scale, 0.5));
  CHECK(is_near(next.shift, -0.05));
}

TEST_CASE("content: a reference that shows nothing is left out and replaced") {
  const Run found = run(test::one_dark_reference());
  CHECK(found.results[1].left_out == 1);
  CHECK_FALSE(found.results[1].degenerate);
  CHECK(is_near(found.results[1].scale, 2));
  CHECK(found.results[2].left_out == 0);
  CHECK(is_near(found.results[2].scale, 4));
  CHECK(is_near(found.results[2].shift, 0));
}

TEST_CASE("content: a window that shows nothing itself leaves the references alone") {
  const Run found = run(test::dark_middle());
  CHECK(found.results[1].degenerate);
  CHECK_FALSE(found.results[1].is_anew);
  CHECK(found.results[1].left_out == 0);
  CHECK_FALSE(found.results[2].degenerate);
  CHECK(is_near(found.results[2].scale, 2));
}

TEST_CASE("content: spread is compared in the units of the reference's own window") {
  const Run found = run(test::growing_spread());
  for (size_t i = 0; i < 3; i++) {
    CHECK_FALSE(found.results[i].degenerate);
    CHECK(found.results[i].left_out == 0);
    CHECK(is_near(found.results[i].scale, 1 / std::pow(2.0, static_cast<double>(i))));
  }
}

TEST_CASE("content: the same bits whatever the number of threads") {
  for (const auto& windows : {test::dark_start(), test::one_dark_reference()}) {
    const Run once = run(windows, 1), again = run(windows, 7);
    for (size_t w = 0; w < windows.size(); w++) {
      CHECK(once.results[w].scale == again.results[w].scale);
      for (size_t i = 0; i < once.out[w].size(); i++) {
        CHECK(test::same_bits(once.out[w][i].values(), again.out[w][i].values()));
      }
    }
  }
}

TEST_CASE("content: where the rule draws its lines") {
  const double less = 0.99, more = 1.01;
  // One reference, or several alike: the least gain.
  CHECK(solve_of({reference_of(kLeastGain * less, 0.2)}).is_anew);
  CHECK_FALSE(solve_of({reference_of(kLeastGain * more, 0.2)}).is_anew);
  CHECK(solve_of({reference_of(kLeastGain * less, 0.2), reference_of(0.1, 0.1)}).left_out == 3);
  CHECK(solve_of({reference_of(2 * kLeastGain * less, 0.4, 2)}).is_anew);
  CHECK_FALSE(solve_of({reference_of(2 * kLeastGain * more, 0.4, 2)}).is_anew);
  CHECK_FALSE(solve_of({reference_of(0.1, 0)}).is_anew); // alike
  // A reference of more spread than the window's map has content, however little they are alike.
  CHECK_FALSE(solve_of({reference_of(0.1, 1)}).is_anew);
  CHECK(solve_of({reference_of(0.1, 0.9)}).is_anew);
  CHECK_FALSE(solve_of({reference_of(0.1, 0.9), reference_of(0.1, 1)}).is_anew);
  CHECK(solve_of({reference_of(-0.5, 1)}).fit.degenerate);
  CHECK_FALSE(solve_of({reference_of(-0.5, 1)}).is_anew);
  CHECK(solve_of({reference_of(-0.5, 0)}).is_anew);
  CHECK(solve_of({reference_of(0, 0)}).is_anew); // flat
  // Beside a good one: the least share, and the least correlation.
  const ReferenceSums good = reference_of(1, 0);
  CHECK(solve_of({good, reference_of(kLeastShare * less, 0.6)}).left_out == 2);
  CHECK(solve_of({reference_of(kLeastShare * less, 0.6), good}).left_out == 1);
  CHECK(solve_of({good, reference_of(kLeastShare * more, 0.6)}).left_out == 0);
  CHECK(solve_of({good, reference_of(kLeastShare * less, 0.1)}).left_out == 0); // alike
  CHECK(solve_of({good, reference_of(kLeastShare * less, 1.1)}).left_out == 0); // more spread
  CHECK(is_near(solve_of({good, reference_of(0.1, 0.6)}).fit.scale, 1));
}

TEST_CASE("content: what is not finite is no reason to begin anew") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {std::nan(""), infinity, -infinity}) {
    for (double FitSums::*const sum : {&FitSums::pp, &FitSums::p, &FitSums::pt, &FitSums::t, &FitSums::tt}) {
      ReferenceSums reference = reference_of(0.1, 0.1);
      reference.sums.*sum = bad;
      const WindowFit found = solve_of({reference});
      CHECK_FALSE(found.is_anew);
      CHECK(found.left_out == 0);
    }
    CHECK_FALSE(solve_of({reference_of(0.1, 0.1, bad)}).is_anew);
  }
  ReferenceSums flat = reference_of(0, 0);
  flat.sums = {1000, 1000, 1000, 3000, 3000, 9000}; // the window's map is flat too
  CHECK(solve_of({flat}).fit.degenerate);
  CHECK_FALSE(solve_of({flat}).is_anew);
}

TEST_CASE("content: a window is fitted to at most 16 frames") {
  std::vector<ContentWindow> windows{test::content_window(0), test::content_window(1)};
  windows[1].step.align = std::vector<SlotFrame>(17, {0, 0});
  CHECK_THROWS_AS(run(windows), Error);
  windows[1].step.align.pop_back();
  CHECK(run(windows).results[1].scale > 0);
}

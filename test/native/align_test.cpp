// Owns: tests of the least-squares fit.
// Must not know: stitching.

#include "stitch/align.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "support.h"

using namespace video_depth;

namespace {

FitSums sums_of(const std::vector<float>& prediction, const std::vector<float>& target) {
  const float* p = prediction.data();
  return sum_row({p, p, 1, 0}, target.data(), static_cast<int>(prediction.size()));
}

Fit fit_of(const std::vector<float>& prediction, const std::vector<float>& target) {
  return solve(sums_of(prediction, target));
}

void check_degenerate(const Fit& fit) {
  CHECK(fit.degenerate);
  CHECK(fit.scale == 1);
  CHECK(fit.shift == 0);
}

} // namespace

TEST_CASE("fit: finds the scale and shift that made the target") {
  for (const size_t width : {2, 3, 15, 16, 17, 1009}) {
    const auto prediction = test::noise(width, 5);
    std::vector<float> target;
    for (const float p : prediction) target.push_back(2.5f * p - 0.75f);
    const Fit fit = fit_of(prediction, target);
    CHECK_FALSE(fit.degenerate);
    CHECK(fit.scale == doctest::Approx(2.5).epsilon(1e-5));
    CHECK(fit.shift == doctest::Approx(-0.75).epsilon(1e-5));
  }
}

TEST_CASE("fit: sums equal plain float64 sums") {
  const auto p = test::noise(1009, 1);
  const auto t = test::noise(1009, 2);
  FitSums expected;
  for (size_t i = 0; i < p.size(); i++) {
    const double pi = p[i], ti = t[i];
    expected += FitSums{pi * pi, pi, 1, pi * ti, ti};
  }
  const FitSums sums = sums_of(p, t);
  CHECK(sums.count == 1009);
  CHECK(sums.pp == doctest::Approx(expected.pp).epsilon(1e-13));
  CHECK(sums.p == doctest::Approx(expected.p).epsilon(1e-13));
  CHECK(sums.pt == doctest::Approx(expected.pt).epsilon(1e-13));
  CHECK(sums.t == doctest::Approx(expected.t).epsilon(1e-13));
}

TEST_CASE("fit: without a usable solution it is scale 1, shift 0, and says so") {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> rising = {1, 2, 3, 4};
  SUBCASE("one pixel") {
    check_degenerate(fit_of({3}, {4}));
  }
  SUBCASE("all zero") {
    check_degenerate(fit_of({0, 0, 0, 0}, rising));
  }
  SUBCASE("constant, whatever rounding makes of the determinant") {
    for (const float value : {0.1f, 1.0f / 3, 7.3f, 1e-20f, 3e18f}) {
      for (const size_t width : {2, 100, 1009}) {
        check_degenerate(fit_of(std::vector<float>(width, value), test::noise(width, 4)));
      }
    }
  }
  SUBCASE("falling: scale −1") {
    check_degenerate(fit_of(rising, {4, 3, 2, 1}));
  }
  SUBCASE("unrelated: scale 0") {
    check_degenerate(fit_of(rising, {5, 5, 5, 5}));
  }
  SUBCASE("NaN in the prediction") {
    check_degenerate(fit_of({1, std::nanf(""), 3, 4}, rising));
  }
  SUBCASE("NaN in the target") {
    check_degenerate(fit_of(rising, {1, std::nanf(""), 3, 4}));
  }
  SUBCASE("infinity") {
    check_degenerate(fit_of({1, 2, 3, infinity}, rising));
  }
  SUBCASE("a scale beyond float32") {
    check_degenerate(fit_of({0, 1e-20f, 0, 2e-20f}, {0, 1e25f, 0, 2e25f}));
  }
  SUBCASE("no pixels") {
    check_degenerate(solve({}));
  }
}

TEST_CASE("fit: a small spread around a large mean is not degenerate") {
  std::vector<float> prediction, target;
  for (const float n : test::noise(1009, 9)) {
    prediction.push_back(1000 + n);
    target.push_back(3 * prediction.back() + 1);
  }
  const Fit fit = fit_of(prediction, target);
  CHECK_FALSE(fit.degenerate);
  CHECK(fit.scale == doctest::Approx(3).epsilon(1e-3));
}

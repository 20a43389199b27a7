// Owns: tests of how alike two maps are.
// Must not know: what the maps show.

#include "stitch/map_fit.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "error.h"
#include "support.h"

using namespace video_depth;

namespace {

MapFit fit_of(const std::vector<float>& prediction, const std::vector<float>& target) {
  return fit_map(prediction.data(), prediction.size(), target.data(), target.size());
}

/// Two passes in long double.
double naive_correlation(const std::vector<float>& p, const std::vector<float>& t) {
  long double p_mean = 0, t_mean = 0, pp = 0, pt = 0, tt = 0;
  for (size_t i = 0; i < p.size(); i++) {
    p_mean += p[i];
    t_mean += t[i];
  }
  p_mean /= static_cast<long double>(p.size());
  t_mean /= static_cast<long double>(p.size());
  for (size_t i = 0; i < p.size(); i++) {
    pp += (p[i] - p_mean) * (p[i] - p_mean);
    pt += (p[i] - p_mean) * (t[i] - t_mean);
    tt += (t[i] - t_mean) * (t[i] - t_mean);
  }
  return static_cast<double>(pt / std::sqrt(pp * tt));
}

} // namespace

TEST_CASE("fit_map: finds the scale and shift that made the target, at any length") {
  for (const size_t length : {2, 15, 16, 17, 4095, 4096, 4097, 20000}) {
    const auto prediction = test::noise(length, 5);
    std::vector<float> target;
    for (const float p : prediction) target.push_back(2.5f * p - 0.75f);
    const auto [fit, correlation] = fit_of(prediction, target);
    CHECK_FALSE(fit.degenerate);
    CHECK(fit.scale == doctest::Approx(2.5).epsilon(1e-5));
    CHECK(fit.shift == doctest::Approx(-0.75).epsilon(1e-5));
    CHECK(correlation == doctest::Approx(1).epsilon(1e-9));
    CHECK(correlation <= 1);
  }
}

TEST_CASE("fit_map: the correlation is right however large the mean") {
  for (const float mean : {0.0f, 1.0f, 1000.0f, 100000.0f}) {
    auto prediction = test::noise(5003, 1);
    auto target = test::noise(5003, 2);
    for (size_t i = 0; i < prediction.size(); i++) {
      target[i] = mean + 0.3f * target[i] + 0.7f * prediction[i];
      prediction[i] += mean;
    }
    const double expected = naive_correlation(prediction, target);
    CHECK(expected > 0.9);
    CHECK(fit_of(prediction, target).correlation == doctest::Approx(expected).epsilon(1e-9));
    for (float& t : target) t = -t;
    CHECK(fit_of(prediction, target).correlation == doctest::Approx(-expected).epsilon(1e-9));
  }
}

TEST_CASE("fit_map: a falling target has no usable fit, but a correlation") {
  const auto [fit, correlation] = fit_of({1, 2, 3, 4}, {4, 3, 2, 1});
  CHECK(fit.degenerate);
  CHECK(fit.scale == 1);
  CHECK(fit.shift == 0);
  CHECK(correlation == -1);
}

TEST_CASE("fit_map: maps that are flat or not finite are correlated with nothing") {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> rising = {1, 2, 3, 4};
  for (const std::vector<float>& map :
       {std::vector<float>{5, 5, 5, 5}, {0, 0, 0, 0}, {1, std::nanf(""), 3, 4}, {1, 2, 3, infinity}}) {
    CHECK(fit_of(map, rising).correlation == 0);
    CHECK(fit_of(map, rising).fit.degenerate);
    CHECK(fit_of(rising, map).correlation == 0);
  }
  for (const float value : {0.1f, 7.3f, 1e-20f, 3e18f}) {
    CHECK(fit_of(std::vector<float>(1009, value), test::noise(1009, 4)).correlation == 0);
    CHECK(fit_of(test::noise(1009, 4), std::vector<float>(1009, value)).correlation == 0);
  }
  CHECK(fit_of({3}, {4}).correlation == 0);
}

TEST_CASE("fit_map: extreme values do not overflow") {
  const std::vector<float> large = {1e38f, 2e38f, 3e38f}, small = {1e-38f, 2e-38f, 3e-38f};
  CHECK(fit_of(large, small).correlation == doctest::Approx(1));
  CHECK(fit_of(small, large).correlation == doctest::Approx(1));
}

TEST_CASE("fit_map: lengths are checked") {
  CHECK_THROWS_WITH_AS(fit_of({}, {}), "Expected at least 1 value for prediction, received 0", Error);
  CHECK_THROWS_WITH_AS(fit_of({1, 2}, {1}), "Expected 2 values for target, received 1", Error);
}

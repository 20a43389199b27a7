// Owns: how alike two maps are: the fit of one to the other, and their correlation.
// Must not know: what the maps show.

#include "stitch/map_fit.h"

#include <algorithm>
#include <string>

#include "error.h"

namespace video_depth {

namespace {

constexpr int kLanes = 16;
/// Values that are summed before the sum is added to the total.
constexpr size_t kBlock = 4096;

struct Moments {
  double pp = 0, pt = 0, tt = 0;
};

/// Sums over p − p_mean and t − t_mean, which a large mean does not swamp; by lanes, as in `sum_row`.
Moments centred_moments(const float* __restrict p, const float* __restrict t, int count, double p_mean,
                        double t_mean) {
  double pp[kLanes] = {}, pt[kLanes] = {}, tt[kLanes] = {};
  const auto add = [&](int i, int lane) {
    const double dp = p[i] - p_mean;
    const double dt = t[i] - t_mean;
    pp[lane] += dp * dp;
    pt[lane] += dp * dt;
    tt[lane] += dt * dt;
  };
  const int whole = count / kLanes * kLanes;
  for (int i = 0; i < whole; i += kLanes) {
    for (int lane = 0; lane < kLanes; lane++) add(i + lane, lane);
  }
  for (int i = whole; i < count; i++) add(i, i - whole);
  Moments sums;
  for (int lane = 0; lane < kLanes; lane++) {
    sums.pp += pp[lane];
    sums.pt += pt[lane];
    sums.tt += tt[lane];
  }
  return sums;
}

} // namespace

MapFit fit_map(const float* prediction, size_t prediction_count, const float* target, size_t target_count) {
  if (prediction == nullptr || prediction_count == 0) {
    throw Error("fitMap", "at least 1 value", "prediction", std::to_string(prediction_count));
  }
  if (target == nullptr || target_count != prediction_count) {
    throw Error("fitMap", std::to_string(prediction_count) + " values", "target",
                std::to_string(target_count));
  }
  const auto length = [&](size_t begin) {
    return static_cast<int>(std::min(kBlock, prediction_count - begin));
  };
  FitSums sums;
  for (size_t at = 0; at < prediction_count; at += kBlock) {
    sums += sum_row({prediction + at, prediction + at, 1, 0}, target + at, length(at));
  }
  const double p_mean = sums.p / sums.count;
  const double t_mean = sums.t / sums.count;
  Moments moments;
  for (size_t at = 0; at < prediction_count; at += kBlock) {
    const Moments block = centred_moments(prediction + at, target + at, length(at), p_mean, t_mean);
    moments.pp += block.pp;
    moments.pt += block.pt;
    moments.tt += block.tt;
  }
  return {solve(sums), correlation(moments.pp, moments.pt, moments.tt, p_mean, t_mean, sums.count)};
}

} // namespace video_depth

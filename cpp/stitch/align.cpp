// Owns: the least-squares fit of one map's scale and shift to another.
// Must not know: windows, slots, threads.

#include "stitch/align.h"

namespace video_depth {

namespace {

/// Independent partial sums: what lets a compiler vectorize a sum without reordering it.
constexpr int kLanes = 16;

struct LaneSums {
  double pp[kLanes] = {}, p[kLanes] = {}, pt[kLanes] = {}, t[kLanes] = {}, tt[kLanes] = {};
};

void add_blocks(const float* __restrict low, const float* __restrict high, float low_weight,
                float high_weight, const float* __restrict target, int blocks, LaneSums* __restrict sums) {
  LaneSums lanes = *sums;
  for (int block = 0; block < blocks; block++) {
    for (int lane = 0; lane < kLanes; lane++) {
      const int x = block * kLanes + lane;
      const double p = low_weight * low[x] + high_weight * high[x];
      const double t = target[x];
      lanes.pp[lane] += p * p;
      lanes.p[lane] += p;
      lanes.pt[lane] += p * t;
      lanes.t[lane] += t;
      lanes.tt[lane] += t * t;
    }
  }
  *sums = lanes;
}

} // namespace

FitSums sum_row(const RowBlend& row, const float* target, int width) {
  const int blocks = width / kLanes;
  LaneSums lanes;
  add_blocks(row.low, row.high, row.low_weight, row.high_weight, target, blocks, &lanes);
  FitSums sums;
  sums.count = width;
  for (int lane = 0; lane < kLanes; lane++) {
    sums.pp += lanes.pp[lane];
    sums.p += lanes.p[lane];
    sums.pt += lanes.pt[lane];
    sums.t += lanes.t[lane];
    sums.tt += lanes.tt[lane];
  }
  for (int x = blocks * kLanes; x < width; x++) {
    const double p = row.low_weight * row.low[x] + row.high_weight * row.high[x];
    const double t = target[x];
    sums.pp += p * p;
    sums.p += p;
    sums.pt += p * t;
    sums.t += t;
    sums.tt += t * t;
  }
  return sums;
}

Fit solve(const FitSums& sums) {
  return solve_fit(sums.pp, sums.p, sums.count, sums.pt, sums.t);
}

} // namespace video_depth

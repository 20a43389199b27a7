// Owns: what sums over two maps say of the fit of one to the other, for the CPU and for kernels: the same
// bits from the same sums. Must not know: how sums are taken.
#pragma once

#include <cmath>

#include "host_device.h"

namespace video_depth {

/// A variance below this part of the mean square is rounding: maps that differ in float32's last bit alone
/// give 1e-14.
constexpr double kVarianceNoise = 1e-12;

struct Fit {
  double scale = 1;
  double shift = 0;
  /// No usable solution; scale 1, shift 0 stand in for it.
  bool degenerate = false;
};

VIDEO_DEPTH_HOST_DEVICE inline bool is_finite(double value) {
  return value - value == 0;
}

/// Of Σp², Σp, the number of values, Σpt, Σt. See `solve`.
VIDEO_DEPTH_HOST_DEVICE inline Fit solve_fit(double pp, double p, double count, double pt, double t) {
  const double determinant = pp * count - p * p;
  const double scale = (count * pt - p * t) / determinant;
  const double shift = (pp * t - p * pt) / determinant;
  // Maps are multiplied in float32, so that is where scale and shift must hold out.
  const bool finite = is_finite(determinant) && is_finite(static_cast<double>(static_cast<float>(scale))) &&
                      is_finite(static_cast<double>(static_cast<float>(shift)));
  const bool usable = finite && determinant > kVarianceNoise * pp * count && static_cast<float>(scale) > 0;
  Fit fit;
  if (usable) {
    fit.scale = scale;
    fit.shift = shift;
  }
  fit.degenerate = !usable;
  return fit;
}

/// Takes sums over differences from the means. A NaN counts as flat.
VIDEO_DEPTH_HOST_DEVICE inline bool is_flat(double centred, double mean, double count) {
  return !(centred > kVarianceNoise * (centred + mean * mean * count));
}

/// Pearson's, −1…1; 0 where one of the maps is flat (up to rounding) or not finite. Sums are over differences
/// from the means.
VIDEO_DEPTH_HOST_DEVICE inline double correlation(double pp, double pt, double tt, double p_mean,
                                                  double t_mean, double count) {
  if (is_flat(pp, p_mean, count) || is_flat(tt, t_mean, count)) return 0;
  const double value = pt / std::sqrt(pp * tt);
  if (!is_finite(value)) return 0;
  return value < -1 ? -1 : (value > 1 ? 1 : value);
}

} // namespace video_depth

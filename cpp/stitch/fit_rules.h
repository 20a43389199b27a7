// Owns: what sums over two maps say of the fit of one to the other, for the CPU and for kernels: the same
// bits from the same sums. Must not know: how sums are taken.
#pragma once

#include <cmath>
#include <cstdint>

#include "host_device.h"

namespace video_depth {

/// A variance below this part of the mean square is rounding: maps that differ in float32's last bit alone
/// give 1e-14.
constexpr double kVarianceNoise = 1e-12;

/// The most references that one window is fitted to.
constexpr int kMostReferences = 16;

// When references say nothing of a window's scale. Measured over ordinary clips and over clips that are
// black, white, grey, noise or a logo for a while: benchmarks/README.md, "Windows without content to be
// fitted to".

/// Least part of a window's spread that its fit keeps, in units of the reference's own window. After black
/// starts it keeps 0.39 and less in the better reference; ordinary clips keep 0.60 and more, a tenth as
/// bright 0.45. An ordinary clip that begins so close to a wall that its depth has a black frame's spread
/// (0.04) kept 0.29, at half the size that the network was trained at: it begins anew, too.
constexpr double kLeastGain = 0.42;
/// A reference as like the window's map as this is a good one, whatever its gain: the network sees the same
/// at another scale. References without content of so low a gain: 0.95 and less.
constexpr double kAlike = 0.97;
/// A reference is left out beside a better one where its gain is below this part of the better one's.
/// Ordinary: 0.30 and more; without content: 0.17 and less.
constexpr double kLeastShare = 0.25;
/// And only where it is less like the window's own map than this (Pearson's): a gain that shrinks over a long
/// video keeps a high correlation. References without content beside a better one: 0.30 and less.
constexpr double kLeastCorrelation = 0.5;

/// Sums over pixels of a prediction p and a target t.
struct FitSums {
  double pp = 0, p = 0, count = 0, pt = 0, t = 0, tt = 0;

  VIDEO_DEPTH_HOST_DEVICE FitSums& operator+=(const FitSums& other) {
    pp += other.pp;
    p += other.p;
    count += other.count;
    pt += other.pt;
    t += other.t;
    tt += other.tt;
    return *this;
  }
};

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

/// One reference of a window: its sums (t the reference, p the window's map of the same frame), and the scale
/// that the reference was written with.
struct ReferenceSums {
  FitSums sums;
  double scale = 1;
};

struct ReferenceLikeness {
  /// As `correlation`; 0 where a map is flat or not finite.
  double correlation = 0;
  /// Scale of the fit to this reference alone, in units of the reference's own window.
  double gain = 0;
  /// The reference has less spread, in those units, than the window's map of the same frame.
  bool is_weaker = false;
};

VIDEO_DEPTH_HOST_DEVICE inline ReferenceLikeness likeness(const ReferenceSums& reference) {
  const FitSums& sums = reference.sums;
  const double pp = sums.pp * sums.count - sums.p * sums.p;
  const double pt = sums.pt * sums.count - sums.p * sums.t;
  const double tt = sums.tt * sums.count - sums.t * sums.t;
  ReferenceLikeness found;
  const bool is_usable = is_finite(pp) && is_finite(pt) && is_finite(tt) && is_finite(reference.scale);
  if (!is_usable || !(pp > kVarianceNoise * sums.pp * sums.count)) return found;
  found.is_weaker = tt < pp * reference.scale * reference.scale;
  if (!(tt > kVarianceNoise * sums.tt * sums.count)) return found;
  found.correlation = pt / std::sqrt(pp * tt);
  found.gain = pt / pp / reference.scale;
  return found;
}

struct WindowFit {
  Fit fit;
  /// The references have no content: scale 1, shift 0, and nothing of the frames before is carried over.
  bool is_anew = false;
  /// Bit i: reference i has no content and was not fitted to. All bits where the window begins anew.
  uint32_t left_out = 0;
};

/// The fit to all references together, as long as they have content.
///
/// @param all sums over every reference
/// @param references [count], at most kMostReferences
VIDEO_DEPTH_HOST_DEVICE inline WindowFit solve_window(const FitSums& all, const ReferenceSums* references,
                                                      int count) {
  WindowFit window;
  if (count == 0) return window;
  ReferenceLikeness found[kMostReferences];
  double best = 0;
  bool is_empty = true;
  for (int i = 0; i < count; i++) {
    found[i] = likeness(references[i]);
    if (found[i].gain > best) best = found[i].gain;
    is_empty = is_empty && found[i].is_weaker && found[i].correlation < kAlike;
  }
  if (is_empty && best < kLeastGain) {
    window.is_anew = window.fit.degenerate = true;
    window.left_out = (uint32_t{1} << count) - 1;
    return window;
  }
  FitSums kept;
  for (int i = 0; i < count; i++) {
    const bool is_left_out = best >= kLeastGain && found[i].is_weaker &&
                             found[i].correlation < kLeastCorrelation && found[i].gain < kLeastShare * best;
    if (is_left_out) {
      window.left_out |= uint32_t{1} << i;
    } else {
      kept += references[i].sums;
    }
  }
  const FitSums& used = window.left_out == 0 ? all : kept;
  window.fit = solve_fit(used.pp, used.p, used.count, used.pt, used.t);
  return window;
}

} // namespace video_depth

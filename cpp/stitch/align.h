// Owns: the least-squares fit of one map's scale and shift to another.
// Must not know: windows, slots, threads.
#pragma once

#include "image/bilinear.h"
#include "stitch/fit_rules.h"

namespace video_depth {

/// Sums over one row; the order of additions depends on the width alone.
FitSums sum_row(const RowBlend& prediction, const float* target, int width);

/// The scale and shift that bring Σ(scale · p + shift − t)² to its least.
/// Degenerate: a determinant of 0 up to rounding, sums that are not finite, or a scale ≤ 0.
Fit solve(const FitSums& sums);

} // namespace video_depth

// Owns: how alike two maps are: the fit of one to the other, and their correlation.
// Must not know: what the maps show.
#pragma once

#include <cstddef>

#include "stitch/align.h"

namespace video_depth {

struct MapFit {
  /// As for windows; see `solve`.
  Fit fit;
  /// Pearson's, −1…1; 0 where one of the maps is flat (up to rounding) or not finite.
  double correlation = 0;
};

/// The line between two maps of `count` values. The same bits on every machine.
MapFit fit_map(const float* prediction, size_t prediction_count, const float* target, size_t target_count);

} // namespace video_depth

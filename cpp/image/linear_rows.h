// Owns: shrinking a picture as OpenCV's 8-bit INTER_LINEAR does, row by row.
// Must not know: what the rows are for.
#pragma once

#include <vector>

#include "image/pixel_format.h"

namespace video_depth {

/// For each output position its two neighbours and their weights, which are of 11 bits.
struct LinearAxis {
  LinearAxis(int in, int out);

  std::vector<int> low, high;
  std::vector<int> low_weight, high_weight;
};

/// cv2.resize(picture, INTER_LINEAR) bit for bit: half-pixel centres, replicated border, no antialiasing.
/// Only the rows that are looked at are converted to RGB. For one thread.
class LinearRows {
 public:
  /// @param picture valid, borrowed
  LinearRows(const PictureView& picture, int width, int height);

  /// [width, 3], valid until the next call.
  const uint8_t* row(int y);

 private:
  void widen(int source_row, int* out);

  RgbRows source_;
  int width_;
  LinearAxis columns_, rows_;
  std::vector<uint8_t> source_row_, out_;
  std::vector<int> low_, high_;
};

} // namespace video_depth

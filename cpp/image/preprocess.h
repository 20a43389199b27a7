// Owns: the network's input from a picture: resize and normalise.
// Must not know: which size the network wants.
#pragma once

#include <cstddef>
#include <cstdint>

namespace video_depth {

struct RgbView {
  /// [height, width, 3], rows `stride_bytes` apart; borrowed.
  const uint8_t* data;
  size_t length;
  int width;
  int height;
  size_t stride_bytes;
};

struct TensorView {
  /// [3, height, width] float32; borrowed.
  float* data;
  size_t length;
  int width;
  int height;
};

/// Upstream's preprocessing: /255, cv2.resize(INTER_CUBIC) in float32 (a = −0.75, half-pixel centres,
/// replicated border, no antialiasing), (x − mean)/std in float64, rounded to float32, CHW. Columns are
/// resized before rows are, which OpenCV does the other way round: equal up to rounding.
void preprocess(const RgbView& frame, const TensorView& out, int threads);

} // namespace video_depth

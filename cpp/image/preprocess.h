// Owns: the network's input from a picture: resize and normalise.
// Must not know: which size the network wants.
#pragma once

#include <cstddef>

#include "image/picture.h"

namespace video_depth {

/// For red, green and blue, as parts of 255.
constexpr double kPixelMean[3] = {0.485, 0.456, 0.406};
constexpr double kPixelStd[3] = {0.229, 0.224, 0.225};

struct TensorView {
  /// [3, height, width] float32; borrowed.
  float* data;
  size_t length;
  int width;
  int height;
};

/// Upstream's preprocessing: /255, cv2.resize(INTER_CUBIC) in float32 (a = −0.75, half-pixel centres,
/// replicated border, no antialiasing), (x − mean)/std in float64, rounded to float32, CHW. Columns are
/// resized before rows are, which OpenCV does the other way round: equal up to rounding. rgb24 is read in
/// place, other formats are converted to it first.
void preprocess(const PictureView& picture, const TensorView& out, int threads);

} // namespace video_depth

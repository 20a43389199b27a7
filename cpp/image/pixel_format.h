// Owns: conversion of a picture's rows to tightly packed RGB.
// Must not know: what the RGB is for.
#pragma once

#include "image/picture.h"

namespace video_depth {

/// red = clamp[(luma[Y] + red_v[V]) >> kBits]; so with the others, and gray = clamp[luma[Y] >> kBits].
struct YuvTables {
  /// Fixed point; the sums' largest, kBelow + 550, leaves room for so many in 31 bits.
  static constexpr int kBits = 21;
  /// How far below 0 a sum is allowed for, and how many values there are: −290…550 occur.
  static constexpr int kBelow = 320;
  static constexpr int kValues = 896;

  YuvTables(ColorMatrix matrix, ColorRange range);

  /// `luma` holds kBelow and the half that makes rounding of a floor.
  int luma[256], red_v[256], green_u[256], green_v[256], blue_u[256];
  uint8_t clamp[kValues];
};

/// Rows of a picture as RGB. Chroma is that of the nearest sample: pixels 2i and 2i + 1 (for nv12 rows, too)
/// share one. Colours are within 1e-6 of the real formula before they are rounded. Immutable; shared by all
/// threads.
class RgbRows {
 public:
  /// @param picture valid, borrowed
  explicit RgbRows(const PictureView& picture);

  /// @param out [width, 3], apart from the picture's memory
  void write(int y, uint8_t* out) const;

 private:
  PictureView picture_;
  YuvTables tables_;
};

/// @param out [height, width, 3], `out_length` bytes, apart from the picture's memory
void to_rgb(const PictureView& picture, uint8_t* out, size_t out_length, int threads);

} // namespace video_depth

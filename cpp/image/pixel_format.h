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

  /// At compile time for kernels, which keep all four.
  static constexpr YuvTables of(ColorMatrix matrix, ColorRange range);

  /// `luma` holds kBelow and the half that makes rounding of a floor.
  int luma[256], red_v[256], green_u[256], green_v[256], blue_u[256];
  uint8_t clamp[kValues];

 private:
  /// factor · (byte − zero) + extra for each byte, in fixed point, rounded.
  static constexpr void fill(int (&table)[256], double factor, int zero, double extra = 0) {
    for (int byte = 0; byte < 256; byte++) {
      const double exact = (1 << kBits) * (factor * (byte - zero) + extra);
      table[byte] = static_cast<int>(exact < 0 ? exact - 0.5 : exact + 0.5);
    }
  }
};

constexpr YuvTables YuvTables::of(ColorMatrix matrix, ColorRange range) {
  const bool limited = range == ColorRange::kLimited;
  const double kr = matrix == ColorMatrix::kBt601 ? 0.299 : 0.2126;
  const double kb = matrix == ColorMatrix::kBt601 ? 0.114 : 0.0722;
  const double kg = 1 - kr - kb;
  const double chroma = limited ? 255.0 / 224 : 1;
  YuvTables tables{};
  fill(tables.luma, limited ? 255.0 / 219 : 1, limited ? 16 : 0, kBelow + 0.5);
  fill(tables.red_v, chroma * 2 * (1 - kr), 128);
  fill(tables.green_u, -chroma * 2 * (1 - kb) * kb / kg, 128);
  fill(tables.green_v, -chroma * 2 * (1 - kr) * kr / kg, 128);
  fill(tables.blue_u, chroma * 2 * (1 - kb), 128);
  for (int i = 0; i < kValues; i++) {
    const int value = i - kBelow;
    tables.clamp[i] = static_cast<uint8_t>(value < 0 ? 0 : (value > 255 ? 255 : value));
  }
  return tables;
}

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

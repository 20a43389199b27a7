// Owns: how a picture's bytes lie in memory, and whether they are all there.
// Must not know: what pixels are converted to.
#pragma once

#include <cstddef>
#include <cstdint>

namespace video_depth {

/// See PixelFormat in lib/frame.ts.
enum class PixelFormat { kRgb24, kBgr24, kRgba, kBgra, kGray8, kNv12, kYuyv422 };
enum class ColorMatrix { kBt601, kBt709 };
enum class ColorRange { kLimited, kFull };

/// See NativePicture in lib/native/types.ts.
struct PictureView {
  /// Rows `stride_bytes` apart; nv12's chroma rows begin at stride_bytes · height. Borrowed.
  const uint8_t* data;
  size_t length;
  int width;
  int height;
  PixelFormat format;
  size_t stride_bytes;
  ColorMatrix matrix = ColorMatrix::kBt601;
  ColorRange range = ColorRange::kLimited;
};

/// Bytes of a row's pixels.
size_t row_bytes(PixelFormat format, int width);

/// Bytes of a valid picture up to its last pixel.
size_t picture_bytes(const PictureView& picture);

/// Throws Error unless sides, stride and length fit together.
void check_picture(const char* operation, const PictureView& picture);

} // namespace video_depth

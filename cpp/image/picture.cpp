// Owns: how a picture's bytes lie in memory, and whether they are all there.
// Must not know: what pixels are converted to.

#include "image/picture.h"

#include <string>

#include "checks.h"
#include "error.h"

namespace video_depth {

size_t row_bytes(PixelFormat format, int width) {
  const auto pixels = static_cast<size_t>(width);
  switch (format) {
    case PixelFormat::kRgb24:
    case PixelFormat::kBgr24:
      return 3 * pixels;
    case PixelFormat::kRgba:
    case PixelFormat::kBgra:
      return 4 * pixels;
    case PixelFormat::kGray8:
      return pixels;
    case PixelFormat::kNv12:
      return pixels + pixels % 2; // a chroma row's
    case PixelFormat::kYuyv422:
      return 2 * (pixels + pixels % 2);
  }
  return 0;
}

size_t picture_bytes(const PictureView& picture) {
  const auto height = static_cast<size_t>(picture.height);
  const size_t rows = picture.format == PixelFormat::kNv12 ? height + (height + 1) / 2 : height;
  return picture.stride_bytes * (rows - 1) + row_bytes(picture.format, picture.width);
}

void check_picture(const char* operation, const PictureView& picture) {
  check_side(operation, picture.width, "picture.width");
  check_side(operation, picture.height, "picture.height");
  const size_t least = row_bytes(picture.format, picture.width);
  // The upper bound keeps the byte count below from overflowing.
  if (picture.stride_bytes < least || picture.stride_bytes > INT32_MAX) {
    throw Error(operation, std::to_string(least) + " to " + std::to_string(INT32_MAX) + " bytes a row",
                "picture.strideBytes", std::to_string(picture.stride_bytes));
  }
  const size_t bytes = picture_bytes(picture);
  if (picture.data == nullptr || picture.length < bytes) {
    throw Error(operation, "at least " + std::to_string(bytes) + " bytes", "picture.data",
                std::to_string(picture.length));
  }
}

} // namespace video_depth

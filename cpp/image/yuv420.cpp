// Owns: pictures as video encoders take them, from RGB and from depth: 4:2:0, BT.709, limited range.
// Must not know: palettes, encoders.

#include "image/yuv420.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace video_depth {

namespace {

/// Fixed point: parts of one. Products with sums of four bytes stay below 2³¹.
constexpr int kBits = 20;
constexpr int kOne = 1 << kBits;
constexpr int kHalf = kOne / 2;

constexpr int fixed(double value) {
  return static_cast<int>(value * kOne + (value < 0 ? -0.5 : 0.5));
}

/// BT.709's shares of red and blue in luma, and the limited range's extents as parts of the full one.
constexpr double kRed = 0.2126;
constexpr double kBlue = 0.0722;
constexpr double kLuma = 219.0 / 255;
constexpr double kBlueness = 224.0 / 255 / (2 * (1 - kBlue));
constexpr double kRedness = 224.0 / 255 / (2 * (1 - kRed));

constexpr int kYr = fixed(kLuma * kRed);
constexpr int kYb = fixed(kLuma * kBlue);
constexpr int kYg = fixed(kLuma) - kYr - kYb;
constexpr int kBr = fixed(-kBlueness * kRed);
constexpr int kBb = fixed(kBlueness * (1 - kBlue));
constexpr int kBg = -kBr - kBb;
constexpr int kRr = fixed(kRedness * (1 - kRed));
constexpr int kRb = fixed(-kRedness * kBlue);
constexpr int kRg = -kRr - kRb;

uint8_t luma(int r, int g, int b) {
  return static_cast<uint8_t>((kYr * r + kYg * g + kYb * b + 16 * kOne + kHalf) >> kBits);
}

/// @param r, g, b sums over four pixels
uint8_t blueness(int r, int g, int b) {
  return static_cast<uint8_t>((((kBr * r + kBg * g + kBb * b) >> 2) + 128 * kOne + kHalf) >> kBits);
}

uint8_t redness(int r, int g, int b) {
  return static_cast<uint8_t>((((kRr * r + kRg * g + kRb * b) >> 2) + 128 * kOne + kHalf) >> kBits);
}

int even_above(int side) {
  return side + side % 2;
}

/// Where the next pixels of a picture go.
struct Planes {
  Planes(int width, int height, uint8_t* out)
      : columns(even_above(width)),
        rows(even_above(height)),
        y(out),
        blue(out + bytes()),
        red(blue + bytes() / 4) {}
  size_t bytes() const { return static_cast<size_t>(columns) * static_cast<size_t>(rows); }

  int columns, rows;
  uint8_t *y, *blue, *red;
};

/// @param fill writes a line's pixels, [columns, 3], given which line and where
template <class Fill>
void convert(Planes planes, int height, const Fill& fill) {
  const auto line_bytes = 3 * static_cast<size_t>(planes.columns);
  std::vector<uint8_t> lines(2 * line_bytes);
  uint8_t* const upper = lines.data();
  uint8_t* const lower = upper + line_bytes;
  for (int row = 0; row < planes.rows; row += 2) {
    fill(row, upper);
    fill(std::min(row + 1, height - 1), lower);
    for (const uint8_t* p = upper; p < upper + 2 * line_bytes; p += 3) *planes.y++ = luma(p[0], p[1], p[2]);
    for (size_t i = 0; i < line_bytes; i += 6) {
      const auto sum = [&](size_t colour) {
        const size_t at = i + colour;
        return upper[at] + upper[at + 3] + lower[at] + lower[at + 3];
      };
      *planes.blue++ = blueness(sum(0), sum(1), sum(2));
      *planes.red++ = redness(sum(0), sum(1), sum(2));
    }
  }
}

/// An odd line's last pixel, once more.
void complete(uint8_t* line, int width) {
  if (width % 2 != 0) std::copy_n(line + 3 * (width - 1), 3, line + 3 * width);
}

} // namespace

size_t yuv420_bytes(int width, int height) {
  return static_cast<size_t>(even_above(width)) * static_cast<size_t>(even_above(height)) * 3 / 2;
}

void rgb_to_yuv420(const uint8_t* rgb, int width, int height, uint8_t* out) {
  const auto row_bytes = 3 * static_cast<size_t>(width);
  convert({width, height, out}, height, [&](int row, uint8_t* line) {
    std::copy_n(rgb + static_cast<size_t>(row) * row_bytes, row_bytes, line);
    complete(line, width);
  });
}

void colour_depth(const float* data, int width, int height, float least, float greatest,
                  const uint8_t* colours, uint8_t* out) {
  // In an empty range nothing is above 0.
  const float extent = greatest - least > 0 ? greatest - least : std::numeric_limits<float>::infinity();
  std::vector<uint8_t> levels(static_cast<size_t>(width));
  convert({width, height, out}, height, [&](int row, uint8_t* line) {
    const float* depth = data + static_cast<size_t>(row) * static_cast<size_t>(width);
    for (int x = 0; x < width; x++) {
      const float scaled = (depth[x] - least) / extent * 255.0F;
      // In this order NaN is 0.
      const float above = scaled > 0 ? scaled : 0;
      levels[static_cast<size_t>(x)] = static_cast<uint8_t>(static_cast<int>(above < 255 ? above : 255));
    }
    uint8_t* pixel = line;
    for (const uint8_t level : levels) {
      const uint8_t* colour = colours + 3 * size_t{level};
      *pixel++ = colour[0];
      *pixel++ = colour[1];
      *pixel++ = colour[2];
    }
    complete(line, width);
  });
}

} // namespace video_depth

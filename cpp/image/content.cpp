// Owns: how much one picture differs from the one before, as PySceneDetect's ContentDetector measures it.
// Must not know: which difference is a cut.

#include "image/content.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "image/linear_rows.h"

namespace video_depth {

namespace {

constexpr int kLongerSide = 256;
constexpr int kHueRange = 180;
constexpr int kBits = 12;

/// Reciprocals of a chroma or value, in fixed point; 0 for 0.
struct HsvTables {
  HsvTables() {
    for (int i = 1; i < 256; i++) {
      saturation[i] = static_cast<int>(std::lround((255 << kBits) / static_cast<double>(i)));
      hue[i] = static_cast<int>(std::lround((kHueRange << kBits) / (6.0 * i)));
    }
  }

  int saturation[256] = {}, hue[256] = {};
};

int rounded(int fixed) {
  return (fixed + (1 << (kBits - 1))) >> kBits;
}

double mean_difference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  int sum = 0; // of at most 256 · 256 bytes
  for (size_t i = 0; i < a.size(); i++) sum += std::abs(a[i] - b[i]);
  return static_cast<double>(sum) / static_cast<double>(a.size());
}

} // namespace

PixelSize content_size(int width, int height) {
  const double factor = std::max(1.0, std::max(width, height) / static_cast<double>(kLongerSide));
  const auto shrunk = [&](int side) { return std::max(1, static_cast<int>(std::nearbyint(side / factor))); };
  return {shrunk(width), shrunk(height)};
}

void to_hsv(const uint8_t* rgb, uint8_t* hue, uint8_t* saturation, uint8_t* value, size_t count) {
  static const HsvTables tables;
  for (size_t i = 0; i < count; i++) {
    const int red = rgb[3 * i], green = rgb[3 * i + 1], blue = rgb[3 * i + 2];
    const int most = std::max({red, green, blue});
    const int chroma = most - std::min({red, green, blue});
    int sixths = red - green + 4 * chroma; // hue in sixths of the circle, times chroma
    if (most == red) {
      sixths = green - blue;
    } else if (most == green) {
      sixths = blue - red + 2 * chroma;
    }
    const int angle = rounded(sixths * tables.hue[chroma]);
    hue[i] = static_cast<uint8_t>(angle < 0 ? angle + kHueRange : angle);
    saturation[i] = static_cast<uint8_t>(rounded(chroma * tables.saturation[most]));
    value[i] = static_cast<uint8_t>(most);
  }
}

ContentMeter::HsvPicture::HsvPicture(const PictureView& picture)
    : size(content_size(picture.width, picture.height)) {
  const auto width = static_cast<size_t>(size.width);
  const size_t pixels = width * static_cast<size_t>(size.height);
  for (std::vector<uint8_t>* plane : {&hue, &saturation, &value}) plane->resize(pixels);
  LinearRows rows(picture, size.width, size.height);
  for (size_t y = 0; y < static_cast<size_t>(size.height); y++) {
    const size_t at = y * width;
    to_hsv(rows.row(static_cast<int>(y)), &hue[at], &saturation[at], &value[at], width);
  }
}

std::optional<ContentDifference> ContentMeter::measure(const PictureView& picture) {
  check_picture("measure", picture);
  HsvPicture current(picture);
  std::optional<ContentDifference> difference;
  if (last_ && last_size_.width == picture.width && last_size_.height == picture.height) {
    difference = {mean_difference(current.hue, last_->hue),
                  mean_difference(current.saturation, last_->saturation),
                  mean_difference(current.value, last_->value)};
  }
  last_ = std::move(current);
  last_size_ = {picture.width, picture.height};
  return difference;
}

void ContentMeter::reset() {
  last_.reset();
}

} // namespace video_depth

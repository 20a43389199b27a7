// Owns: shrinking a picture as OpenCV's 8-bit INTER_LINEAR does, row by row.
// Must not know: what the rows are for.

#include "image/linear_rows.h"

#include <algorithm>
#include <cmath>

namespace video_depth {

namespace {

constexpr float kOne = 2048;

/// Mixes sums with 11 fraction bits; the shifts in between are where OpenCV drops bits.
void mix_rows(const int* __restrict low, const int* __restrict high, int low_weight, int high_weight,
              uint8_t* __restrict out, int count) {
  for (int i = 0; i < count; i++) {
    const int sum = ((low_weight * (low[i] >> 4)) >> 16) + ((high_weight * (high[i] >> 4)) >> 16);
    out[i] = static_cast<uint8_t>((sum + 2) >> 2);
  }
}

} // namespace

LinearAxis::LinearAxis(int in, int out) {
  const double scale = 1.0 / (static_cast<double>(out) / in);
  for (int i = 0; i < out; i++) {
    const auto position = static_cast<float>((i + 0.5) * scale - 0.5);
    const float floor = std::floor(position);
    const bool inside = floor >= 0 && floor < static_cast<float>(in - 1);
    const float fraction = inside ? position - floor : 0;
    const int index = std::clamp(static_cast<int>(floor), 0, in - 1);
    low.push_back(index);
    high.push_back(std::min(index + 1, in - 1));
    low_weight.push_back(static_cast<int>(std::nearbyint((1 - fraction) * kOne)));
    high_weight.push_back(static_cast<int>(std::nearbyint(fraction * kOne)));
  }
}

LinearRows::LinearRows(const PictureView& picture, int width, int height)
    : source_(picture),
      width_(width),
      columns_(picture.width, width),
      rows_(picture.height, height),
      source_row_(row_bytes(PixelFormat::kRgb24, picture.width)),
      out_(row_bytes(PixelFormat::kRgb24, width)),
      low_(out_.size()),
      high_(out_.size()) {
}

const uint8_t* LinearRows::row(int y) {
  const auto index = static_cast<size_t>(y);
  widen(rows_.low[index], low_.data());
  widen(rows_.high[index], high_.data());
  mix_rows(low_.data(), high_.data(), rows_.low_weight[index], rows_.high_weight[index], out_.data(),
           static_cast<int>(out_.size()));
  return out_.data();
}

void LinearRows::widen(int source_row, int* out) {
  source_.write(source_row, source_row_.data());
  for (size_t x = 0; x < static_cast<size_t>(width_); x++) {
    const uint8_t* low = source_row_.data() + 3 * columns_.low[x];
    const uint8_t* high = source_row_.data() + 3 * columns_.high[x];
    for (size_t c = 0; c < 3; c++) {
      out[3 * x + c] = columns_.low_weight[x] * low[c] + columns_.high_weight[x] * high[c];
    }
  }
}

} // namespace video_depth

// Owns: the network's input from a picture: resize and normalise.
// Must not know: which size the network wants.

#include "image/preprocess.h"

#include <string>
#include <vector>

#include "checks.h"
#include "error.h"
#include "image/pixel_format.h"
#include "image/taps.h"
#include "parallel.h"

namespace video_depth {

namespace {

/// Tap by tap: the source index (times `pitch`) and weight for each output position.
struct CubicAxis {
  CubicAxis(int in, int out, int pitch) {
    const double scale = cubic_scale(in, out);
    for (int i = 0; i < out; i++) {
      const CubicTap taps = cubic_tap(scale, i);
      for (int tap = 0; tap < kCubicTaps; tap++) {
        index[tap].push_back(pitch * clamped_index(taps.first + tap, in));
        weight[tap].push_back(taps.weight[tap]);
      }
    }
  }

  std::vector<int> index[kCubicTaps];
  std::vector<float> weight[kCubicTaps];
};

void mix_rows(const uint8_t* __restrict r0, const uint8_t* __restrict r1, const uint8_t* __restrict r2,
              const uint8_t* __restrict r3, float w0, float w1, float w2, float w3, float* __restrict out,
              int count) {
  for (int i = 0; i < count; i++) {
    out[i] = w0 * (static_cast<float>(r0[i]) / 255.0f) + w1 * (static_cast<float>(r1[i]) / 255.0f) +
             w2 * (static_cast<float>(r2[i]) / 255.0f) + w3 * (static_cast<float>(r3[i]) / 255.0f);
  }
}

void mix_columns(const float* __restrict row, const int* __restrict i0, const int* __restrict i1,
                 const int* __restrict i2, const int* __restrict i3, const float* __restrict w0,
                 const float* __restrict w1, const float* __restrict w2, const float* __restrict w3,
                 double mean, double std, float* __restrict out, int width) {
  for (int x = 0; x < width; x++) {
    const float value = w0[x] * row[i0[x]] + w1[x] * row[i1[x]] + w2[x] * row[i2[x]] + w3[x] * row[i3[x]];
    out[x] = static_cast<float>((static_cast<double>(value) - mean) / std);
  }
}

void check(const PictureView& picture, const TensorView& out, int threads) {
  check_picture("preprocess", picture);
  check_side("preprocess", out.width, "outWidth");
  check_side("preprocess", out.height, "outHeight");
  check_threads("preprocess", threads);
  const size_t values = 3 * static_cast<size_t>(out.width) * static_cast<size_t>(out.height);
  if (out.data == nullptr || out.length != values) {
    throw Error("preprocess", std::to_string(values) + " values", "out", std::to_string(out.length));
  }
  if (overlap(picture.data, picture_bytes(picture), out.data, values * sizeof(float))) {
    throw Error("preprocess", "memory apart from the picture's", "out", "memory that overlaps it");
  }
}

/// @param picture rgb24
void preprocess_rgb(const PictureView& picture, const TensorView& out, int threads) {
  const CubicAxis columns(picture.width, out.width, 3);
  const CubicAxis rows(picture.height, out.height, 1);
  const auto row_values = 3 * static_cast<size_t>(picture.width);
  const auto width = static_cast<size_t>(out.width);
  const size_t plane = width * static_cast<size_t>(out.height);
  std::vector<float> scratch(row_values * static_cast<size_t>(threads));

  parallel_rows(out.height, threads, [&](const RowChunk& chunk) {
    float* mixed = scratch.data() + row_values * static_cast<size_t>(chunk.worker);
    for (int y = chunk.begin; y < chunk.end; y++) {
      const auto at = static_cast<size_t>(y);
      const auto source = [&](int tap) {
        return picture.data + static_cast<size_t>(rows.index[tap][at]) * picture.stride_bytes;
      };
      mix_rows(source(0), source(1), source(2), source(3), rows.weight[0][at], rows.weight[1][at],
               rows.weight[2][at], rows.weight[3][at], mixed, static_cast<int>(row_values));
      for (size_t c = 0; c < 3; c++) {
        mix_columns(mixed + c, columns.index[0].data(), columns.index[1].data(), columns.index[2].data(),
                    columns.index[3].data(), columns.weight[0].data(), columns.weight[1].data(),
                    columns.weight[2].data(), columns.weight[3].data(), kPixelMean[c], kPixelStd[c],
                    out.data + c * plane + at * width, out.width);
      }
    }
  });
}

} // namespace

void preprocess(const PictureView& picture, const TensorView& out, int threads) {
  check(picture, out, threads);
  if (picture.format == PixelFormat::kRgb24) return preprocess_rgb(picture, out, threads);
  PictureView rgb = picture;
  rgb.format = PixelFormat::kRgb24;
  rgb.stride_bytes = row_bytes(rgb.format, rgb.width);
  rgb.length = picture_bytes(rgb);
  std::vector<uint8_t> pixels(rgb.length);
  rgb.data = pixels.data();
  to_rgb(picture, pixels.data(), pixels.size(), threads);
  preprocess_rgb(rgb, out, threads);
}

} // namespace video_depth

// Owns: tests of preprocessing.
// Must not know: the network.

#include "image/preprocess.h"

#include <doctest/doctest.h>

#include <cmath>

#include "error.h"
#include "image/pixel_format.h"
#include "support.h"

using namespace video_depth;

namespace {

constexpr double kMean[3] = {0.485, 0.456, 0.406};
constexpr double kStd[3] = {0.229, 0.224, 0.225};

std::vector<uint8_t> picture(size_t bytes) {
  std::vector<uint8_t> data;
  for (const float value : test::noise(bytes, 11)) data.push_back(static_cast<uint8_t>(value * 256));
  return data;
}

double cubic(double distance) {
  constexpr double a = -0.75;
  const double d = std::abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/// The textbook rule, in float64, one output value at a time.
double naive(const std::vector<uint8_t>& data, size_t stride, int in_width, int in_height, int width,
             int height, int x, int y, int channel) {
  const double fx = (x + 0.5) * in_width / width - 0.5;
  const double fy = (y + 0.5) * in_height / height - 0.5;
  double sum = 0;
  for (int dy = -1; dy <= 2; dy++) {
    for (int dx = -1; dx <= 2; dx++) {
      const double sx = std::floor(fx) + dx, sy = std::floor(fy) + dy;
      const auto column = static_cast<size_t>(std::clamp(sx, 0.0, in_width - 1.0));
      const auto row = static_cast<size_t>(std::clamp(sy, 0.0, in_height - 1.0));
      sum += cubic(fx - sx) * cubic(fy - sy) *
             data[row * stride + column * 3 + static_cast<size_t>(channel)] / 255.0;
    }
  }
  return (sum - kMean[channel]) / kStd[channel];
}

struct Case {
  int in_width, in_height, padding, width, height;
};

} // namespace

TEST_CASE("preprocess: the textbook rule, at awkward sizes and strides") {
  for (const Case& c : {Case{1, 1, 0, 14, 14}, Case{1, 9, 5, 14, 28}, Case{9, 1, 0, 28, 14},
                        Case{3, 2, 1, 1, 1}, Case{31, 17, 0, 28, 14}, Case{31, 17, 7, 70, 42},
                        Case{128, 72, 0, 126, 70}, Case{28, 14, 0, 28, 14}, Case{101, 97, 3, 14, 14}}) {
    const auto stride = static_cast<size_t>(3 * c.in_width + c.padding);
    const auto data = picture(stride * static_cast<size_t>(c.in_height) - static_cast<size_t>(c.padding));
    const auto plane = static_cast<size_t>(c.width * c.height);
    test::Guarded out(3 * plane);
    preprocess({data.data(), data.size(), c.in_width, c.in_height, PixelFormat::kRgb24, stride},
               {out.data(), out.size(), c.width, c.height}, 2);
    CHECK(out.guards_intact());
    CHECK(out.all_written());
    double worst = 0;
    for (int channel = 0; channel < 3; channel++) {
      for (int y = 0; y < c.height; y++) {
        for (int x = 0; x < c.width; x++) {
          const double expected =
              naive(data, stride, c.in_width, c.in_height, c.width, c.height, x, y, channel);
          const size_t at = static_cast<size_t>(channel) * plane + static_cast<size_t>(y * c.width + x);
          worst = std::max(worst, std::abs(out.data()[at] - expected));
        }
      }
    }
    CAPTURE(c.in_width);
    CAPTURE(c.width);
    // float32 sums of values up to about 1, over std
    CHECK(worst < 1e-5);
  }
}

TEST_CASE("preprocess: a flat picture stays flat") {
  const std::vector<uint8_t> grey(37 * 23 * 3, 128);
  std::vector<float> out(3 * 42 * 28);
  preprocess({grey.data(), grey.size(), 37, 23, PixelFormat::kRgb24, 37 * 3},
             {out.data(), out.size(), 42, 28}, 1);
  for (size_t i = 0; i < out.size(); i++) {
    const size_t channel = i / (42 * 28);
    CHECK(out[i] == doctest::Approx((128 / 255.0 - kMean[channel]) / kStd[channel]).epsilon(1e-5));
  }
}

TEST_CASE("preprocess: the same bits whatever the number of threads") {
  const auto data = picture(131 * 97 * 3);
  const auto run = [&](int threads) {
    std::vector<float> out(3 * 154 * 112);
    preprocess({data.data(), data.size(), 131, 97, PixelFormat::kRgb24, 131 * 3},
               {out.data(), out.size(), 154, 112}, threads);
    return out;
  };
  const auto once = run(1);
  for (const int threads : {2, 3, 16}) CHECK(test::same_bits(once, run(threads)));
}

TEST_CASE("preprocess: other formats as if they had been converted first") {
  const int width = 37, height = 23;
  for (const PixelFormat format :
       {PixelFormat::kBgr24, PixelFormat::kRgba, PixelFormat::kGray8, PixelFormat::kNv12}) {
    const size_t stride = row_bytes(format, width) + 5;
    PictureView frame{nullptr, 0, width, height, format, stride, ColorMatrix::kBt709, ColorRange::kFull};
    const auto data = picture(picture_bytes(frame));
    frame.data = data.data();
    frame.length = data.size();
    std::vector<uint8_t> rgb(3 * width * height);
    to_rgb(frame, rgb.data(), rgb.size(), 1);
    std::vector<float> direct(3 * 42 * 28), converted(3 * 42 * 28);
    preprocess(frame, {direct.data(), direct.size(), 42, 28}, 2);
    preprocess({rgb.data(), rgb.size(), width, height, PixelFormat::kRgb24, 3 * width},
               {converted.data(), converted.size(), 42, 28}, 2);
    CHECK(test::same_bits(direct, converted));
  }
}

TEST_CASE("preprocess: what does not fit is refused before anything is written") {
  std::vector<uint8_t> data(4 * 3 * 3);
  test::Guarded out(3 * 14 * 14);
  const auto run = [&](PictureView frame, TensorView to, int threads) { preprocess(frame, to, threads); };
  const PictureView frame{data.data(), data.size(), 4, 3, PixelFormat::kRgb24, 12};
  const TensorView to{out.data(), out.size(), 14, 14};
  PictureView bad = frame;
  TensorView bad_to = to;

  SUBCASE("width 0") {
    bad.width = 0;
    CHECK_THROWS_WITH_AS(run(bad, to, 1), "Expected an integer from 1 to 32768 for picture.width, received 0",
                         Error);
  }
  SUBCASE("height too large") {
    bad.height = 32769;
    CHECK_THROWS_WITH_AS(run(bad, to, 1),
                         "Expected an integer from 1 to 32768 for picture.height, received 32769", Error);
  }
  SUBCASE("no threads") {
    CHECK_THROWS_WITH_AS(run(frame, to, 0), "Expected an integer from 1 to 256 for threads, received 0",
                         Error);
  }
  SUBCASE("rows that overlap") {
    bad.stride_bytes = 11;
    CHECK_THROWS_WITH_AS(run(bad, to, 1),
                         "Expected 12 to 2147483647 bytes a row for picture.strideBytes, received 11", Error);
  }
  SUBCASE("a short frame") {
    bad.length = 35;
    CHECK_THROWS_WITH_AS(run(bad, to, 1), "Expected at least 36 bytes for picture.data, received 35", Error);
  }
  SUBCASE("no frame") {
    bad.data = nullptr;
    CHECK_THROWS_AS(run(bad, to, 1), Error);
  }
  SUBCASE("a short result") {
    bad_to.length = 587;
    CHECK_THROWS_WITH_AS(run(frame, bad_to, 1), "Expected 588 values for out, received 587", Error);
  }
  SUBCASE("a long result") {
    bad_to.length = 589;
    CHECK_THROWS_AS(run(frame, bad_to, 1), Error);
  }
  SUBCASE("a result inside the frame") {
    bad.data = reinterpret_cast<const uint8_t*>(out.data() + 100);
    CHECK_THROWS_WITH_AS(run(bad, to, 1),
                         "Expected memory apart from the picture's for out, received memory that overlaps it",
                         Error);
  }
  CHECK_FALSE(out.all_written());
  CHECK(out.guards_intact());
}

// Owns: tests of pictures' layouts and of their conversion to RGB.
// Must not know: what the RGB is for.

#include "image/pixel_format.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "error.h"
#include "support.h"

using namespace video_depth;

namespace {

constexpr PixelFormat kFormats[] = {PixelFormat::kRgb24,  PixelFormat::kBgr24, PixelFormat::kRgba,
                                    PixelFormat::kBgra,   PixelFormat::kGray8, PixelFormat::kNv12,
                                    PixelFormat::kYuyv422};

struct Yuv {
  int y, u, v;
};

/// The textbook formula for red, green or blue.
double ideal(const Yuv& yuv, ColorMatrix matrix, ColorRange range, int channel) {
  const double kr = matrix == ColorMatrix::kBt601 ? 0.299 : 0.2126;
  const double kb = matrix == ColorMatrix::kBt601 ? 0.114 : 0.0722;
  const bool limited = range == ColorRange::kLimited;
  const double y = limited ? (yuv.y - 16) * 255 / 219.0 : yuv.y;
  const double b = (yuv.u - 128) * (limited ? 255 / 224.0 : 1) * 2 * (1 - kb);
  const double r = (yuv.v - 128) * (limited ? 255 / 224.0 : 1) * 2 * (1 - kr);
  if (channel == 0) return y + r;
  return channel == 2 ? y + b : y - (kr * r + kb * b) / (1 - kr - kb);
}

/// Bytes of a picture and a view of them. The gap after a row is noise, too: nobody may look at it.
struct Picture {
  Picture(PixelFormat format, int width, int height, size_t gap = 0, uint32_t seed = 1)
      : view{nullptr, 0, width, height, format, row_bytes(format, width) + gap} {
    for (const float value : test::noise(picture_bytes(view), seed)) {
      data.push_back(static_cast<uint8_t>(value * 256));
    }
    view.data = data.data();
    view.length = data.size();
  }

  int at(size_t row, size_t byte) const { return data[row * view.stride_bytes + byte]; }

  /// Red, green or blue before rounding.
  double ideal_at(size_t x, size_t y, int channel) const {
    const auto c = static_cast<size_t>(channel);
    const auto height = static_cast<size_t>(view.height);
    const auto yuv = [&](const Yuv& sample) { return ideal(sample, view.matrix, view.range, channel); };
    switch (view.format) {
      case PixelFormat::kRgb24:
        return at(y, 3 * x + c);
      case PixelFormat::kBgr24:
        return at(y, 3 * x + 2 - c);
      case PixelFormat::kRgba:
        return at(y, 4 * x + c);
      case PixelFormat::kBgra:
        return at(y, 4 * x + 2 - c);
      case PixelFormat::kGray8:
        return yuv({at(y, x), 128, 128});
      case PixelFormat::kNv12:
        return yuv({at(y, x), at(height + y / 2, x / 2 * 2), at(height + y / 2, x / 2 * 2 + 1)});
      case PixelFormat::kYuyv422:
        return yuv({at(y, 2 * x), at(y, x / 2 * 4 + 1), at(y, x / 2 * 4 + 3)});
    }
    return std::nan("");
  }

  std::vector<uint8_t> data;
  PictureView view;
};

/// What `value` rounds to, and so does what is 1e-6 from it.
bool rounds_to(double value, uint8_t found) {
  const auto round = [](double x) { return std::clamp(std::floor(x + 0.5), 0.0, 255.0); };
  return round(value - 1e-6) == found || round(value + 1e-6) == found;
}

} // namespace

TEST_CASE("to_rgb: the textbook formula, rounded, in every format at awkward sizes and strides") {
  struct Size {
    int width, height;
  };
  for (const PixelFormat format : kFormats) {
    for (const Size& size : {Size{1, 1}, Size{3, 1}, Size{1, 3}, Size{2, 2}, Size{5, 7}, Size{67, 33}}) {
      for (const size_t gap : {0, 1, 13}) {
        Picture picture(format, size.width, size.height, gap);
        for (const ColorMatrix matrix : {ColorMatrix::kBt601, ColorMatrix::kBt709}) {
          for (const ColorRange range : {ColorRange::kLimited, ColorRange::kFull}) {
            picture.view.matrix = matrix;
            picture.view.range = range;
            constexpr uint8_t sentinel = 0xA5;
            const auto bytes = static_cast<size_t>(3 * size.width * size.height);
            std::vector<uint8_t> out(bytes + 32, sentinel);
            to_rgb(picture.view, out.data() + 16, bytes, 2);
            for (size_t i = 0; i < 16; i++) {
              CHECK(out[i] == sentinel);
              CHECK(out[16 + bytes + i] == sentinel);
            }
            size_t wrong = 0;
            for (size_t i = 0; i < bytes; i++) {
              const auto width = static_cast<size_t>(size.width);
              const double expected = picture.ideal_at(i / 3 % width, i / 3 / width, static_cast<int>(i % 3));
              wrong += rounds_to(expected, out[16 + i]) ? 0 : 1;
            }
            CAPTURE(static_cast<int>(format));
            CAPTURE(size.width);
            CHECK(wrong == 0);
          }
        }
      }
    }
  }
}

TEST_CASE("to_rgb: luma by every third chroma, correctly rounded") {
  for (const ColorMatrix matrix : {ColorMatrix::kBt601, ColorMatrix::kBt709}) {
    for (const ColorRange range : {ColorRange::kLimited, ColorRange::kFull}) {
      size_t wrong = 0;
      for (int u = 0; u < 256; u += 3) {
        for (int v = 0; v < 256; v += 3) {
          std::vector<uint8_t> row(512);
          for (size_t i = 0; i < 256; i++) {
            row[2 * i] = static_cast<uint8_t>(i);
            row[2 * i + 1] = static_cast<uint8_t>(i % 2 == 0 ? u : v);
          }
          uint8_t out[3 * 256];
          to_rgb({row.data(), row.size(), 256, 1, PixelFormat::kYuyv422, 512, matrix, range}, out, sizeof out,
                 1);
          for (int i = 0; i < 3 * 256; i++) {
            wrong += rounds_to(ideal({i / 3, u, v}, matrix, range, i % 3), out[i]) ? 0 : 1;
          }
        }
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("to_rgb: known colours") {
  const auto rgb = [](const Yuv& yuv, ColorMatrix matrix, ColorRange range) {
    const uint8_t row[4] = {static_cast<uint8_t>(yuv.y), static_cast<uint8_t>(yuv.u),
                            static_cast<uint8_t>(yuv.y), static_cast<uint8_t>(yuv.v)};
    std::vector<uint8_t> out(3);
    to_rgb({row, 4, 1, 1, PixelFormat::kYuyv422, 4, matrix, range}, out.data(), 3, 1);
    return out;
  };
  using Bytes = std::vector<uint8_t>;
  CHECK(rgb({16, 128, 128}, ColorMatrix::kBt601, ColorRange::kLimited) == Bytes{0, 0, 0});
  CHECK(rgb({235, 128, 128}, ColorMatrix::kBt709, ColorRange::kLimited) == Bytes{255, 255, 255});
  CHECK(rgb({81, 90, 240}, ColorMatrix::kBt601, ColorRange::kLimited) == Bytes{254, 0, 0});
  CHECK(rgb({63, 102, 240}, ColorMatrix::kBt709, ColorRange::kLimited) == Bytes{255, 1, 0});
  CHECK(rgb({255, 128, 128}, ColorMatrix::kBt601, ColorRange::kFull) == Bytes{255, 255, 255});
  CHECK(rgb({0, 0, 0}, ColorMatrix::kBt601, ColorRange::kFull) == Bytes{0, 135, 0});
}

TEST_CASE("to_rgb: the same bytes whatever the number of threads") {
  for (const PixelFormat format : kFormats) {
    const Picture picture(format, 71, 83);
    std::vector<uint8_t> once(3 * 71 * 83), spread(once.size());
    to_rgb(picture.view, once.data(), once.size(), 1);
    to_rgb(picture.view, spread.data(), spread.size(), 5);
    CHECK(once == spread);
  }
}

TEST_CASE("picture_bytes: as lib/pixel-format.ts counts them") {
  const auto bytes = [](PixelFormat format, int width, int height, size_t gap) {
    return picture_bytes({nullptr, 0, width, height, format, row_bytes(format, width) + gap});
  };
  CHECK(bytes(PixelFormat::kRgb24, 3, 2, 1) == 19);
  CHECK(bytes(PixelFormat::kBgra, 3, 2, 0) == 24);
  CHECK(bytes(PixelFormat::kGray8, 3, 2, 5) == 11);
  CHECK(bytes(PixelFormat::kNv12, 4, 2, 0) == 12);
  CHECK(bytes(PixelFormat::kNv12, 3, 3, 2) == 6 * 4 + 4);
  CHECK(bytes(PixelFormat::kNv12, 1, 1, 0) == 4);
  CHECK(bytes(PixelFormat::kYuyv422, 3, 2, 0) == 16);
}

TEST_CASE("to_rgb: what does not fit is refused before anything is written") {
  const Picture picture(PixelFormat::kNv12, 5, 3);
  std::vector<uint8_t> out(45, 7);
  PictureView bad = picture.view;
  const auto run = [&](int threads = 1, size_t length = 45) { to_rgb(bad, out.data(), length, threads); };
  SUBCASE("sides") {
    bad.height = 0;
    CHECK_THROWS_WITH_AS(run(), "Expected an integer from 1 to 32768 for picture.height, received 0", Error);
  }
  SUBCASE("a row of odd width takes one byte more") {
    bad.stride_bytes = 5;
    CHECK_THROWS_WITH_AS(run(), "Expected 6 to 2147483647 bytes a row for picture.strideBytes, received 5",
                         Error);
  }
  SUBCASE("one byte too few") {
    bad.length = 29;
    CHECK_THROWS_WITH_AS(run(), "Expected at least 30 bytes for picture.data, received 29", Error);
  }
  SUBCASE("no bytes") {
    bad.data = nullptr;
    CHECK_THROWS_AS(run(), Error);
  }
  SUBCASE("no threads") {
    CHECK_THROWS_WITH_AS(run(0), "Expected an integer from 1 to 256 for threads, received 0", Error);
  }
  SUBCASE("a result of another size") {
    CHECK_THROWS_WITH_AS(run(1, 44), "Expected 45 bytes for out, received 44", Error);
  }
  SUBCASE("a result inside the picture") {
    bad.data = out.data() + 44;
    CHECK_THROWS_WITH_AS(
        run(), "Expected memory apart from the picture's for out, received memory that overlaps it", Error);
  }
  CHECK(out == std::vector<uint8_t>(45, 7));
}

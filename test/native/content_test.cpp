// Owns: tests of content differences, against values from OpenCV 5.0.
// Must not know: cuts.

#include "image/content.h"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include "error.h"
#include "image/linear_rows.h"
#include "support.h"

using namespace video_depth;

namespace {

/// Gradients, textures and checks; test/unit/content-meter.test.ts has the same one.
std::vector<uint8_t> procedural(int width, int height, int seed) {
  std::vector<uint8_t> rgb;
  for (int y = 0; y < height; y++) {
    for (int x = 0; x < width; x++) {
      rgb.push_back(static_cast<uint8_t>(x * 3 + y * 5 + seed * 40));
      rgb.push_back(static_cast<uint8_t>(x * y + seed * 97));
      rgb.push_back(static_cast<uint8_t>(x * 7 / 3 + y * 2 + (x / 16 + y / 16) % 2 * 90 * seed));
    }
  }
  return rgb;
}

PictureView view_of(const std::vector<uint8_t>& rgb, int width, int height) {
  return {rgb.data(), rgb.size(), width, height, PixelFormat::kRgb24, static_cast<size_t>(3 * width)};
}

std::vector<uint8_t> shrunk(const std::vector<uint8_t>& rgb, int in_width, int in_height, int width,
                            int height) {
  LinearRows rows(view_of(rgb, in_width, in_height), width, height);
  std::vector<uint8_t> out;
  for (int y = 0; y < height; y++) {
    const uint8_t* row = rows.row(y);
    out.insert(out.end(), row, row + 3 * width);
  }
  return out;
}

std::vector<int> hsv(uint8_t red, uint8_t green, uint8_t blue) {
  const uint8_t rgb[3] = {red, green, blue};
  uint8_t hue, saturation, value;
  to_hsv(rgb, &hue, &saturation, &value, 1);
  return {hue, saturation, value};
}

} // namespace

TEST_CASE("to_hsv: OpenCV's values") {
  using Ints = std::vector<int>;
  CHECK(hsv(0, 0, 0) == Ints{0, 0, 0});
  CHECK(hsv(255, 255, 255) == Ints{0, 0, 255});
  CHECK(hsv(255, 0, 0) == Ints{0, 255, 255});
  CHECK(hsv(0, 255, 0) == Ints{60, 255, 255});
  CHECK(hsv(0, 0, 255) == Ints{120, 255, 255});
  CHECK(hsv(12, 200, 77) == Ints{70, 240, 200});
  CHECK(hsv(200, 190, 191) == Ints{177, 13, 200});

  std::vector<uint8_t> rgb;
  for (int red = 0; red < 256; red += 5) {
    for (int green = 0; green < 256; green += 5) {
      for (int blue = 0; blue < 256; blue += 5) {
        for (const int channel : {red, green, blue}) rgb.push_back(static_cast<uint8_t>(channel));
      }
    }
  }
  const size_t count = rgb.size() / 3;
  std::vector<uint8_t> hue(count), saturation(count), value(count);
  to_hsv(rgb.data(), hue.data(), saturation.data(), value.data(), count);
  const auto checksum = [](const std::vector<uint8_t>& plane) {
    uint64_t sum = 0;
    for (size_t i = 0; i < plane.size(); i++) sum += plane[i] * (i % 1009);
    return sum;
  };
  CHECK(checksum(hue) == 6304562363);
  CHECK(checksum(saturation) == 12192125339);
  CHECK(checksum(value) == 13615471725);
}

TEST_CASE("LinearRows: OpenCV's values") {
  CHECK(shrunk(procedural(7, 5, 1), 7, 5, 3, 2) ==
        std::vector<uint8_t>{45, 97, 3, 53, 99, 9, 60, 101, 14, 58, 99, 8, 65, 107, 14, 72, 114, 19});
  const auto large = shrunk(procedural(333, 77, 1), 333, 77, 256, 59);
  uint64_t sum = 0;
  for (size_t i = 0; i < large.size(); i++) sum += large[i] * (i % 1009);
  CHECK(sum == 2913449618);
}

TEST_CASE("LinearRows: the same size is a copy") {
  for (const auto& [width, height] : {std::pair{1, 1}, std::pair{3, 1}, std::pair{31, 17}}) {
    const auto rgb = procedural(width, height, 2);
    CHECK(shrunk(rgb, width, height, width, height) == rgb);
  }
}

TEST_CASE("content_size: PySceneDetect's rule") {
  const auto check = [](int width, int height, int expected_width, int expected_height) {
    const PixelSize size = content_size(width, height);
    CHECK(size.width == expected_width);
    CHECK(size.height == expected_height);
  };
  check(1, 1, 1, 1);
  check(255, 40, 255, 40);
  check(256, 256, 256, 256);
  check(257, 257, 256, 256);
  check(1280, 720, 256, 144);
  check(77, 333, 59, 256);
  check(32768, 1, 256, 1);
  check(512, 5, 256, 2); // 2.5 and 3.5 go to the even number
  check(512, 7, 256, 4);
}

TEST_CASE("ContentMeter: OpenCV's differences") {
  struct Case {
    int width, height;
    double hue, saturation, value; // sums over the shrunk picture
    int pixels;
  };
  for (const Case& c :
       {Case{1, 1, 48, 255, 97, 1}, Case{3, 1, 275, 271, 282, 3}, Case{101, 67, 393382, 427343, 331451, 6767},
        Case{256, 256, 3823679, 4329218, 3520105, 65536}, Case{300, 200, 2358478, 2600881, 1978766, 43776},
        Case{512, 384, 2565165, 2828320, 2119171, 49152}, Case{77, 333, 835880, 928342, 684357, 15104},
        Case{1280, 720, 2141463, 2436502, 1975386, 36864}}) {
    ContentMeter meter;
    const auto first = procedural(c.width, c.height, 0), second = procedural(c.width, c.height, 1);
    CHECK_FALSE(meter.measure(view_of(first, c.width, c.height)));
    const auto difference = meter.measure(view_of(second, c.width, c.height));
    REQUIRE(difference);
    CAPTURE(c.width);
    CHECK(difference->hue == c.hue / c.pixels);
    CHECK(difference->saturation == c.saturation / c.pixels);
    CHECK(difference->value == c.value / c.pixels);
  }
}

TEST_CASE("ContentMeter: any format is measured as its RGB") {
  const int width = 301, height = 203;
  const auto gray = procedural(width, height, 3);
  std::vector<uint8_t> rgb;
  for (size_t i = 0; i < static_cast<size_t>(width * height); i++) rgb.insert(rgb.end(), 3, gray[i]);
  ContentMeter meter;
  meter.measure(view_of(rgb, width, height));
  const auto difference = meter.measure({gray.data(), gray.size(), width, height, PixelFormat::kGray8,
                                         static_cast<size_t>(width), ColorMatrix::kBt601, ColorRange::kFull});
  REQUIRE(difference);
  CHECK(difference->hue + difference->saturation + difference->value == 0);
}

TEST_CASE("ContentMeter: what it remembers") {
  const auto a = procedural(40, 30, 0), b = procedural(40, 30, 1);
  ContentMeter meter;
  CHECK_FALSE(meter.measure(view_of(a, 40, 30)));
  CHECK(meter.measure(view_of(a, 40, 30))->value == 0);
  const double difference = meter.measure(view_of(b, 40, 30))->value;
  CHECK(difference > 0);
  SUBCASE("nothing after a reset") {
    meter.reset();
    CHECK_FALSE(meter.measure(view_of(a, 40, 30)));
  }
  SUBCASE("another size is another beginning") {
    CHECK_FALSE(meter.measure(view_of(a, 30, 40)));
    CHECK_FALSE(meter.measure(view_of(a, 40, 30)));
    CHECK(meter.measure(view_of(b, 40, 30))->value == difference);
  }
  SUBCASE("a picture that is refused leaves it as it was") {
    PictureView bad = view_of(a, 40, 30);
    bad.length--;
    CHECK_THROWS_WITH_AS(meter.measure(bad), "Expected at least 3600 bytes for picture.data, received 3599",
                         Error);
    CHECK(meter.measure(view_of(a, 40, 30))->value == difference);
  }
}

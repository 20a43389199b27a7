// Owns: tests of bilinear upsampling.
// Must not know: stitching.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "image/bilinear.h"
#include "support.h"

using namespace video_depth;

namespace {

struct Size {
  int in_width, in_height, width, height;
};

void upsample(const Size& size, const std::vector<float>& map, float* out, int first_row = 0, int step = 1) {
  const BilinearGeometry geometry(size.in_width, size.in_height, size.width, size.height);
  std::vector<float> scratch(UpsampledRows::scratch_size(geometry));
  UpsampledRows rows(geometry, map.data(), scratch.data());
  for (int i = 0, y = first_row; i < size.height; i++, y += step) {
    write_scaled(rows.row(y), 1, 0, out + static_cast<size_t>(y) * static_cast<size_t>(size.width),
                 size.width);
  }
}

constexpr Size kSizes[] = {{1, 1, 1, 1},     {1, 1, 7, 5},       {5, 1, 11, 1},   {1, 5, 1, 13},
                           {2, 2, 3, 3},     {14, 14, 1, 1},     {13, 7, 29, 31}, {29, 31, 13, 7},
                           {28, 14, 28, 14}, {126, 70, 128, 72}, {17, 3, 640, 97}};

} // namespace

TEST_CASE("upsample: the naive float64 rule, at awkward sizes") {
  for (const Size& size : kSizes) {
    const auto map = test::noise(static_cast<size_t>(size.in_width * size.in_height), 7);
    test::Guarded out(static_cast<size_t>(size.width * size.height));
    upsample(size, map, out.data());
    const auto expected = test::naive_upsample(map, size.in_width, size.in_height, size.width, size.height);
    CAPTURE(size.in_width);
    CAPTURE(size.width);
    CHECK(out.guards_intact());
    CHECK(out.all_written());
    // float32 positions up to 640 round by 3e-5 of a pixel, over steps of at most 1
    for (size_t i = 0; i < expected.size(); i++) CHECK(std::abs(out.data()[i] - expected[i]) < 1e-4);
  }
}

TEST_CASE("upsample: rows may be asked for in any order") {
  const Size size{9, 5, 31, 23};
  const auto map = test::noise(45, 3);
  test::Guarded upwards(31 * 23), downwards(31 * 23);
  upsample(size, map, upwards.data());
  upsample(size, map, downwards.data(), 22, -1);
  CHECK(test::same_bits(upwards.values(), downwards.values()));
}

TEST_CASE("upsample: the four corners are the map's, the same size is a copy") {
  const auto map = test::noise(6 * 4, 1);
  std::vector<float> out(19 * 11), copy(24);
  upsample({6, 4, 19, 11}, map, out.data());
  CHECK(out.front() == map.front());
  CHECK(out[18] == map[5]);
  CHECK(out[19 * 10] == doctest::Approx(map[18]));
  CHECK(out.back() == doctest::Approx(map.back()));
  upsample({6, 4, 6, 4}, map, copy.data());
  CHECK(test::same_bits(copy, map));
}

TEST_CASE("write_scaled: what is negative becomes 0, NaN stays NaN, infinity stays infinite") {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> row = {-1, 0, 2, std::nanf(""), infinity, -infinity};
  std::vector<float> out(row.size());
  write_scaled({row.data(), row.data(), 1, 0}, 2, 1, out.data(), 3);
  CHECK(out[0] == 0);
  CHECK(out[1] == 1);
  CHECK(out[2] == 5);
  // The other neighbour's weight is 0, but 0 · infinity is NaN, so the plain values are given on both sides.
  const std::vector<float> zeros(row.size());
  write_scaled({row.data(), zeros.data(), 1, 0}, 2, 1, out.data(), 6);
  CHECK(std::isnan(out[3]));
  CHECK(out[4] == infinity);
  CHECK(out[5] == 0);
}

// Owns: tests of bringing one map to another size.
// Must not know: stitching.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "error.h"
#include "image/upsample.h"
#include "support.h"

using namespace video_depth;

TEST_CASE("map upsample: the naive rule, scaled, shifted and clamped, at awkward sizes") {
  struct Size {
    int in_width, in_height, width, height;
  };
  for (const Size& size : {Size{1, 1, 1, 1}, Size{1, 1, 5, 3}, Size{3, 1, 7, 5}, Size{13, 7, 29, 51}}) {
    const auto map = test::noise(static_cast<size_t>(size.in_width * size.in_height), 3);
    test::Guarded out(static_cast<size_t>(size.width * size.height));
    const uint64_t non_finite = upsample({map.data(), map.size(), size.in_width, size.in_height},
                                         {out.data(), out.size(), size.width, size.height}, 4, -2, 2);
    CHECK(non_finite == 0);
    CHECK(out.guards_intact());
    CHECK(out.all_written());
    const auto plain = test::naive_upsample(map, size.in_width, size.in_height, size.width, size.height);
    for (size_t i = 0; i < plain.size(); i++) {
      // float32 positions, times a scale of 4
      CHECK(std::abs(out.data()[i] - std::max(0.0, 4 * plain[i] - 2)) < 1e-4);
    }
  }
}

TEST_CASE("map upsample: the same bits whatever the number of threads") {
  const auto map = test::noise(31 * 17, 5);
  const auto run = [&](int threads) {
    std::vector<float> out(131 * 97);
    upsample({map.data(), map.size(), 31, 17}, {out.data(), out.size(), 131, 97}, 1, 0, threads);
    return out;
  };
  CHECK(test::same_bits(run(1), run(7)));
}

TEST_CASE("map upsample: what is not finite is counted, and NaN stays NaN") {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> map = {1, std::nanf(""), 3, infinity, 5, -infinity};
  std::vector<float> out(6);
  CHECK(upsample({map.data(), 6, 3, 2}, {out.data(), 6, 3, 2}, 1, 0, 1) == 3);
  CHECK(std::isnan(out[1]));
}

TEST_CASE("map upsample: what does not fit is refused before anything is written") {
  const auto map = test::noise(6, 1);
  test::Guarded out(20);
  SourceMap from{map.data(), 6, 3, 2};
  TargetMap to{out.data(), 20, 5, 4};
  int threads = 1;
  const char* message = "";
  SUBCASE("map") {
    from.length = 5;
    message = "Expected 6 values for map, received 5";
  }
  SUBCASE("mapWidth") {
    from.width = 0;
    message = "Expected an integer from 1 to 32768 for mapWidth, received 0";
  }
  SUBCASE("out") {
    to.length = 21;
    message = "Expected 20 values for out, received 21";
  }
  SUBCASE("outHeight") {
    to.height = 32769;
    message = "Expected an integer from 1 to 32768 for outHeight, received 32769";
  }
  SUBCASE("threads") {
    threads = 257;
    message = "Expected an integer from 1 to 256 for threads, received 257";
  }
  SUBCASE("overlap") {
    from.data = out.data() + 19;
    message = "Expected memory apart from the map's for out, received memory that overlaps it";
  }
  CHECK_THROWS_WITH_AS(upsample(from, to, 1, 0, threads), message, Error);
  CHECK_FALSE(out.all_written());
  CHECK(out.guards_intact());
}

// Owns: tests that seeds give the same numbers everywhere, and that what is drawn keeps to its range.
// Must not know: what is drawn by them.

#include "scene/random.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace video_depth::scene;

TEST_CASE("scene: a seed's numbers are the generator's, worked out with whole numbers of any size") {
  Random one(1), large(uint64_t{1} << 63);
  for (const uint32_t expected : {0xa4ee282dU, 0x429fd3beU, 0x235c546cU}) CHECK(one.bits() == expected);
  for (const uint32_t expected : {0xf54eb08aU, 0xb6c99351U}) CHECK(large.bits() == expected);
}

TEST_CASE("scene: what takes two draws takes them in one order") {
  Random a(7), b(7);
  const float radius = std::sqrt(-2 * std::log(1 - b.next()));
  CHECK(a.normal() == radius * std::cos(2 * kPi * b.next()));
  const float side = b.sign();
  CHECK(a.aside(2, 3) == side * b.between(2, 3));
  CHECK(a.bits() == b.bits());
}

TEST_CASE("scene: ranges") {
  Random random(3);
  bool low = false, high = false;
  for (int i = 0; i < 1000; i++) {
    const int whole = random.whole(-1, 2);
    CHECK(whole >= -1);
    CHECK(whole <= 2);
    low = low || whole == -1;
    high = high || whole == 2;
    const float aside = std::fabs(random.aside(0.5f, 0.75f));
    CHECK(aside >= 0.5f);
    CHECK(aside <= 0.75f);
    CHECK(length(random.direction()) == doctest::Approx(1).epsilon(1e-5));
    const Vec3 p{random.between(-9, 9), random.between(-9, 9), random.between(-9, 9)};
    CHECK(fractal_noise(p, 4, 5) >= 0);
    CHECK(fractal_noise(p, 4, 5) <= 1);
  }
  CHECK(low);
  CHECK(high);
}

// Owns: tests of the kernels' CPU references, against rules written out here.
// Must not know: CUDA's headers, the kernels.

#include "cuda/reference.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "cuda/float16.h"
#include "image/pixel_format.h"
#include "image/preprocess.h"
#include "support.h"

using namespace video_depth;
using namespace video_depth::cuda;

namespace {

constexpr float kInfinite = std::numeric_limits<float>::infinity();

std::vector<uint16_t> to_float16(const std::vector<float>& values) {
  std::vector<uint16_t> out(values.size());
  REQUIRE(reference::convert(values.data(), out.data(), OutputType::kFloat16, values.size(), 1, 0));
  return out;
}

std::vector<uint16_t> to_uint16(const std::vector<float>& values, float scale = 1, float offset = 0) {
  std::vector<uint16_t> out(values.size());
  REQUIRE(reference::convert(values.data(), out.data(), OutputType::kUint16, values.size(), scale, offset));
  return out;
}

} // namespace

TEST_CASE("float16: every value there and back") {
  int wrong = 0;
  for (unsigned bits = 0; bits < 65536; bits++) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = float16_value(half);
    if ((bits & 0x7fffu) > 0x7c00u) {
      wrong += std::isnan(value) && float16_bits(value) == 0x7fff ? 0 : 1;
    } else {
      wrong += float16_bits(value) == half ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
  CHECK(float16_value(0x3c00) == 1.0f);
  CHECK(float16_value(0x0001) == std::ldexp(1.0f, -24));
  CHECK(float16_value(0x03ff) == std::ldexp(1023.0f, -24));
  CHECK(float16_value(0x7bff) == 65504.0f);
  CHECK(float16_value(0xfc00) == -kInfinite);
}

TEST_CASE("float16: between two values the nearer one, in the middle the even one") {
  int wrong = 0;
  for (unsigned bits = 0; bits < 0x7bff; bits++) {
    const float low = float16_value(static_cast<uint16_t>(bits));
    const float high = float16_value(static_cast<uint16_t>(bits + 1));
    const float middle = low + (high - low) / 2; // exact
    const unsigned even = bits % 2 == 0 ? bits : bits + 1;
    for (const float sign : {1.0f, -1.0f}) {
      const unsigned sign_bit = sign < 0 ? 0x8000u : 0u;
      wrong += float16_bits(sign * middle) == (even | sign_bit) ? 0 : 1;
      wrong += float16_bits(sign * std::nextafter(middle, low)) == (bits | sign_bit) ? 0 : 1;
      wrong += float16_bits(sign * std::nextafter(middle, high)) == ((bits + 1) | sign_bit) ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
  CHECK(float16_bits(std::nextafter(65520.0f, 0.0f)) == 0x7bff);
  CHECK(float16_bits(65520.0f) == 0x7c00);
  CHECK(float16_bits(3.4e38f) == 0x7c00);
  CHECK(float16_bits(-kInfinite) == 0xfc00);
  CHECK(float16_bits(1e-45f) == 0);
  CHECK(float16_bits(-0.0f) == 0x8000);
}

TEST_CASE("convert: float16, uint16 and scaled float32") {
  CHECK(to_float16({1, -2, 65504, 65520}) == std::vector<uint16_t>{0x3c00, 0xc000, 0x7bff, 0x7c00});
  CHECK(to_uint16({0.5f, 1.5f, 2.5f, 65534.5f, 65535.5f, 1e9f, -1, -kInfinite, kInfinite, std::nanf("")}) ==
        std::vector<uint16_t>{0, 2, 2, 65534, 65535, 65535, 0, 0, 65535, 0});
  CHECK(to_uint16({0, 0.5f, 1}, 1000, 7) == std::vector<uint16_t>{7, 507, 1007});
  const float in[] = {1, -2, kInfinite};
  float out[3];
  REQUIRE(reference::convert(in, out, OutputType::kFloat32, 3, -0.5f, 4));
  CHECK(out[0] == 3.5f);
  CHECK(out[1] == 5.0f);
  CHECK(out[2] == -kInfinite);
  CHECK_FALSE(reference::convert(nullptr, out, OutputType::kFloat32, 3, 1, 0));
}

TEST_CASE("health: what is not finite, and the extremes of what is") {
  const float maps[] = {
      1, std::nanf(""), -3, kInfinite, kInfinite, -kInfinite, std::nanf(""), kInfinite, 5, 5, 5, 5};
  MapHealth health[3];
  REQUIRE(reference::health(maps, 3, 4, health));
  CHECK(health[0].non_finite == 2);
  CHECK(health[0].least == -3);
  CHECK(health[0].most == 1);
  CHECK(health[1].non_finite == 4);
  CHECK(health[1].least == kInfinite);
  CHECK(health[1].most == -kInfinite);
  CHECK(health[2].non_finite == 0);
  CHECK(health[2].least == 5);
  CHECK(health[2].most == 5);
  CHECK_FALSE(reference::health(maps, -1, 4, health));
}

TEST_CASE("write state: the slots that are asked for, and no other, unless the gate is closed") {
  const float state[] = {1, 2, 3, 4}; // 2 pixels of 2
  std::vector<float> memory(2 * 4 * 2, 0.0f);
  const MapHealth fine{0, 0, 1}, broken{3, 0, 1};
  REQUIRE(reference::write_state(state, memory.data(), Element::kFloat32, 2, 4, 2, 1, 2, 2, &broken));
  CHECK(memory == std::vector<float>(16, 0.0f));
  REQUIRE(reference::write_state(state, memory.data(), Element::kFloat32, 2, 4, 2, 1, 2, 2, &fine));
  CHECK(memory == std::vector<float>{0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 3, 4});
  const uint16_t narrow[] = {7, 8};
  std::vector<uint16_t> halves(2 * 3, 0);
  REQUIRE(reference::write_state(narrow, halves.data(), Element::kFloat16, 2, 3, 1, 0, 1, 2, nullptr));
  CHECK(halves == std::vector<uint16_t>{7, 7, 0, 8, 8, 0});
  CHECK_FALSE(reference::write_state(state, memory.data(), Element::kFloat32, 2, 4, 2, 1, 2, 3, nullptr));
}

TEST_CASE("copy blocks: each to its place") {
  const uint32_t from[] = {1, 2, 3, 4};
  uint32_t to[5] = {};
  const BlockCopy copies[] = {{from, to + 3}, {from + 2, to}};
  REQUIRE(reference::copy_blocks(copies, 2, 8));
  CHECK(std::vector<uint32_t>(to, to + 5) == std::vector<uint32_t>{3, 4, 0, 1, 2});
  CHECK_FALSE(reference::copy_blocks(copies, 2, 7));
}

TEST_CASE("fit: what made the target is found") {
  const int in = 14, width = 37, height = 23;
  const std::vector<float> maps[] = {test::noise(in * in, 1), test::noise(in * in, 2)};
  std::vector<std::vector<float>> targets;
  std::vector<FitPair> pairs;
  for (const auto& map : maps) {
    std::vector<float> target;
    for (const double value : test::naive_upsample(map, in, in, width, height)) {
      target.push_back(static_cast<float>(2.5 * value - 0.25));
    }
    targets.push_back(target);
  }
  for (size_t i = 0; i < 2; i++) pairs.push_back({maps[i].data(), targets[i].data()});
  DeviceFit fit{};
  REQUIRE(reference::fit(pairs.data(), 2, {in, in}, {width, height}, &fit));
  // float32 upsampling and targets
  CHECK(fit.scale == doctest::Approx(2.5).epsilon(1e-6));
  CHECK(fit.shift == doctest::Approx(-0.25).epsilon(1e-6));
  CHECK(fit.degenerate == 0);
  REQUIRE(reference::fit(nullptr, 0, {in, in}, {width, height}, &fit));
  CHECK(fit.scale == 1);
  CHECK(fit.degenerate == 0);
  REQUIRE(reference::map_fit(targets[0].data(), targets[0].data(), targets[0].size(), &fit));
  CHECK(fit.scale == doctest::Approx(1));
  CHECK(fit.correlation == doctest::Approx(1));
}

TEST_CASE("write frames: new, blended, held") {
  const int in = 14, width = 37, height = 23;
  const std::vector<float> map = test::noise(in * in, 1), held = test::noise(width * height, 2);
  const std::vector<double> upsampled = test::naive_upsample(map, in, in, width, height);
  test::Guarded fresh(held.size()), blended(held.size()), kept(held.size());
  const FrameJob jobs[] = {{map.data(), nullptr, fresh.data(), 1},
                           {map.data(), held.data(), blended.data(), 0.25},
                           {nullptr, held.data(), kept.data(), 1}};
  const DeviceFit fit{3, -1, 0, 0};
  REQUIRE(reference::write_frames(jobs, 3, {in, in}, {width, height}, &fit));
  for (size_t i = 0; i < held.size(); i++) {
    const double expected = std::max(0.0, 3 * upsampled[i] - 1);
    // float32 coordinates and products
    CHECK(fresh.data()[i] == doctest::Approx(expected).epsilon(1e-5));
    CHECK(blended.data()[i] ==
          doctest::Approx(0.75 * static_cast<double>(held[i]) + 0.25 * expected).epsilon(1e-5));
  }
  CHECK(test::same_bits(kept.values(), held));
  CHECK(fresh.guards_intact());
  CHECK(blended.guards_intact());
  CHECK(kept.guards_intact());

  std::vector<float> in_place = held;
  const FrameJob job{map.data(), in_place.data(), in_place.data(), 0.25};
  REQUIRE(reference::write_frames(&job, 1, {in, in}, {width, height}, &fit));
  CHECK(test::same_bits(in_place, blended.values()));
  CHECK_FALSE(reference::write_frames(jobs, 3, {in, in}, {0, height}, &fit));
}

TEST_CASE("preprocess: float16 of what float32 gives") {
  std::vector<uint8_t> data;
  for (const float value : test::noise(37 * 23 * 3, 4)) data.push_back(static_cast<uint8_t>(value * 256));
  const PictureView picture{data.data(), data.size(), 37, 23, PixelFormat::kBgr24, 37 * 3};
  std::vector<float> wide(3 * 28 * 14), direct(wide.size());
  std::vector<uint16_t> narrow(wide.size());
  REQUIRE(reference::preprocess(picture, wide.data(), Element::kFloat32, {28, 14}));
  REQUIRE(reference::preprocess(picture, narrow.data(), Element::kFloat16, {28, 14}));
  preprocess(picture, {direct.data(), direct.size(), 28, 14}, 1);
  CHECK(test::same_bits(wide, direct));
  CHECK(narrow == to_float16(wide));
  CHECK_FALSE(reference::preprocess(picture, narrow.data(), Element::kFloat16, {0, 14}));
}

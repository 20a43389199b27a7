// Owns: cases of the kernels that look at values or convert them.
// Must not know: where kernels run.

#include <cmath>
#include <limits>

#include "cuda/float16.h"
#include "cuda/reference.h"
#include "kernels/cases.h"

namespace kernel_test {

namespace {

constexpr float kInfinite = std::numeric_limits<float>::infinity();
constexpr size_t kSizes[] = {1,    2,    3,    4,    5,    7,    31,   255,    256,
                             1023, 1024, 1025, 4095, 4096, 4097, 8192, 100003, 518 * 518};

bool same_health(const MapHealth& a, const MapHealth& b) {
  return a.non_finite == b.non_finite && a.least == b.least && a.most == b.most;
}

void check_health(Tally& tally, const std::vector<float>& maps, int count, size_t offset,
                  const std::string& name) {
  const size_t values = maps.size() / static_cast<size_t>(count);
  std::vector<MapHealth> expected(static_cast<size_t>(count));
  tally.check(reference::health(maps.data(), count, values, expected.data()), name + ": reference");
  const Input<float> input(maps, offset);
  for (int turn = 0; turn < 2; turn++) {
    Output<MapHealth> health(expected.size());
    tally.check(run_health(input.data(), count, values, health.data()), name + ": launched");
    tally.check(health.guards_intact(), name + ": sentinels");
    const std::vector<MapHealth> found = health.values();
    for (size_t i = 0; i < expected.size(); i++) {
      tally.check(same_health(found[i], expected[i]), name + ": map " + std::to_string(i));
    }
  }
}

struct Conversion {
  OutputType type;
  float scale, offset;
};

constexpr Conversion kConversions[] = {{OutputType::kFloat32, 1, 0},    {OutputType::kFloat32, -2.5f, 0.125f},
                                       {OutputType::kFloat16, 1, 0},    {OutputType::kFloat16, 70000, -10},
                                       {OutputType::kUint16, 65535, 0}, {OutputType::kUint16, 70000, -1000},
                                       {OutputType::kUint16, 1, 0}};

std::vector<float> as_floats(const std::vector<float>& values, OutputType) {
  return values;
}

/// uint16 as it is; NaN of float16 in one form.
std::vector<float> as_floats(const std::vector<uint16_t>& values, OutputType type) {
  std::vector<float> wide;
  for (const uint16_t value : values) {
    wide.push_back(type == OutputType::kFloat16 ? float16_value(value) : static_cast<float>(value));
  }
  return wide;
}

template <class T>
void check_conversion(Tally& tally, const std::vector<float>& values, const Conversion& c, size_t in_offset,
                      size_t out_offset) {
  const std::string name =
      "convert " + std::to_string(values.size()) + " to type " + std::to_string(static_cast<int>(c.type));
  std::vector<T> expected(values.size());
  tally.check(reference::convert(values.data(), expected.data(), c.type, values.size(), c.scale, c.offset),
              name + ": reference");
  const Input<float> in(values, in_offset);
  Output<T> out(values.size(), out_offset);
  tally.check(run_convert(in.data(), out.data(), c.type, values.size(), c.scale, c.offset),
              name + ": launched");
  tally.check(same(as_floats(out.values(), c.type), as_floats(expected, c.type)), name);
  tally.check(out.guards_intact(), name + ": sentinels");
}

void check_conversions(Tally& tally, const std::vector<float>& values, size_t in_offset, size_t out_offset) {
  for (const Conversion& c : kConversions) {
    if (c.type == OutputType::kFloat32) {
      check_conversion<float>(tally, values, c, in_offset, out_offset);
    } else {
      check_conversion<uint16_t>(tally, values, c, in_offset, out_offset);
    }
  }
}

} // namespace

void health_sizes(Tally& tally) {
  for (const size_t values : kSizes) {
    for (const int count : {1, 3}) {
      for (const size_t offset : {0, 1, 2, 3}) {
        std::vector<float> maps = noise(values * static_cast<size_t>(count), 12);
        maps[0] = -2;
        maps.back() = 5;
        check_health(tally, maps, count, offset, "health of " + std::to_string(values));
        maps.back() = std::nanf("");
        check_health(tally, maps, count, offset, "health with NaN of " + std::to_string(values));
      }
    }
  }
  check_health(tally, noise(33 * 196, 13), 33, 0, "health of 33 maps");
}

void health_values(Tally& tally) {
  const std::vector<float> specials = {std::nanf(""), kInfinite, -kInfinite, -0.0f,          0.0f, 1e-45f,
                                       -1e-45f,       3.4e38f,   -3.4e38f,   -std::nanf(""), 1,    -1};
  std::vector<float> mixed(4000);
  for (size_t i = 0; i < mixed.size(); i++) mixed[i] = specials[(i * 7) % specials.size()];
  check_health(tally, mixed, 4, 0, "special values");
  check_health(tally, mixed, 5, 1, "special values, unaligned");
  for (const float value : specials) {
    check_health(tally, std::vector<float>(1024, value), 1, 0, "only " + std::to_string(value));
  }
  check_health(tally, std::vector<float>(1024, -7.5f), 2, 0, "negative and flat");

  Output<MapHealth> health(2);
  tally.check(run_health(nullptr, 2, 0, health.data()), "maps without values");
  for (const MapHealth& none : health.values()) {
    tally.check(same_health(none, {0, kInfinite, -kInfinite}), "maps without values have no health");
  }
  const Input<float> input(mixed);
  tally.check(run_health(input.data(), 0, 4, nullptr), "no maps");
  tally.check(!run_health(input.data(), -1, 4, health.data()), "count -1 is refused");
  tally.check(!run_health(nullptr, 1, 4, health.data()), "no map is refused");
  tally.check(!run_health(input.data(), 1, 4, nullptr), "no result is refused");
}

void convert_sizes(Tally& tally) {
  for (const size_t count : kSizes) {
    const std::vector<float> values = noise(count, 14);
    for (const size_t in_offset : {0, 1, 2, 3}) check_conversions(tally, values, in_offset, 0);
    for (const size_t out_offset : {1, 2, 3, 4}) check_conversions(tally, values, 0, out_offset);
  }
}

void convert_values(Tally& tally) {
  std::vector<float> values = {
      std::nanf(""), kInfinite,      -kInfinite,     -0.0f,  0.0f,  1e-45f,   3.4e38f,     -3.4e38f, 65503.9f,
      65504,         65519.9f,       65520,          -65520, 65535, 65535.5f, 65534.5f,    0.5f,     1.5f,
      2.5f,          -0.5f,          0.49999997f,    -1,     6e-8f, 2.9e-8f,  2.98023e-8f, 8.9e-8f,  6.1e-5f,
      6.09e-5f,      1.00048828125f, 1.00146484375f, 2049,   2051};
  while (values.size() < 2048) values.push_back(static_cast<float>(values.size()) * 32 + 0.5f);
  check_conversions(tally, values, 0, 0);
  check_conversions(tally, values, 1, 1);

  const Input<float> in(values);
  Output<uint16_t> out(4);
  tally.check(run_convert(in.data(), out.data(), OutputType::kUint16, 0, 1, 0), "no values");
  tally.check(!run_convert(nullptr, out.data(), OutputType::kUint16, 4, 1, 0), "no input is refused");
  tally.check(!run_convert(in.data(), nullptr, OutputType::kUint16, 4, 1, 0), "no output is refused");
  tally.check(out.values() == Output<uint16_t>::untouched(4), "nothing written");
}

} // namespace kernel_test

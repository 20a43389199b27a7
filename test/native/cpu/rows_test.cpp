// Owns: tests of what is done with rows between products, for every instruction set that this processor has.
// Must not know: networks.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "cpu/kernels.h"
#include "cpu/linear.h"
#include "numbers.h"

using namespace video_depth::cpu;
using kernel_tests::kSentinel;
using kernel_tests::Numbers;

TEST_CASE("kernels: rows as bytes are off by half a level at most, and 0 is 0") {
  for (const Kernels* kernels : available_kernels()) {
    CAPTURE(kernels->name);
    constexpr int kWidth = 64;
    Numbers numbers;
    std::vector<float> x = numbers.many(5 * kWidth);
    std::fill_n(x.begin(), kWidth, 0.0F);                                         // all 0
    for (int i = 0; i < kWidth; i++) x[static_cast<size_t>(kWidth + i)] = 3.0F;   // no range of their own
    for (int i = 0; i < kWidth; i++) x[static_cast<size_t>(2 * kWidth + i)] = -2; // all below 0
    x[3 * kWidth] = 0;
    std::vector<uint8_t> bytes(5 * kWidth + 64);
    float scale[5];
    int32_t zero[5];
    kernels->quantize_rows(x.data(), kWidth, 5, kWidth, bytes.data(), scale, zero);
    for (size_t i = 0; i < 5 * kWidth; i++) {
      const size_t row = i / kWidth;
      const float back = scale[row] * static_cast<float>(bytes[i] - zero[row]);
      CHECK(std::abs(back - x[i]) <= scale[row] * 0.501F + 1e-6F);
      CHECK(bytes[i] <= kernels->levels);
    }
    CHECK(bytes[3 * kWidth] == zero[3]);
  }
}

TEST_CASE("kernels: LayerNorm, with positions that repeat") {
  for (const Kernels* kernels : available_kernels()) {
    CAPTURE(kernels->name);
    for (const int width : {16, 48, 384}) {
      Numbers numbers;
      const std::vector<float> x = numbers.many(static_cast<size_t>(5 * (width + 7)));
      const std::vector<float> weight = numbers.many(static_cast<size_t>(width));
      const std::vector<float> bias = numbers.many(static_cast<size_t>(width));
      const std::vector<float> add = numbers.many(static_cast<size_t>(2 * width));
      std::vector<float> out(static_cast<size_t>(5 * width) + 16, kSentinel);
      kernels->layer_norm(x.data(), width + 7, 5, width, {weight.data(), bias.data(), 1e-6F}, add.data(), 2,
                          out.data());
      for (int row = 0; row < 5; row++) {
        double mean = 0;
        double variance = 0;
        const auto at = [&](int i) {
          return static_cast<double>(x[static_cast<size_t>(row * (width + 7) + i)]);
        };
        for (int i = 0; i < width; i++) mean += at(i) / width;
        for (int i = 0; i < width; i++) variance += (at(i) - mean) * (at(i) - mean) / width;
        for (int i = 0; i < width; i++) {
          const auto c = static_cast<size_t>(i);
          const double wanted = (at(i) - mean) / std::sqrt(variance + 1e-6) * static_cast<double>(weight[c]) +
                                static_cast<double>(bias[c]) +
                                static_cast<double>(add[static_cast<size_t>(row % 2 * width + i)]);
          CHECK(static_cast<double>(out[static_cast<size_t>(row * width + i)]) ==
                doctest::Approx(wanted).epsilon(1e-5));
        }
      }
      CHECK(out[static_cast<size_t>(5 * width)] == kSentinel);
    }
  }
}

TEST_CASE("kernels: softmax without its division, zeros behind the width, also as bfloat16") {
  for (const Kernels* kernels : available_kernels()) {
    CAPTURE(kernels->name);
    for (const int width : {1, 5, 16, 23, 64, 131}) {
      CAPTURE(width);
      const int padded = round_up(width, kColumns);
      Numbers numbers;
      std::vector<float> x = numbers.many(static_cast<size_t>(3 * padded));
      for (int row = 0; row < 3; row++) {
        for (int i = 0; i < width; i++) x[static_cast<size_t>(row * padded + i)] *= row == 1 ? 40.0F : 1.0F;
        for (int i = width; i < padded; i++)
          x[static_cast<size_t>(row * padded + i)] = 1e30F; // must not be seen
      }
      const std::vector<float> before = x;
      std::vector<float> again = x;
      std::vector<uint16_t> half(x.size());
      float sums[3];
      float half_sums[3];
      kernels->softmax(x.data(), padded, 3, width, padded, nullptr, sums);
      kernels->softmax(again.data(), padded, 3, width, padded, half.data(), half_sums);
      for (int row = 0; row < 3; row++) {
        const auto at = [&](int i) { return static_cast<size_t>(row * padded + i); };
        double most = -1e30;
        double total = 0;
        for (int i = 0; i < width; i++) most = std::max(most, static_cast<double>(before[at(i)]));
        for (int i = 0; i < width; i++) total += std::exp(static_cast<double>(before[at(i)]) - most);
        CHECK(static_cast<double>(sums[row]) == doctest::Approx(total).epsilon(1e-5));
        CHECK(half_sums[row] == sums[row]);
        for (int i = 0; i < padded; i++) {
          const double wanted = i < width ? std::exp(static_cast<double>(before[at(i)]) - most) : 0.0;
          CHECK(static_cast<double>(x[at(i)]) == doctest::Approx(wanted).epsilon(1e-5));
          CHECK(half[at(i)] == to_bfloat16(x[at(i)]));
        }
      }
    }
  }
}

TEST_CASE("kernels: NaN and infinity are never lost on the way") {
  constexpr float kBad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()};
  for (const Kernels* kernels : available_kernels()) {
    CAPTURE(kernels->name);
    for (const float bad : kBad) {
      for (const size_t place : {size_t{0}, size_t{17}, size_t{31}}) {
        Numbers numbers;
        std::vector<float> x = numbers.many(32);
        x[place] = bad;
        const std::vector<float> ones(32 + 64, 1.0F);
        float depth = 0;
        kernels->project_to_depth(x.data(), 1, 32, ones.data(), 0, &depth);
        CHECK(!std::isfinite(depth));
        std::vector<float> out(32 + 64);
        kernels->layer_norm(x.data(), 32, 1, 32, {ones.data(), ones.data(), 1e-6F}, nullptr, 1, out.data());
        CHECK(std::none_of(out.begin(), out.begin() + 32, [](float value) { return std::isfinite(value); }));
        std::vector<float> scores = x;
        float total = 0;
        kernels->softmax(scores.data(), 32, 1, 32, 32, nullptr, &total);
        CHECK(!std::isfinite(total));
        for (const Activation activation : {Activation::none, Activation::relu, Activation::gelu}) {
          const Linear weights(Arithmetic::float32, 32, 16, nullptr, [](int, int) { return 1.0F; });
          Finish end;
          end.out = out.data();
          end.activation = activation;
          LeftScratch scratch;
          multiply(*kernels, scratch, x.data(), 32, 1, weights, end);
          CHECK(
              std::none_of(out.begin(), out.begin() + 16, [](float value) { return std::isfinite(value); }));
        }
        kernels->relu(x.data(), 32, out.data());
        CHECK(!std::isfinite(out[place]));
        std::vector<float> key = numbers.many(64);
        key[place] = bad;
        std::vector<int8_t> packed(64 * kColumns);
        std::vector<float> scales(kColumns);
        std::vector<int32_t> sums(kColumns);
        kernels->pack_keys_int8(key.data(), 64, 0, 1, packed.data(), scales.data(), sums.data());
        CHECK(!std::isfinite(scales[0]));
        std::fill(key.begin(), key.end(), bad);
        kernels->pack_keys_int8(key.data(), 64, 0, 1, packed.data(), scales.data(), sums.data());
        CHECK(!std::isfinite(scales[0]));
        std::vector<uint16_t> halves(32 + 64);
        kernels->to_bf16(x.data(), 32, halves.data());
        CHECK((halves[place] & 0x7f80U) == 0x7f80U);
        // A row of bytes has no way to say so: its scale does.
        std::vector<uint8_t> bytes(32 + 64);
        float scale = 0;
        int32_t zero = 0;
        kernels->quantize_rows(x.data(), 32, 1, 32, bytes.data(), &scale, &zero);
        CHECK(!std::isfinite(scale));
      }
    }
  }
}

TEST_CASE("kernels: transposition of any size") {
  for (const Kernels* kernels : available_kernels()) {
    for (const int rows : {1, 7, 8, 32, 33}) {
      for (const int cols : {1, 8, 16, 27}) {
        Numbers numbers;
        const std::vector<float> x = numbers.many(static_cast<size_t>(rows * (cols + 2)));
        std::vector<float> out(static_cast<size_t>(cols * (rows + 3)), kSentinel);
        kernels->transpose(x.data(), cols + 2, rows, cols, out.data(), rows + 3);
        bool same = true;
        for (int r = 0; r < rows; r++) {
          for (int c = 0; c < cols; c++) {
            same = same &&
                   out[static_cast<size_t>(c * (rows + 3) + r)] == x[static_cast<size_t>(r * (cols + 2) + c)];
          }
        }
        for (int c = 0; c < cols; c++)
          same = same && out[static_cast<size_t>(c * (rows + 3) + rows)] == kSentinel;
        CHECK(same);
      }
    }
  }
}

TEST_CASE("kernels: bfloat16 is rounded to nearest even, and added as what it stands for") {
  for (const Kernels* kernels : available_kernels()) {
    CAPTURE(kernels->name);
    Numbers numbers;
    std::vector<float> x = numbers.many(64);
    const std::vector<float> y = numbers.many(64);
    // Ties, to even: 1 + 2⁻⁸ goes down, 1 + 3 · 2⁻⁸ up; likewise below 0.
    const float ties[] = {1.00390625F, 1.01171875F, -1.00390625F, -1.01171875F};
    const float rounded[] = {1.0F, 1.015625F, -1.0F, -1.015625F};
    std::copy_n(ties, 4, x.begin());
    std::vector<uint16_t> halves(64 + 64);
    kernels->to_bf16(x.data(), 64, halves.data());
    std::vector<float> sums(64 + 64);
    kernels->add_bf16(halves.data(), y.data(), 64, sums.data());
    for (size_t i = 0; i < 64; i++) {
      CHECK(halves[i] == to_bfloat16(x[i]));
      const uint32_t bits = static_cast<uint32_t>(halves[i]) << 16;
      float value = 0;
      std::memcpy(&value, &bits, sizeof value);
      if (i < 4) CHECK(value == rounded[i]);
      CHECK(sums[i] == value + y[i]);
    }
  }
}

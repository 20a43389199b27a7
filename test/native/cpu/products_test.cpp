// Owns: tests of the processor's kernels against plain loops, for every instruction set that this processor
// has. Must not know: networks.

#include "cpu/kernels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "cpu/linear.h"
#include "numbers.h"

namespace {

using namespace video_depth::cpu;
using kernel_tests::kSentinel;
using kernel_tests::Numbers;

double gelu(double x) {
  return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
}

double rounded(float value) {
  const uint32_t bits = static_cast<uint32_t>(to_bfloat16(value)) << 16;
  float back = 0;
  std::memcpy(&back, &bits, sizeof back);
  return static_cast<double>(back);
}

/// What a product should give, before its end: rows of `length · segments`.
struct Case {
  int rows;
  int length;
  int segments;
  int n;
  int k() const { return length * segments; }
};

const std::vector<Case> kCases = {{1, 16, 1, 16},  {6, 64, 1, 64},  {7, 48, 1, 80}, {13, 32, 3, 32},
                                  {5, 592, 1, 48}, {48, 96, 1, 24}, {23, 16, 3, 8}, {2, 1536, 1, 100}};

/// A left side with gaps between rows and segments, as a map has.
struct LeftSide {
  explicit LeftSide(const Case& c, Numbers& numbers)
      : stride(c.length + 16),
        segment_stride(stride * c.rows + 32),
        values(numbers.many(static_cast<size_t>(segment_stride * c.segments))) {}
  float at(const Case& c, int row, int k) const {
    return values[static_cast<size_t>(k / c.length * segment_stride + row * stride + k % c.length)];
  }
  ptrdiff_t stride;
  ptrdiff_t segment_stride;
  std::vector<float> values;
};

} // namespace

TEST_CASE("kernels: the list has each set once, fastest first") {
  const auto& sets = available_kernels();
  for (size_t i = 0; i < sets.size(); i++) {
    for (size_t j = 0; j < i; j++) CHECK(std::string(sets[i]->name) != sets[j]->name);
    CHECK((sets[i]->levels == 127 || sets[i]->levels == 255));
    CHECK(sets[i]->has_bf16 == (sets[i]->product_bf16 != nullptr));
  }
  if (sets.empty()) MESSAGE("SKIP: this processor has no AVX2, so no kernel ran");
}

TEST_CASE("kernels: products, with all that may follow them") {
  for (const Kernels* kernels : available_kernels()) {
    CAPTURE(kernels->name);
    for (const Case& c : kCases) {
      CAPTURE(c.rows);
      CAPTURE(c.n);
      Numbers numbers;
      const LeftSide left(c, numbers);
      const std::vector<float> w = numbers.many(static_cast<size_t>(c.k() * c.n));
      const std::vector<float> bias = numbers.many(static_cast<size_t>(c.n));
      const std::vector<float> gamma = numbers.many(static_cast<size_t>(c.n));
      const std::vector<float> add = numbers.many(static_cast<size_t>(c.rows * c.n));
      const std::vector<float> add2 = numbers.many(static_cast<size_t>(c.rows * c.n));
      for (const Arithmetic arithmetic : {Arithmetic::float32, Arithmetic::bfloat16}) {
        if (arithmetic == Arithmetic::bfloat16 && !kernels->has_bf16) continue;
        const bool half = arithmetic == Arithmetic::bfloat16;
        const Linear weights(arithmetic, c.k(), c.n, bias.data(),
                             [&](int k, int j) { return w[static_cast<size_t>(k * c.n + j)]; });
        std::vector<uint16_t> halves(left.values.size());
        std::transform(left.values.begin(), left.values.end(), halves.begin(), to_bfloat16);
        for (int variant = 0; variant < 4; variant++) {
          const ptrdiff_t stride = c.n + 3;
          std::vector<float> out(static_cast<size_t>(stride * c.rows) + 16, kSentinel);
          Finish end;
          end.out = out.data();
          end.stride = stride;
          end.activation = static_cast<Activation>(variant % 3);
          if (variant > 0) end.gamma = gamma.data();
          if (variant > 1) end.add = add.data();
          if (variant > 2) end.add2 = add2.data();
          end.add_stride = end.add2_stride = c.n;
          multiply(*kernels,
                   {{half ? static_cast<const void*>(halves.data()) : left.values.data(), c.rows, left.stride,
                     c.length, c.segments, left.segment_stride},
                    {}},
                   weights, end);
          double worst = 0;
          for (int row = 0; row < c.rows; row++) {
            for (int j = 0; j < c.n; j++) {
              double sum = 0;
              for (int k = 0; k < c.k(); k++) {
                const float weight = w[static_cast<size_t>(k * c.n + j)];
                const float value = left.at(c, row, k);
                sum += half ? rounded(value) * rounded(weight)
                            : static_cast<double>(value) * static_cast<double>(weight);
              }
              const auto at = static_cast<size_t>(row * c.n + j);
              sum += static_cast<double>(bias[static_cast<size_t>(j)]);
              if (end.activation == Activation::relu) sum = std::max(0.0, sum);
              if (end.activation == Activation::gelu) sum = gelu(sum);
              if (end.gamma != nullptr) sum *= static_cast<double>(gamma[static_cast<size_t>(j)]);
              if (end.add != nullptr) sum += static_cast<double>(add[at]);
              if (end.add2 != nullptr) sum += static_cast<double>(add2[at]);
              const double error =
                  std::abs(static_cast<double>(out[static_cast<size_t>(row * stride + j)]) - sum);
              if (!(error <= worst)) worst = error;
            }
            for (int j = c.n; j < stride; j++) CHECK(out[static_cast<size_t>(row * stride + j)] == kSentinel);
          }
          // Sums of k products of deviation 1, each rounded to 2⁻²⁴.
          CHECK(worst < 2e-6 * c.k() / 10 + 2e-5);
        }
      }
    }
  }
}

TEST_CASE("kernels: 8-bit products are exact sums of the 8-bit operands") {
  for (const Kernels* kernels : available_kernels()) {
    CAPTURE(kernels->name);
    for (const Case& c : kCases) {
      CAPTURE(c.rows);
      CAPTURE(c.n);
      std::mt19937 random(3);
      // The extremes among them: two products of 255 · 127 would not fit 16 bits.
      const auto level = [&] {
        return random() % 4 == 0 ? kernels->levels
                                 : static_cast<int>(random() % static_cast<unsigned>(kernels->levels + 1));
      };
      const auto weight = [&] { return random() % 4 == 0 ? 127 : static_cast<int>(random() % 255) - 127; };
      std::vector<uint8_t> left(static_cast<size_t>(c.rows * c.k()));
      std::generate(left.begin(), left.end(), [&] { return static_cast<uint8_t>(level()); });
      std::vector<int> w(static_cast<size_t>(c.k() * c.n));
      std::generate(w.begin(), w.end(), weight);
      for (int j = 0; j < c.n; j++) w[static_cast<size_t>(j)] = 127; // so that a column's scale is 1
      const Linear weights(Arithmetic::int8, c.k(), c.n, nullptr, [&](int k, int j) {
        return static_cast<float>(w[static_cast<size_t>(k * c.n + j)]);
      });
      std::vector<float> scale(static_cast<size_t>(c.rows));
      std::vector<int32_t> zero(static_cast<size_t>(c.rows));
      for (int row = 0; row < c.rows; row++) {
        scale[static_cast<size_t>(row)] = 0.5F + static_cast<float>(row);
        zero[static_cast<size_t>(row)] = row * 19 % (kernels->levels + 1);
      }
      for (const int step : {0, 1}) {
        std::vector<float> out(static_cast<size_t>(c.rows * c.n) + 16, kSentinel);
        Finish end;
        end.out = out.data();
        end.stride = c.n;
        multiply(*kernels, {{left.data(), c.rows, c.k(), c.k()}, {scale.data(), zero.data(), step}}, weights,
                 end);
        bool same = true;
        for (int row = 0; row < c.rows; row++) {
          const auto own = static_cast<size_t>(row * step);
          for (int j = 0; j < c.n; j++) {
            int32_t sum = 0;
            for (int k = 0; k < c.k(); k++) {
              sum += (left[static_cast<size_t>(row * c.k() + k)] - zero[own]) *
                     w[static_cast<size_t>(k * c.n + j)];
            }
            same = same && out[static_cast<size_t>(row * c.n + j)] == static_cast<float>(sum) * scale[own];
          }
        }
        CHECK(same);
        CHECK(out[static_cast<size_t>(c.rows * c.n)] == kSentinel);
      }
    }
  }
}

TEST_CASE("kernels: every set gives nearly the same") {
  const auto& sets = available_kernels();
  if (sets.size() < 2) return;
  Numbers numbers;
  const std::vector<float> x = numbers.many(48 * 96);
  const std::vector<float> w = numbers.many(96 * 64);
  std::vector<std::vector<float>> results;
  for (const Kernels* kernels : sets) {
    const Linear weights(Arithmetic::float32, 96, 64, nullptr,
                         [&](int k, int j) { return w[static_cast<size_t>(k * 64 + j)]; });
    std::vector<float> out(48 * 64 + 16);
    Finish end;
    end.out = out.data();
    end.activation = Activation::gelu;
    LeftScratch scratch;
    multiply(*kernels, scratch, x.data(), 96, 48, weights, end);
    results.push_back(out);
  }
  for (size_t i = 1; i < results.size(); i++) {
    float worst = 0;
    for (size_t j = 0; j < 48 * 64; j++) {
      const float error = std::abs(results[i][j] - results[0][j]);
      if (!(error <= worst)) worst = error;
    }
    CHECK(worst < 1e-4F);
  }
}

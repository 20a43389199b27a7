// Owns: tests of the processor's kernels against plain loops, for every instruction set that this processor
// has. Must not know: networks.

#include "cpu/kernels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "cpu/buffer.h"
#include "cpu/linear.h"

namespace {

using namespace video_depth::cpu;

constexpr float kSentinel = 12345.0F;

class Numbers {
 public:
  float next() { return distribution_(generator_); }
  std::vector<float> many(size_t count) {
    std::vector<float> values(count + 64); // kernels load whole vectors
    std::generate(values.begin(), values.begin() + static_cast<ptrdiff_t>(count), [&] { return next(); });
    return values;
  }

 private:
  std::mt19937 generator_{7};
  std::normal_distribution<float> distribution_;
};

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
          CHECK(std::none_of(out.begin(), out.begin() + 16, [](float value) { return std::isfinite(value); }));
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

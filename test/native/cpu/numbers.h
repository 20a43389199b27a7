// Owns: what the tests of the kernels share.
// Must not know: which kernel is tested.
#pragma once

#include <algorithm>
#include <random>
#include <vector>

namespace kernel_tests {

constexpr float kSentinel = 12345.0F;

/// Normally distributed, the same each time.
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

} // namespace kernel_tests

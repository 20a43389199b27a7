// Owns: what several native tests share: guarded buffers, noise, a straightforward resize to compare with.
// Must not know: the code under test.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace test {

/// A buffer between sentinels, every value of it a NaN that nobody computes, so that what was not written
/// shows.
class Guarded {
 public:
  explicit Guarded(size_t size) : size_(size), bits_(size + 2 * kGuard, kUntouched) {}

  float* data() { return reinterpret_cast<float*>(bits_.data()) + kGuard; }
  const float* data() const { return reinterpret_cast<const float*>(bits_.data()) + kGuard; }
  size_t size() const { return size_; }
  std::vector<float> values() const { return {data(), data() + size_}; }

  bool guards_intact() const {
    const auto untouched = [](uint32_t bits) { return bits == kUntouched; };
    return std::all_of(bits_.begin(), bits_.begin() + kGuard, untouched) &&
           std::all_of(bits_.end() - kGuard, bits_.end(), untouched);
  }
  bool all_written() const {
    return std::none_of(bits_.begin() + kGuard, bits_.end() - kGuard,
                        [](uint32_t bits) { return bits == kUntouched; });
  }

 private:
  static constexpr uint32_t kUntouched = 0x7fc0dead;
  static constexpr long kGuard = 64;

  size_t size_;
  std::vector<uint32_t> bits_;
};

/// Deterministic, 0 ≤ value < 1.
inline std::vector<float> noise(size_t count, uint32_t seed) {
  std::vector<float> values(count);
  seed = seed * 2654435761u + 1;
  for (float& value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 8) / 16777216.0f;
  }
  return values;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Bilinear, align_corners, in float64.
inline std::vector<double> naive_upsample(const std::vector<float>& map, int in_width, int in_height,
                                          int width, int height) {
  const auto at = [&](int x, int y) {
    const size_t column = static_cast<size_t>(std::min(x, in_width - 1));
    return static_cast<double>(
        map[static_cast<size_t>(std::min(y, in_height - 1)) * static_cast<size_t>(in_width) + column]);
  };
  std::vector<double> out;
  for (int y = 0; y < height; y++) {
    const double fy = height > 1 ? static_cast<double>(y) * (in_height - 1) / (height - 1) : 0;
    const int y0 = static_cast<int>(fy);
    for (int x = 0; x < width; x++) {
      const double fx = width > 1 ? static_cast<double>(x) * (in_width - 1) / (width - 1) : 0;
      const int x0 = static_cast<int>(fx);
      const double top = at(x0, y0) * (1 - (fx - x0)) + at(x0 + 1, y0) * (fx - x0);
      const double bottom = at(x0, y0 + 1) * (1 - (fx - x0)) + at(x0 + 1, y0 + 1) * (fx - x0);
      out.push_back(top * (1 - (fy - y0)) + bottom * (fy - y0));
    }
  }
  return out;
}

} // namespace test

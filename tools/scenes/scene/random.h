// Owns: seeded random numbers and lattice noise: the same from every compiler, but for the last bits of the
// maths library's exp, log, sin and cos.
// Must not know: what is drawn by them.
#pragma once

#include <cmath>
#include <cstdint>

#include "scene/vector.h"

namespace video_depth::scene {

inline uint32_t scramble(uint32_t v) {
  v ^= v >> 16;
  v *= 0x7feb352dU;
  v ^= v >> 15;
  v *= 0x846ca68bU;
  return v ^ (v >> 16);
}

/// PCG-XSH-RR 32 (O'Neill 2014). Two draws never stand in the arguments of one call or in the operands of one
/// operator: compilers differ in which comes first. Braces and commas between declarations have an order.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 0x1234567) {
    for (int i = 0; i < 4; i++) bits();
  }
  uint32_t bits() {
    const uint64_t old = state_;
    state_ = old * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto mixed = static_cast<uint32_t>(((old >> 18) ^ old) >> 27);
    const auto rotation = static_cast<uint32_t>(old >> 59);
    return (mixed >> rotation) | (mixed << ((32 - rotation) & 31));
  }
  /// 0 ≤ v < 1
  float next() { return static_cast<float>(bits() >> 8) * 0x1p-24f; }
  float between(float low, float high) { return low + (high - low) * next(); }
  /// low … high, both included
  int whole(int low, int high) {
    return low + static_cast<int>(bits() % static_cast<uint32_t>(high - low + 1));
  }
  bool chance(float probability) { return next() < probability; }
  float sign() { return chance(0.5f) ? 1.f : -1.f; }
  /// low … high on either side of 0
  float aside(float low, float high) {
    const float side = sign();
    return side * between(low, high);
  }
  /// Uniform in the logarithm.
  float log_between(float low, float high) { return low * std::exp(next() * std::log(high / low)); }
  /// Standard normal (Box and Muller).
  float normal() {
    const float radius = std::sqrt(-2 * std::log(1 - next()));
    return radius * std::cos(2 * kPi * next());
  }
  Vec3 direction() {
    const float z = between(-1, 1), angle = between(0, 2 * kPi), r = std::sqrt(1 - z * z);
    return {r * std::cos(angle), r * std::sin(angle), z};
  }

 private:
  uint64_t state_;
};

/// 0 … 1, smooth, one bump a unit.
float noise(Vec3 p, uint32_t seed);
/// Sum of `octaves` of noise, each twice as fine and half as strong; 0 … 1.
float fractal_noise(Vec3 p, int octaves, uint32_t seed);

} // namespace video_depth::scene

// Owns: depth frames in fewer bytes, bit for bit the same again.
// Must not know: files, what depth means.

#include "image/depth_packing.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "error.h"

namespace video_depth {

namespace {

/// With as many values a block, each bit of width is one word.
constexpr size_t kBlock = 64;
constexpr size_t kWordBytes = sizeof(uint64_t);
constexpr unsigned kMostBits = 32;

uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

float float_of(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Bits that a value with all three neighbours before it is expected to have.
inline uint32_t inside(const float* value, size_t width) {
  const float* const above = value - width;
  return bits_of(value[-1]) + bits_of(above[0]) - bits_of(above[-1]);
}

/// Bits that the value at `i` is expected to have; a row's left neighbour is the end of the row above, and
/// what lies before the first value is 0.
inline uint32_t expected(const float* data, size_t i, size_t width) {
  const auto before = [&](size_t distance) { return i >= distance ? bits_of(data[i - distance]) : 0; };
  return before(1) + before(width) - before(width + 1);
}

/// Near 0 on either side gives zeros in the upper bits.
uint32_t folded(uint32_t difference) {
  return (difference << 1U) ^ (0U - (difference >> 31U));
}

uint32_t unfolded(uint32_t small) {
  return (small >> 1U) ^ (0U - (small & 1U));
}

unsigned width_of(uint32_t all) {
  unsigned bits = 0;
  while (bits < kMostBits && (all >> bits) != 0) bits++;
  return bits;
}

/// @param values kBlock of them, below 2^bits @returns behind what was written
uint8_t* put(const uint32_t* values, unsigned bits, uint8_t* out) {
  uint64_t word = 0;
  unsigned filled = 0;
  for (size_t i = 0; i < kBlock; i++) {
    const uint64_t value = values[i];
    word |= value << filled;
    filled += bits;
    if (filled < 64) continue;
    std::memcpy(out, &word, kWordBytes);
    out += kWordBytes;
    filled -= 64;
    word = filled == 0 ? 0 : value >> (bits - filled);
  }
  return out;
}

void take(const uint8_t* in, unsigned bits, uint32_t* values) {
  uint64_t words[kMostBits + 1] = {};
  std::memcpy(words, in, bits * kWordBytes);
  const uint64_t mask = (uint64_t{1} << bits) - 1;
  for (size_t i = 0; i < kBlock; i++) {
    const size_t at = i * bits;
    const size_t shift = at % 64;
    const uint64_t* word = words + at / 64;
    const uint64_t rest = shift == 0 ? 0 : word[1] << (64 - shift);
    values[i] = static_cast<uint32_t>(((word[0] >> shift) | rest) & mask);
  }
}

} // namespace

size_t most_packed_bytes(size_t count) {
  return (count + kBlock - 1) / kBlock * (1 + kMostBits * kWordBytes);
}

size_t pack_depth(const float* data, size_t count, size_t width, uint8_t* packed, DepthBounds& bounds) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  // By position in a block, so that the compiler may do several at once.
  float least[kBlock], greatest[kBlock];
  std::fill_n(least, kBlock, kInfinity);
  std::fill_n(greatest, kBlock, -kInfinity);
  uint8_t* out = packed;
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t length = std::min(kBlock, count - begin);
    const float* const block = data + begin;
    uint32_t small[kBlock] = {};
    if (begin > width && length == kBlock) {
      for (size_t j = 0; j < kBlock; j++) small[j] = folded(bits_of(block[j]) - inside(block + j, width));
    } else {
      for (size_t j = 0; j < length; j++)
        small[j] = folded(bits_of(block[j]) - expected(data, begin + j, width));
    }
    uint32_t all = 0;
    for (const uint32_t value : small) all |= value;
    for (size_t j = 0; j < length; j++) {
      least[j] = block[j] < least[j] ? block[j] : least[j];
      greatest[j] = block[j] > greatest[j] ? block[j] : greatest[j];
    }
    const unsigned bits = width_of(all);
    *out++ = static_cast<uint8_t>(bits);
    out = put(small, bits, out);
  }
  bounds = {*std::min_element(least, least + kBlock), *std::max_element(greatest, greatest + kBlock)};
  return static_cast<size_t>(out - packed);
}

void unpack_depth(const uint8_t* packed, size_t bytes, float* data, size_t count, size_t width) {
  const uint8_t* in = packed;
  const uint8_t* const end = packed + bytes;
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const unsigned bits = in < end ? *in++ : kMostBits + 1;
    if (bits > kMostBits || static_cast<size_t>(end - in) < bits * kWordBytes)
      throw Error("unpackDepth", "packed depth of " + std::to_string(count) + " values", "packed",
                  std::to_string(bytes) + " other bytes");
    uint32_t small[kBlock];
    take(in, bits, small);
    in += bits * kWordBytes;
    const size_t length = std::min(kBlock, count - begin);
    float* const block = data + begin;
    if (begin > width) {
      for (size_t j = 0; j < length; j++) block[j] = float_of(unfolded(small[j]) + inside(block + j, width));
    } else {
      for (size_t j = 0; j < length; j++)
        block[j] = float_of(unfolded(small[j]) + expected(data, begin + j, width));
    }
  }
}

} // namespace video_depth

// Owns: vectors of numbers in the vectors that GCC and Clang have for any processor.
// Must not know: networks, threads. No function of the standard library: its copies would be shared with
// other sets.
#pragma once

#include <cstddef>
#include <cstdint>

namespace video_depth::VIDEO_DEPTH_KERNELS {

/// A tile of sums fits the 16 vector registers that x86-64 has at the least.
constexpr int kTileRows = 3;
constexpr int kTileBlocks = 1;
constexpr int kLanes = 4;
using Vf = float __attribute__((vector_size(16)));
using Vi = int32_t __attribute__((vector_size(16)));
using Vs = int16_t __attribute__((vector_size(16)));
using SignedBytes = int8_t __attribute__((vector_size(8)));
using UnsignedBytes = uint8_t __attribute__((vector_size(8)));
/// How many lanes.
using Mask = int;

template <class To, class From>
inline To bits_of(From v) {
  static_assert(sizeof(To) == sizeof(From), "the same bits");
  To to;
  __builtin_memcpy(&to, &v, sizeof to);
  return to;
}
template <class V, class T>
inline V load_bits(const T* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

inline Vf load(const float* p) {
  return load_bits<Vf>(p);
}
inline void store(float* p, Vf v) {
  __builtin_memcpy(p, &v, sizeof v);
}
inline Vf all(float x) {
  return Vf{x, x, x, x};
}
inline Vi all_integers(int32_t x) {
  return Vi{x, x, x, x};
}
/// Rounded twice: a fused one is a call where the processor has none.
inline Vf fma(Vf a, Vf b, Vf c) {
  return a * b + c;
}
inline Vf select(Vi mask, Vf a, Vf b) {
  return bits_of<Vf>((mask & bits_of<Vi>(a)) | (~mask & bits_of<Vi>(b)));
}
/// Where either is NaN, `b`.
inline Vf larger(Vf a, Vf b) {
  return select(a > b, a, b);
}
/// Where either is NaN, `b`.
inline Vf smaller(Vf a, Vf b) {
  return select(a < b, a, b);
}
/// 1.5 · 2²³: what is added to it is rounded to a whole number, below 2²² in size.
constexpr float kRound = 12582912.0F;
inline Vf nearest(Vf a) {
  return (a + all(kRound)) - all(kRound);
}
inline Vi to_integers(Vf v) {
  return bits_of<Vi>(v + all(kRound)) - bits_of<Vi>(all(kRound));
}
inline Vf to_floats(Vi v) {
  return __builtin_convertvector(v, Vf);
}
inline Vf power_of_two(Vf n) {
  return bits_of<Vf>((to_integers(n) + all_integers(127)) << 23);
}
inline Vf magnitude(Vf a) {
  return bits_of<Vf>(bits_of<Vi>(a) & all_integers(INT32_MAX));
}
/// `value` ≥ 0 with `sign`'s sign.
inline Vf with_sign(Vf value, Vf sign) {
  return bits_of<Vf>(bits_of<Vi>(value) | (bits_of<Vi>(sign) & all_integers(INT32_MIN)));
}
inline Vf square_root(Vf a) {
  return Vf{__builtin_sqrtf(a[0]), __builtin_sqrtf(a[1]), __builtin_sqrtf(a[2]), __builtin_sqrtf(a[3])};
}
inline float sum(Vf v) {
  return (v[0] + v[2]) + (v[1] + v[3]);
}
inline float largest(Vf v) {
  const float a = v[0] > v[1] ? v[0] : v[1];
  const float b = v[2] > v[3] ? v[2] : v[3];
  return a > b ? a : b;
}
inline float smallest(Vf v) {
  return -largest(-v);
}
inline Mask first(int count) {
  return count;
}
/// 0 in the other lanes.
inline Vf load_part(const float* p, Mask mask) {
  if (mask == kLanes) return load(p);
  Vf v = all(0.0F);
  for (int i = 0; i < mask; i++) v[i] = p[i];
  return v;
}
inline void store_part(float* p, Mask mask, Vf v) {
  if (mask == kLanes) return store(p, v);
  for (int i = 0; i < mask; i++) p[i] = v[i];
}
/// Values 0…255 as bytes.
inline void store_bytes(uint8_t* p, Vi v) {
  for (int i = 0; i < kLanes; i++) p[i] = static_cast<uint8_t>(v[i]);
}
inline Vi load_integers_part(const int32_t* p, Mask mask) {
  if (mask == kLanes) return load_bits<Vi>(p);
  Vi v = all_integers(0);
  for (int i = 0; i < mask; i++) v[i] = p[i];
  return v;
}
/// a − b · c
inline Vi less(Vi a, Vi b, Vi c) {
  return a - b * c;
}
inline Vf load_half(const uint16_t* p) {
  return bits_of<Vf>(Vi{p[0], p[1], p[2], p[3]} << 16);
}
/// NaN apart: rounding could carry it over to 0.
inline void store_half(uint16_t* p, Vf v) {
  for (int i = 0; i < kLanes; i++) {
    const auto bits = bits_of<uint32_t>(v[i]);
    p[i] = static_cast<uint16_t>(v[i] != v[i] ? 0x7fc0U : (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
  }
}

/// Four products of bytes, unsigned by signed, added to each sum. A product fits 16 bits.
struct Bytes {
  static constexpr int kTileRows = 3;
  static constexpr int kLevels = 255;
  /// Columns 0 and 1 in pairs of sums; columns 2 and 3.
  struct Sum {
    Vi low;
    Vi high;
  };
  struct Right {
    Vs low;
    Vs high;
  };
  static Sum zero() { return {all_integers(0), all_integers(0)}; }
  static Vs left(const uint8_t* p) {
    uint32_t four[2];
    __builtin_memcpy(four, p, sizeof *four);
    four[1] = four[0];
    return __builtin_convertvector(load_bits<UnsignedBytes>(four), Vs);
  }
  static Right right(const int8_t* p) {
    return {__builtin_convertvector(load_bits<SignedBytes>(p), Vs),
            __builtin_convertvector(load_bits<SignedBytes>(p + 8), Vs)};
  }
  static Vi pairs(Vs products) {
    const Vi both = bits_of<Vi>(products);
    return ((both << 16) >> 16) + (both >> 16);
  }
  static Sum add(Sum sum, Vs left, Right right) {
    return {sum.low + pairs(left * right.low), sum.high + pairs(left * right.high)};
  }
  static Vi total(Sum sum) {
    return Vi{sum.low[0] + sum.low[1], sum.low[2] + sum.low[3], sum.high[0] + sum.high[1],
              sum.high[2] + sum.high[3]};
  }
};

inline void transpose_eight(const float* x, ptrdiff_t stride, float* out, ptrdiff_t out_stride) {
  for (int c = 0; c < 8; c++) {
    for (int r = 0; r < 8; r++) out[c * out_stride + r] = x[r * stride + c];
  }
}

} // namespace video_depth::VIDEO_DEPTH_KERNELS

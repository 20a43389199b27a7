// Owns: vectors of numbers in AVX-512, with VNNI and where it is there BF16.
// Must not know: networks, threads. No function of the standard library: its copies would be shared with
// other sets.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace video_depth::VIDEO_DEPTH_KERNELS {

/// A tile of sums fills most of the vector registers: 24 of 32.
constexpr int kTileRows = 6;
constexpr int kTileBlocks = 4;
constexpr int kLanes = 16;
using Vf = __m512;
using Vi = __m512i;
using Mask = __mmask16;

inline Vf load(const float* p) {
  return _mm512_loadu_ps(p);
}
inline void store(float* p, Vf v) {
  _mm512_storeu_ps(p, v);
}
inline Vf all(float x) {
  return _mm512_set1_ps(x);
}
inline Vf fma(Vf a, Vf b, Vf c) {
  return _mm512_fmadd_ps(a, b, c);
}
/// Where either is NaN, `b`.
inline Vf larger(Vf a, Vf b) {
  return _mm512_max_ps(a, b);
}
/// Where either is NaN, `b`.
inline Vf smaller(Vf a, Vf b) {
  return _mm512_min_ps(a, b);
}
inline Vf nearest(Vf a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline Vf power_of_two(Vf n) {
  return _mm512_scalef_ps(all(1.0F), n);
}
inline Vf magnitude(Vf a) {
  return _mm512_abs_ps(a);
}
/// `value` ≥ 0 with `sign`'s sign.
inline Vf with_sign(Vf value, Vf sign) {
  const Vi bit = _mm512_set1_epi32(INT32_MIN);
  return _mm512_castsi512_ps(
      _mm512_or_epi32(_mm512_castps_si512(value), _mm512_and_epi32(_mm512_castps_si512(sign), bit)));
}
inline Vf square_root(Vf a) {
  return _mm512_sqrt_ps(a);
}
inline float sum(Vf v) {
  return _mm512_reduce_add_ps(v);
}
inline float largest(Vf v) {
  return _mm512_reduce_max_ps(v);
}
inline float smallest(Vf v) {
  return _mm512_reduce_min_ps(v);
}
inline Vi to_integers(Vf v) {
  return _mm512_cvtps_epi32(v);
}
inline Vf to_floats(Vi v) {
  return _mm512_cvtepi32_ps(v);
}
/// Lanes below `count`, 0…kLanes.
inline Mask first(int count) {
  return static_cast<Mask>((1U << count) - 1U);
}
/// 0 in the other lanes.
inline Vf load_part(const float* p, Mask mask) {
  return _mm512_maskz_loadu_ps(mask, p);
}
inline void store_part(float* p, Mask mask, Vf v) {
  _mm512_mask_storeu_ps(p, mask, v);
}
/// Values 0…255 as bytes.
inline void store_bytes(uint8_t* p, Vi v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(v));
}

inline Vi all_integers(int32_t x) {
  return _mm512_set1_epi32(x);
}
inline Vi load_integers_part(const int32_t* p, Mask mask) {
  return _mm512_maskz_loadu_epi32(mask, p);
}
/// a − b · c
inline Vi less(Vi a, Vi b, Vi c) {
  return _mm512_sub_epi32(a, _mm512_mullo_epi32(b, c));
}
inline Vf load_half(const uint16_t* p) {
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}
inline void store_half(uint16_t* p, Vf v) {
#if defined(__AVX512BF16__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)));
#else
  // NaN apart: rounding could carry it over to 0.
  const Vi bits = _mm512_castps_si512(v);
  const Vi odd = _mm512_and_epi32(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const Vi carried = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  const Vi rounded = _mm512_mask_mov_epi32(_mm512_srli_epi32(carried, 16),
                                           _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), _mm512_set1_epi32(0x7fc0));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(rounded));
#endif
}

/// Four products of bytes, unsigned by signed, added to each sum.
struct Bytes {
  static constexpr int kTileRows = 6;
  static constexpr int kLevels = 255;
  using Sum = Vi;
  static Sum zero() { return _mm512_setzero_si512(); }
  static Vi left(const uint8_t* p) {
    int32_t four = 0;
    __builtin_memcpy(&four, p, sizeof four);
    return all_integers(four);
  }
  static Vi right(const int8_t* p) { return _mm512_loadu_si512(p); }
  static Sum add(Sum sum, Vi left, Vi right) { return _mm512_dpbusd_epi32(sum, left, right); }
  static Vi total(Sum sum) { return sum; }
};

#if defined(__AVX512BF16__)
#define VIDEO_DEPTH_KERNELS_HALVES
/// Two products of bfloat16, added to each sum.
struct Halves {
  static Vi left(const uint16_t* p) {
    int32_t two = 0;
    __builtin_memcpy(&two, p, sizeof two);
    return all_integers(two);
  }
  static Vi right(const uint16_t* p) { return _mm512_loadu_si512(p); }
  static Vf add(Vf sum, Vi left, Vi right) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(left), reinterpret_cast<__m512bh>(right));
  }
};
#endif

inline void transpose_eight(const float* x, ptrdiff_t stride, float* out, ptrdiff_t out_stride) {
  __m256 r[8];
  __m256 t[8];
  for (int i = 0; i < 8; i++) r[i] = _mm256_loadu_ps(x + i * stride);
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xEE);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
  }
  for (int i = 0; i < 4; i++) {
    _mm256_storeu_ps(out + i * out_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    _mm256_storeu_ps(out + (i + 4) * out_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}

} // namespace video_depth::VIDEO_DEPTH_KERNELS

// Owns: vectors of numbers in AVX2 and FMA, with AVX-VNNI where it is there.
// Must not know: networks, threads. No function of the standard library: its copies would be shared with
// other sets.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace video_depth::VIDEO_DEPTH_KERNELS {

/// A tile of sums fills most of the vector registers: 12 of 16.
constexpr int kTileRows = 6;
constexpr int kTileBlocks = 1;
constexpr int kLanes = 8;
using Vf = __m256;
using Vi = __m256i;
using Mask = __m256i;

inline Vf load(const float* p) {
  return _mm256_loadu_ps(p);
}
inline void store(float* p, Vf v) {
  _mm256_storeu_ps(p, v);
}
inline Vf all(float x) {
  return _mm256_set1_ps(x);
}
inline Vf fma(Vf a, Vf b, Vf c) {
  return _mm256_fmadd_ps(a, b, c);
}
/// Where either is NaN, `b`.
inline Vf larger(Vf a, Vf b) {
  return _mm256_max_ps(a, b);
}
/// Where either is NaN, `b`.
inline Vf smaller(Vf a, Vf b) {
  return _mm256_min_ps(a, b);
}
inline Vf nearest(Vf a) {
  return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline Vi to_integers(Vf v) {
  return _mm256_cvtps_epi32(v);
}
inline Vf to_floats(Vi v) {
  return _mm256_cvtepi32_ps(v);
}
inline Vf power_of_two(Vf n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(to_integers(n), _mm256_set1_epi32(127)), 23));
}
inline Vf magnitude(Vf a) {
  return _mm256_andnot_ps(all(-0.0F), a);
}
/// `value` ≥ 0 with `sign`'s sign.
inline Vf with_sign(Vf value, Vf sign) {
  return _mm256_or_ps(value, _mm256_and_ps(sign, all(-0.0F)));
}
inline Vf square_root(Vf a) {
  return _mm256_sqrt_ps(a);
}
inline float sum(Vf v) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
inline float largest(Vf v) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}
inline float smallest(Vf v) {
  return -largest(_mm256_sub_ps(_mm256_setzero_ps(), v));
}
/// Lanes below `count`, 0…kLanes.
inline Mask first(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
/// 0 in the other lanes.
inline Vf load_part(const float* p, Mask mask) {
  return _mm256_maskload_ps(p, mask);
}
inline void store_part(float* p, Mask mask, Vf v) {
  _mm256_maskstore_ps(p, mask, v);
}
/// Values 0…255 as bytes.
inline void store_bytes(uint8_t* p, Vi v) {
  const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(words, words));
}

inline Vi all_integers(int32_t x) {
  return _mm256_set1_epi32(x);
}
inline Vi load_integers_part(const int32_t* p, Mask mask) {
  return _mm256_maskload_epi32(p, mask);
}
/// a − b · c
inline Vi less(Vi a, Vi b, Vi c) {
  return _mm256_sub_epi32(a, _mm256_mullo_epi32(b, c));
}
inline Vf load_half(const uint16_t* p) {
  const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}
/// NaN apart: rounding could carry it over to 0.
inline void store_half(uint16_t* p, Vf v) {
  const Vi bits = _mm256_castps_si256(v);
  const Vi odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const Vi carried = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  const Vi bad = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
  const Vi rounded = _mm256_blendv_epi8(_mm256_srli_epi32(carried, 16), _mm256_set1_epi32(0x7fc0), bad);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                   _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1)));
}

/// Four products of bytes, unsigned by signed, added to each sum.
struct Bytes {
  static constexpr int kTileRows = 6;
  using Sum = Vi;
  static Sum zero() { return _mm256_setzero_si256(); }
  static Vi left(const uint8_t* p) {
    int32_t four = 0;
    __builtin_memcpy(&four, p, sizeof four);
    return all_integers(four);
  }
  static Vi right(const int8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
#if defined(__AVXVNNI__)
  static constexpr int kLevels = 255;
  static Sum add(Sum sum, Vi left, Vi right) {
    return _mm256_dpbusd_avx_epi32(sum, left, right);
  }
#else
  static constexpr int kLevels = 127; // so two products fit 16 bits
  static Sum add(Sum sum, Vi left, Vi right) {
    const Vi pairs = _mm256_maddubs_epi16(left, right);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
#endif
  static Vi total(Sum sum) {
    return sum;
  }
};

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

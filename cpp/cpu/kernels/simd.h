// Owns: vectors of float32 and elementary functions on them, for the instruction set that this is compiled
// for. Must not know: networks, threads. No function of the standard library: its copies would be shared with
// other sets.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace video_depth::VIDEO_DEPTH_KERNELS {

#if defined(__AVX512F__)

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

#else // AVX2 and FMA

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

#endif

constexpr int least(int a, int b) {
  return a < b ? a : b;
}

/// eˣ to 2 units in the last place; e⁻⁸⁷ (next to nothing) below −87, e⁸⁸ above 88; of NaN, NaN.
inline Vf exponential(Vf x) {
  const Vf clamped = smaller(all(88.0F), larger(all(-87.0F), x));
  const Vf n = nearest(clamped * all(1.44269504F));
  const Vf r = fma(n, all(2.12194440e-4F), fma(n, all(-0.693359375F), clamped));
  Vf p = all(1.9875691500e-4F);
  p = fma(p, r, all(1.3981999507e-3F));
  p = fma(p, r, all(8.3334519073e-3F));
  p = fma(p, r, all(4.1665795894e-2F));
  p = fma(p, r, all(1.6666665459e-1F));
  p = fma(p, r, all(5.0000001201e-1F));
  return fma(p, r * r, r + all(1.0F)) * power_of_two(n);
}

/// The exact GELU, x·Φ(x): the error function by Abramowitz and Stegun 7.1.26, absolute error 1.5e-7.
inline Vf gelu(Vf x) {
  const Vf scaled = magnitude(x) * all(0.70710678F);
  const Vf t = all(1.0F) / fma(all(0.3275911F), scaled, all(1.0F));
  Vf p = all(1.061405429F);
  p = fma(p, t, all(-1.453152027F));
  p = fma(p, t, all(1.421413741F));
  p = fma(p, t, all(-0.284496736F));
  p = fma(p, t, all(0.254829592F));
  const Vf tail = p * t * exponential(all(0.0F) - scaled * scaled);
  const Vf half = all(0.5F) * x;
  return fma(half, with_sign(all(1.0F) - tail, x), half);
}

} // namespace video_depth::VIDEO_DEPTH_KERNELS

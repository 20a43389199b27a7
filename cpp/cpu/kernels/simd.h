// Owns: vectors of float32 and elementary functions on them, for the instruction set that this is compiled
// for. Must not know: networks, threads. No function of the standard library: its copies would be shared with
// other sets.
#pragma once

#if defined(VIDEO_DEPTH_KERNELS_PORTABLE)
#include "cpu/kernels/simd_portable.h"
#elif defined(__AVX512F__)
#include "cpu/kernels/simd_avx512.h"
#elif defined(__AVX2__)
#include "cpu/kernels/simd_avx2.h"
#elif defined(__ARM_NEON)
#include "cpu/kernels/simd_neon.h"
#endif

namespace video_depth::VIDEO_DEPTH_KERNELS {

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

// Owns: vectors of numbers in NEON of 64-bit ARM, with dot products, i8mm and bf16 where they are there.
// Must not know: networks, threads. No function of the standard library: its copies would be shared with
// other sets.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace video_depth::VIDEO_DEPTH_KERNELS {

/// A tile of sums fills most of the vector registers: 24 of 32.
constexpr int kTileRows = 6;
constexpr int kTileBlocks = 1;
constexpr int kLanes = 4;
using Vf = float32x4_t;
using Vi = int32x4_t;
/// How many lanes.
using Mask = int;

inline Vf load(const float* p) {
  return vld1q_f32(p);
}
inline void store(float* p, Vf v) {
  vst1q_f32(p, v);
}
inline Vf all(float x) {
  return vdupq_n_f32(x);
}
inline Vf fma(Vf a, Vf b, Vf c) {
  return vfmaq_f32(c, a, b);
}
/// Where either is NaN, `b`.
inline Vf larger(Vf a, Vf b) {
  return vbslq_f32(vcgtq_f32(a, b), a, b);
}
/// Where either is NaN, `b`.
inline Vf smaller(Vf a, Vf b) {
  return vbslq_f32(vcltq_f32(a, b), a, b);
}
inline Vf nearest(Vf a) {
  return vrndnq_f32(a);
}
inline Vi to_integers(Vf v) {
  return vcvtnq_s32_f32(v);
}
inline Vf to_floats(Vi v) {
  return vcvtq_f32_s32(v);
}
inline Vf power_of_two(Vf n) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(to_integers(n), vdupq_n_s32(127)), 23));
}
inline Vf magnitude(Vf a) {
  return vabsq_f32(a);
}
/// `value` ≥ 0 with `sign`'s sign.
inline Vf with_sign(Vf value, Vf sign) {
  return vbslq_f32(vdupq_n_u32(0x80000000U), sign, value);
}
inline Vf square_root(Vf a) {
  return vsqrtq_f32(a);
}
inline float sum(Vf v) {
  return vaddvq_f32(v);
}
inline float largest(Vf v) {
  return vmaxvq_f32(v);
}
inline float smallest(Vf v) {
  return vminvq_f32(v);
}
inline Mask first(int count) {
  return count;
}
/// 0 in the other lanes.
inline Vf load_part(const float* p, Mask mask) {
  if (mask == kLanes) return load(p);
  float lanes[kLanes] = {};
  for (int i = 0; i < mask; i++) lanes[i] = p[i];
  return load(lanes);
}
inline void store_part(float* p, Mask mask, Vf v) {
  if (mask == kLanes) return store(p, v);
  float lanes[kLanes];
  store(lanes, v);
  for (int i = 0; i < mask; i++) p[i] = lanes[i];
}
/// Values 0…255 as bytes.
inline void store_bytes(uint8_t* p, Vi v) {
  const uint16x4_t words = vmovn_u32(vreinterpretq_u32_s32(v));
  const uint8x8_t bytes = vmovn_u16(vcombine_u16(words, words));
  const uint32_t four = vget_lane_u32(vreinterpret_u32_u8(bytes), 0);
  __builtin_memcpy(p, &four, sizeof four);
}
inline Vi all_integers(int32_t x) {
  return vdupq_n_s32(x);
}
inline Vi load_integers_part(const int32_t* p, Mask mask) {
  if (mask == kLanes) return vld1q_s32(p);
  int32_t lanes[kLanes] = {};
  for (int i = 0; i < mask; i++) lanes[i] = p[i];
  return vld1q_s32(lanes);
}
/// a − b · c
inline Vi less(Vi a, Vi b, Vi c) {
  return vmlsq_s32(a, b, c);
}
inline Vf load_half(const uint16_t* p) {
  return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16));
}
/// NaN apart: rounding could carry it over to 0.
inline void store_half(uint16_t* p, Vf v) {
  const uint32x4_t bits = vreinterpretq_u32_f32(v);
  const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
  const uint32x4_t carried = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
  const uint32x4_t rounded = vbslq_u32(vceqq_f32(v, v), vshrq_n_u32(carried, 16), vdupq_n_u32(0x7fc0));
  vst1_u16(p, vmovn_u32(rounded));
}

inline uint32_t four_bytes(const uint8_t* p) {
  uint32_t four = 0;
  __builtin_memcpy(&four, p, sizeof four);
  return four;
}

/// Four products of bytes, added to each sum.
struct Bytes {
#if defined(__ARM_FEATURE_MATMUL_INT8) || defined(__ARM_FEATURE_DOTPROD)
  static constexpr int kTileRows = 6;
  using Sum = Vi;
  static Sum zero() {
    return vdupq_n_s32(0);
  }
  static Vi total(Sum sum) {
    return sum;
  }
#if defined(__ARM_FEATURE_MATMUL_INT8)
  static constexpr int kLevels = 255;
  static Sum add(Sum sum, uint8x16_t left, int8x16_t right) {
    return vusdotq_s32(sum, left, right);
  }
#else
  static constexpr int kLevels = 127; // both sides are signed
  static Sum add(Sum sum, uint8x16_t left, int8x16_t right) {
    return vdotq_s32(sum, vreinterpretq_s8_u8(left), right);
  }
#endif
#else
  static constexpr int kTileRows = 3; // a sum takes two registers
  static constexpr int kLevels = 127; // both sides are signed
  using Sum = int32x4x2_t;
  static Sum zero() {
    return {{vdupq_n_s32(0), vdupq_n_s32(0)}};
  }
  static Sum add(Sum sum, uint8x16_t left, int8x16_t right) {
    const int8x16_t bytes = vreinterpretq_s8_u8(left);
    sum.val[0] = vpadalq_s16(sum.val[0], vmull_s8(vget_low_s8(bytes), vget_low_s8(right)));
    sum.val[1] = vpadalq_s16(sum.val[1], vmull_high_s8(bytes, right));
    return sum;
  }
  static Vi total(Sum sum) {
    return vpaddq_s32(sum.val[0], sum.val[1]);
  }
#endif
  static uint8x16_t left(const uint8_t* p) {
    return vreinterpretq_u8_u32(vdupq_n_u32(four_bytes(p)));
  }
  static int8x16_t right(const int8_t* p) {
    return vld1q_s8(p);
  }
};

#if defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
#define VIDEO_DEPTH_KERNELS_HALVES
/// Two products of bfloat16, added to each sum.
struct Halves {
  static bfloat16x8_t left(const uint16_t* p) {
    uint32_t two = 0;
    __builtin_memcpy(&two, p, sizeof two);
    return vreinterpretq_bf16_u32(vdupq_n_u32(two));
  }
  static bfloat16x8_t right(const uint16_t* p) { return vreinterpretq_bf16_u16(vld1q_u16(p)); }
  static Vf add(Vf sum, bfloat16x8_t left, bfloat16x8_t right) { return vbfdotq_f32(sum, left, right); }
};
#endif

inline void transpose_eight(const float* x, ptrdiff_t stride, float* out, ptrdiff_t out_stride) {
  for (int r = 0; r < 8; r += 4) {
    for (int c = 0; c < 8; c += 4) {
      const float32x4x2_t upper = vtrnq_f32(load(x + r * stride + c), load(x + (r + 1) * stride + c));
      const float32x4x2_t lower = vtrnq_f32(load(x + (r + 2) * stride + c), load(x + (r + 3) * stride + c));
      for (int i = 0; i < 2; i++) {
        store(out + (c + i) * out_stride + r,
              vcombine_f32(vget_low_f32(upper.val[i]), vget_low_f32(lower.val[i])));
        store(out + (c + 2 + i) * out_stride + r,
              vcombine_f32(vget_high_f32(upper.val[i]), vget_high_f32(lower.val[i])));
      }
    }
  }
}

} // namespace video_depth::VIDEO_DEPTH_KERNELS

// Owns: conversion between float32 and float16's bits.
// Must not know: what is converted.
#pragma once

#include <cstdint>
#include <cstring>

#include "host_device.h"

#if defined(__CUDACC__)
#include <cuda_fp16.h>
#endif

namespace video_depth::cuda {

/// Rounded to nearest even; from 65520 on infinite; NaN becomes 0x7fff, as CUDA has it.
VIDEO_DEPTH_HOST_DEVICE inline uint16_t float16_bits(float value) {
#if defined(__CUDA_ARCH__)
  return __half_as_ushort(__float2half_rn(value));
#else
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000u);
  uint32_t rest = bits & 0x7fffffffu;
  if (rest > 0x7f800000u) return 0x7fff;
  if (rest >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);
  if (rest < 0x38800000u) {
    // Subnormal: the last bit of a float32 at ½ is float16's least step, 2⁻²⁴.
    float shifted;
    std::memcpy(&shifted, &rest, sizeof shifted);
    shifted += 0.5f;
    std::memcpy(&rest, &shifted, sizeof rest);
    return static_cast<uint16_t>(sign | (rest - 0x3f000000u));
  }
  rest += 0xfffu + (rest >> 13 & 1u);
  return static_cast<uint16_t>(sign | ((rest - 0x38000000u) >> 13));
#endif
}

/// Exact.
inline float float16_value(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t exponent = bits >> 10 & 0x1fu;
  const uint32_t fraction = bits & 0x3ffu;
  uint32_t wide;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    std::memcpy(&wide, &magnitude, sizeof wide);
  } else {
    wide = (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | fraction << 13;
  }
  wide |= sign;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

} // namespace video_depth::cuda

// Owns: what threads do that look at maps' values or convert them.
// Must not know: CUDA's headers, launches.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "cuda/bodies/pack.h"
#include "cuda/float16.h"
#include "cuda/kernel_types.h"
#include "host_device.h"

namespace video_depth::cuda {

constexpr int kValueThreads = 256;
/// Packs that a thread of the health kernel looks at.
constexpr int kHealthPacks = 4;
constexpr float kInfinity = HUGE_VALF;

VIDEO_DEPTH_HOST_DEVICE inline MapHealth no_health() {
  return {0, kInfinity, -kInfinity};
}

VIDEO_DEPTH_HOST_DEVICE inline void merge(MapHealth& into, const MapHealth& other) {
  into.non_finite += other.non_finite;
  if (other.least < into.least) into.least = other.least;
  if (other.most > into.most) into.most = other.most;
}

/// @param values one map's `count`
template <int kPack>
VIDEO_DEPTH_HOST_DEVICE inline MapHealth health_of(const float* values, size_t count, size_t block,
                                                   int thread) {
  const auto at = [&](int i) {
    const size_t pack = (block * kHealthPacks + static_cast<size_t>(i)) * kValueThreads;
    return (pack + static_cast<size_t>(thread)) * kPack;
  };
  Pack<float, kPack> found[kHealthPacks] = {}; // all read at once, so that the reads overlap
  for (int i = 0; i < kHealthPacks; i++) {
    if (at(i) < count) found[i] = load_pack<kPack>(values + at(i));
  }
  MapHealth health = no_health();
  for (int i = 0; i < kHealthPacks; i++) {
    for (int k = 0; k < kPack && at(i) < count; k++) {
      const float value = found[i].value[k];
      if (value - value == 0) {
        if (value < health.least) health.least = value;
        if (value > health.most) health.most = value;
      } else {
        health.non_finite++;
      }
    }
  }
  return health;
}

/// Whether every one of the maps can be read as packs.
inline bool is_health_wide(const float* maps, size_t values) {
  return is_aligned(maps, sizeof(float) * kWide) && values % kWide == 0;
}

template <OutputType kType>
using OutputOf = std::conditional_t<kType == OutputType::kFloat32, float, uint16_t>;

template <OutputType kType>
VIDEO_DEPTH_HOST_DEVICE inline OutputOf<kType> converted(float value) {
  if constexpr (kType == OutputType::kFloat32) return value;
  if constexpr (kType == OutputType::kFloat16) return float16_bits(value);
  // fmaxf makes NaN 0.
  if constexpr (kType == OutputType::kUint16) {
    return static_cast<uint16_t>(rintf(fminf(fmaxf(value, 0.0f), 65535.0f)));
  }
}

struct ConvertTask {
  template <OutputType kType>
  bool is_wide() const {
    return count % kWide == 0 && is_aligned(in, sizeof(float) * kWide) &&
           is_aligned(out, sizeof(OutputOf<kType>) * kWide);
  }

  const float* in;
  void* out;
  size_t count;
  float scale, offset;
};

template <OutputType kType, int kPack>
VIDEO_DEPTH_HOST_DEVICE inline void convert_pack(const ConvertTask& task, size_t pack) {
  const size_t at = pack * kPack;
  if (at >= task.count) return;
  const Pack<float, kPack> in = load_pack<kPack>(task.in + at);
  Pack<OutputOf<kType>, kPack> out;
  for (int i = 0; i < kPack; i++) out.value[i] = converted<kType>(in.value[i] * task.scale + task.offset);
  store_pack<kPack>(static_cast<OutputOf<kType>*>(task.out) + at, out);
}

} // namespace video_depth::cuda

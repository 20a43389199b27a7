// Owns: what threads do that take sums for a fit: every one of them in an order that depends on the sizes
// alone. Must not know: CUDA's headers, launches.
//
// float64 throughout, which devices without many float64 units do at a thirty-second of their rate or less:
// there these kernels are bound by arithmetic. Products of float32 values are exact in float64, so that
// contraction changes nothing.
#pragma once

#include <cstddef>

#include "cuda/bodies/pack.h"
#include "cuda/bodies/widened.h"
#include "cuda/kernel_types.h"
#include "host_device.h"
#include "stitch/fit_rules.h"

namespace video_depth::cuda {

constexpr int kFitThreads = 128;
constexpr int kFitColumns = 4;
constexpr int kFitRows = 4;
/// Values that one block of launch_map_fit takes.
constexpr size_t kFitValues = 2048;
constexpr int kFinishThreads = 256;

/// Σp², Σp, Σpt, Σt, Σt², or over differences from the means Σp², Σpt, Σt² and nothing.
struct FitParts {
  double part[5];
};

VIDEO_DEPTH_HOST_DEVICE inline void merge(FitParts& into, const FitParts& other) {
  for (int i = 0; i < 5; i++) into.part[i] += other.part[i];
}

VIDEO_DEPTH_HOST_DEVICE inline double multiply_add(double a, double b, double sum) {
#if defined(__CUDA_ARCH__)
  return __fma_rn(a, b, sum);
#else
  return sum + a * b;
#endif
}

VIDEO_DEPTH_HOST_DEVICE inline void add_pair(FitParts& sums, float prediction, float target) {
  const double p = static_cast<double>(prediction), t = static_cast<double>(target);
  sums.part[0] = multiply_add(p, p, sums.part[0]);
  sums.part[1] += p;
  sums.part[2] = multiply_add(p, t, sums.part[2]);
  sums.part[3] += t;
  sums.part[4] = multiply_add(t, t, sums.part[4]);
}

struct FitTask {
  FitTask(const FitPair* from, int count, Extent map, Extent frame) : upsampling(map, frame) {
    for (int i = 0; i < count; i++) pairs[i] = from[i];
  }

  /// Targets' rows can be read as packs.
  bool is_wide(int count) const {
    bool wide = upsampling.frame.width % kFitColumns == 0;
    for (int i = 0; i < count; i++) wide = wide && is_aligned(pairs[i].target, sizeof(float) * kFitColumns);
    return wide;
  }

  Upsampling upsampling;
  FitPair pairs[kMostFitPairs];
};

/// Values of one frame.
constexpr double values_of(Extent frame) {
  return static_cast<double>(frame.width) * frame.height;
}

constexpr int fit_tiles(Extent frame) {
  return (frame.width + kFitThreads * kFitColumns - 1) / (kFitThreads * kFitColumns);
}

constexpr int fit_strips(Extent frame) {
  return (frame.height + kFitRows - 1) / kFitRows;
}

/// @param is_wide the task's; the order of additions is the same
/// @param left columns there are; the others are not read
VIDEO_DEPTH_HOST_DEVICE inline Pack<float, kFitColumns> target_at(const float* at, bool is_wide, int left) {
  if (is_wide) return load_pack<kFitColumns>(at);
  Pack<float, kFitColumns> target;
  for (int i = 0; i < kFitColumns; i++) target.value[i] = i < left ? at[i] : 0.0f;
  return target;
}

/// Sums of one pair's part of a strip.
VIDEO_DEPTH_HOST_DEVICE inline FitParts fit_strip(const FitTask& task, bool is_wide, int tile, int strip,
                                                  int pair_index, int thread) {
  const Extent frame = task.upsampling.frame;
  const FitPair& pair = task.pairs[pair_index];
  FitParts sums{};
  const int x = (tile * kFitThreads + thread) * kFitColumns;
  if (x >= frame.width) return sums;
  const int left = frame.width - x;
  const int y_begin = strip * kFitRows;
  Pack<float, kFitColumns> targets[kFitRows] = {}; // all read at once, so that the reads overlap
  for (int r = 0; r < kFitRows; r++) {
    if (y_begin + r >= frame.height) continue;
    const size_t row = static_cast<size_t>(y_begin + r) * static_cast<size_t>(frame.width);
    targets[r] = target_at(pair.target + row + static_cast<size_t>(x), is_wide, left);
  }
  WidenedColumns<kFitColumns> columns(task.upsampling, pair.map, x);
  for (int r = 0; r < kFitRows; r++) {
    if (y_begin + r >= frame.height) continue;
    float prediction[kFitColumns];
    columns.row(y_begin + r, prediction);
    for (int i = 0; i < kFitColumns; i++) {
      if (i < left) add_pair(sums, prediction[i], targets[r].value[i]);
    }
  }
  return sums;
}

/// What is kept of launch_map_fit's first pass for its second.
struct MapFitState {
  FitParts sums;
  double p_mean, t_mean;
};

VIDEO_DEPTH_HOST_DEVICE inline FitParts map_sums(const float* prediction, const float* target, size_t count,
                                                 size_t block, int thread) {
  FitParts sums{};
  for (size_t i = static_cast<size_t>(thread); i < kFitValues; i += kFitThreads) {
    const size_t at = block * kFitValues + i;
    if (at < count) add_pair(sums, prediction[at], target[at]);
  }
  return sums;
}

/// Over differences from the means, which a large mean does not swamp.
VIDEO_DEPTH_HOST_DEVICE inline FitParts map_moments(const float* prediction, const float* target,
                                                    size_t count, const MapFitState& state, size_t block,
                                                    int thread) {
  FitParts sums{};
  for (size_t i = static_cast<size_t>(thread); i < kFitValues; i += kFitThreads) {
    const size_t at = block * kFitValues + i;
    if (at >= count) continue;
    const double p = static_cast<double>(prediction[at]) - state.p_mean;
    const double t = static_cast<double>(target[at]) - state.t_mean;
    sums.part[0] = multiply_add(p, p, sums.part[0]);
    sums.part[1] = multiply_add(p, t, sums.part[1]);
    sums.part[2] = multiply_add(t, t, sums.part[2]);
  }
  return sums;
}

/// A finishing thread's share of the blocks' sums.
VIDEO_DEPTH_HOST_DEVICE inline FitParts share_of(const FitParts* parts, size_t count, int thread) {
  FitParts sums{};
  for (size_t i = static_cast<size_t>(thread); i < count; i += kFinishThreads) merge(sums, parts[i]);
  return sums;
}

VIDEO_DEPTH_HOST_DEVICE inline FitSums sums_from(const FitParts& parts, double count) {
  return {parts.part[0], parts.part[1], count, parts.part[2], parts.part[3], parts.part[4]};
}

/// The references' scales, in device memory.
struct FitScales {
  FitScales(const FitPair* pairs, int count) {
    for (int i = 0; i < count; i++) at[i] = pairs[i].scale;
  }

  const double* at[kMostFitPairs];
};

/// @param all of all pairs, `each` [count] of each one
/// @param values of one pair's frame
VIDEO_DEPTH_HOST_DEVICE inline DeviceFit window_fit_from(const FitParts& all, const FitParts* each,
                                                         const FitScales& scales, int count, double values) {
  ReferenceSums references[kMostFitPairs];
  for (int i = 0; i < count; i++) {
    references[i].sums = sums_from(each[i], values);
    if (scales.at[i] != nullptr) references[i].scale = *scales.at[i];
  }
  return device_fit(solve_window(sums_from(all, values * count), references, count));
}

VIDEO_DEPTH_HOST_DEVICE inline MapFitState state_from(const FitParts& sums, double count) {
  return {sums, sums.part[1] / count, sums.part[3] / count};
}

VIDEO_DEPTH_HOST_DEVICE inline DeviceFit map_fit_from(const MapFitState& state, const FitParts& moments,
                                                      double count) {
  const FitParts& sums = state.sums;
  const Fit fit = solve_fit(sums.part[0], sums.part[1], count, sums.part[2], sums.part[3]);
  const double alike =
      correlation(moments.part[0], moments.part[1], moments.part[2], state.p_mean, state.t_mean, count);
  return {fit.scale, fit.shift, alike, fit.degenerate ? 1 : 0};
}

/// The blocks' sums, behind the state.
inline FitParts* parts_in(void* scratch) {
  return reinterpret_cast<FitParts*>(static_cast<char*>(scratch) + sizeof(MapFitState));
}

constexpr size_t map_fit_blocks(size_t count) {
  return (count + kFitValues - 1) / kFitValues;
}

constexpr size_t scratch_bytes_of(Extent frame) {
  const size_t strips = static_cast<size_t>(kMostFitPairs) * static_cast<size_t>(fit_tiles(frame)) *
                        static_cast<size_t>(fit_strips(frame));
  const size_t blocks = map_fit_blocks(static_cast<size_t>(frame.width) * static_cast<size_t>(frame.height));
  return sizeof(MapFitState) + sizeof(FitParts) * (strips > blocks ? strips : blocks);
}

} // namespace video_depth::cuda

// Owns: which source values an output position of a resize takes, and with which weights, for the CPU and for
// kernels: the same bits wherever multiplication and addition are not contracted. Must not know: what is
// resized.
#pragma once

#include <cmath>

#include "host_device.h"

namespace video_depth {

VIDEO_DEPTH_HOST_DEVICE inline int clamped_index(int index, int size) {
  return index < 0 ? 0 : (index < size ? index : size - 1);
}

struct LinearTap {
  int low, high;
  float low_weight, high_weight;
};

/// The `scale` that linear_tap takes.
inline float linear_scale(int in, int out) {
  return out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1) : 0.0f;
}

/// align_corners, in float32, as in PyTorch's area_pixel_compute_source_index.
VIDEO_DEPTH_HOST_DEVICE inline LinearTap linear_tap(float scale, int in, int i) {
  const float position = scale * static_cast<float>(i);
  const int low = clamped_index(static_cast<int>(position), in);
  const float fraction = position - static_cast<float>(low);
  const float weight = fraction < 0.0f ? 0.0f : (fraction < 1.0f ? fraction : 1.0f);
  return {low, clamped_index(low + 1, in), 1.0f - weight, weight};
}

constexpr int kCubicTaps = 4;

/// Tap k is of source position first + k, to be clamped to the border.
struct CubicTap {
  int first;
  float weight[kCubicTaps];
};

/// The `scale` that cubic_tap takes.
inline double cubic_scale(int in, int out) {
  return 1.0 / (static_cast<double>(out) / in);
}

/// Half-pixel centres, a = −0.75; OpenCV's interpolateCubic in its order of operations. Positions are float64
/// as in OpenCV 5; OpenCV 4 rounds them to float32, which moves a sample by up to 6e-5 of a pixel at 1280.
VIDEO_DEPTH_HOST_DEVICE inline CubicTap cubic_tap(double scale, int i) {
  constexpr float a = -0.75f;
  const double position = (i + 0.5) * scale - 0.5;
  const double floor = std::floor(position);
  const float x = static_cast<float>(position - floor);
  const float w0 = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
  const float w1 = ((a + 2) * x - (a + 3)) * x * x + 1;
  const float w2 = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1;
  return {static_cast<int>(floor) - 1, {w0, w1, w2, 1.0f - w0 - w1 - w2}};
}

} // namespace video_depth

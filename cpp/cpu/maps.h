// Owns: maps of pixels with their channels side by side, and what turns one into another: convolutions,
// resizing. Must not know: which part of the network it is.
#pragma once

#include <vector>

#include "cpu/linear.h"
#include "cpu/thread_team.h"

namespace video_depth::cpu {

/// [height, width, channels] float32.
struct MapSize {
  int height = 0;
  int width = 0;
  int channels = 0;
  size_t pixels() const { return static_cast<size_t>(height) * static_cast<size_t>(width); }
  size_t values() const { return pixels() * static_cast<size_t>(channels); }
};

/// Where the output pixels of a bilinear resize (align_corners) lie between input pixels, along one axis.
struct ResizeAxis {
  ResizeAxis(int from, int to);
  std::vector<int> left;
  /// To the other neighbour: 1, or 0 at the end.
  std::vector<int> step;
  std::vector<float> weight;
};

/// Carries out convolutions one after another in memory of its own.
class MapWorker {
 public:
  MapWorker(const Kernels& kernels, ThreadTeam& team);

  /**
   * 3×3, padded by 1: [H, W, C] → `end.out`, [⌈H / stride⌉, ⌈W / stride⌉, weights.width()]. `end.add` and
   * `end.add2`, where given, are maps of that size; strides are set here.
   *
   * @param relu the input below 0 counts as 0
   */
  void convolve(const float* in, const MapSize& size, bool relu, const Linear& weights, int stride,
                Finish end);
  /// 1×1.
  void project(const float* in, size_t pixels, const Linear& weights, Finish end);
  void resize(const float* in, const MapSize& size, int height, int width, float* out);

 private:
  /// One range for all values.
  ByteScale scale_of(const float* in, size_t count, bool relu);

  const Kernels& kernels_;
  ThreadTeam& team_;
  std::vector<LeftScratch> left_;
  Buffer<float> padded_;
  Buffer<uint16_t> padded_halves_;
  Buffer<uint8_t> padded_bytes_;
};

} // namespace video_depth::cpu

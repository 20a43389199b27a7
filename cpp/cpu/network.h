// Owns: the whole network at one size: features of frames, the head over windows and streams, depth.
// Must not know: files, videos, who keeps features and memories.
#pragma once

#include <array>
#include <vector>

#include "cpu/encoder.h"
#include "cpu/maps.h"
#include "cpu/model.h"
#include "cpu/network_sizes.h"
#include "cpu/stream_memory.h"
#include "cpu/temporal.h"

namespace video_depth::cpu {

/// Calls of all networks of a model must not overlap.
class Network {
 public:
  /// @param positions [rows · cols, width]; null takes the stored grid. Throws Error where that is of another
  /// size.
  Network(const Model& model, int rows, int cols, const float* positions);

  int rows() const { return rows_; }
  int cols() const { return cols_; }
  size_t feature_values() const { return sizes_.feature_values(); }
  /// What one frame of a stream takes.
  size_t state_bytes() const { return sizes_.state_values() * state_value_bytes(model_.precision()); }
  /// Of a stream of frames of this size, with nothing in it.
  StreamMemory new_memory(int slots) const;

  /// @param pixels [3, 14 · rows, 14 · cols]; @param features receives feature_values() values
  void encode(const float* pixels, float* features);

  /// @param tables position tables of the eight attentions, [frames, C]; empty takes the stored ones
  void head(const std::vector<const float*>& window, const std::vector<const float*>& tables);

  /**
   * One new frame of a stream. Leaves the memory as it is; throws Error before anything is done where a slot
   * is seen that nothing was put into, or where the frame's states do not fit the budget.
   *
   * @param positions rows of the position tables for each slot and, last, for the new frame
   * @param visible whether the new frame sees each slot and, last, itself
   */
  void step(const float* features, StreamMemory& memory, const int32_t* positions, const uint8_t* visible);
  /// The states of the last step into these slots of the same memory. Once a step.
  void remember(StreamMemory& memory, const int32_t* into, int count);

  /// @param position in the window of the last head; 0 after a step; @param map receives [14 · rows, 14 ·
  /// cols], ≥ 0 where finite
  void decode(int position, const float* features, float* map);

 private:
  struct Layers {
    std::array<const float*, 4> map;
  };
  /// One thread's own lines of the output.
  struct Band {
    Buffer<float> large;
    Buffer<uint16_t> halves;
    Buffer<float> hidden;
  };

  Layers layers(const float* features) const;
  void unit(const UnitWeights& weights, const float* x, const MapSize& size, const float* other, float* out);
  void fuse(const FusionWeights& weights, const float* path, const float* layer, const MapSize& size,
            float* out);
  void fusion4(int frame);
  void fusion3(int frame);
  void grow(int frames);
  void output(const float* in, const MapSize& size, float* map);
  float* frame(Buffer<float>& maps, int index, const MapSize& size);

  const Model& model_;
  int rows_;
  int cols_;
  NetworkSizes sizes_;
  Encoder encoder_;
  MapWorker maps_;
  TemporalWorker temporal_;
  /// Frames of the last head; 1 after a step, 0 before either.
  int frames_ = 0;
  /// For all frames of a window.
  Buffer<float> mixed_;
  Buffer<float> joined3_;
  Buffer<float> joined4_;
  Buffer<float> paths4_;
  Buffer<float> paths3_;
  /// For one frame at a time.
  std::array<Buffer<float>, 3> scratch_;
  Buffer<float> path2_;
  Buffer<float> path1_;
  Buffer<float> half_;
  std::vector<Band> bands_;
  /// States of the last step, until they are remembered.
  States states_;
};

} // namespace video_depth::cpu

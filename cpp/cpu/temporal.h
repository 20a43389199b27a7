// Owns: one temporal module over the frames of a window, and for the newest frame of a stream.
// Must not know: where in the head it stands, which frames these are.
#pragma once

#include <cstddef>
#include <vector>

#include "cpu/model.h"

namespace video_depth::cpu {

/// One frame that a stream remembers, as one attention sees it.
struct Seen {
  /// [pixels, C]
  const std::byte* states = nullptr;
  /// Row of the position table.
  int32_t position = 0;
};

/// What one temporal attention of a stream reads and writes. States are float32, or bfloat16 where the model
/// computes in int8.
struct Memory {
  std::vector<Seen> seen;
  /// The new frame's position, and whether it sees itself.
  int32_t position = 0;
  bool sees_itself = true;
  /// Receives the new frame's states, [pixels, C].
  std::byte* state = nullptr;
};

/// Works in memory of its own, which it keeps.
class TemporalWorker {
 public:
  explicit TemporalWorker(const Model& model);

  /**
   * @param frames maps of [pixels, C] each; @param out [frames, pixels, C], where each may be its frame
   * itself
   * @param tables position tables, [frames, C], of the two attentions
   */
  void window(const TemporalWeights& weights, const std::vector<const float*>& frames, int pixels,
              const float* const tables[kAttentions], float* out);
  /// One frame, [pixels, C], in place.
  void step(const TemporalWeights& weights, float* x, int pixels, const Memory (&memories)[kAttentions]);

 private:
  /// One thread's own.
  struct Workspace {
    LeftScratch left;
    Buffer<float> x;
    Buffer<float> normal;
    Buffer<float> wide;
    Buffer<float> gates;
    Buffer<float> keys;
    Buffer<float> scores;
    Buffer<float> sums;
    Buffer<float> seen;
  };

  void group_norms(const TemporalWeights& weights, const std::vector<const float*>& frames, int pixels);
  void attend_window(Workspace& workspace, int frames, int sequences, int channels) const;
  void feed_forward(const TemporalWeights& weights, Workspace& workspace, int rows) const;
  void keep(const float* states, size_t count, std::byte* out) const;
  void attend_memory(const TemporalAttentionWeights& weights, const Memory& memory, int pixel, int count,
                     Workspace& workspace) const;

  const Model& model_;
  /// Of a state's value.
  size_t value_bytes_;
  /// GroupNorm's mean, and its scale with the weight, for each frame and channel.
  Buffer<float> centre_;
  Buffer<float> scale_;
  std::vector<Workspace> workspaces_;
};

} // namespace video_depth::cpu

// Owns: one temporal module over the frames of a window, and for the newest frame of a stream.
// Must not know: where in the head it stands, which frames these are.
#pragma once

#include <vector>

#include "cpu/model.h"

namespace video_depth::cpu {

/// What one temporal attention of a stream reads: the memory is [pixels, slots, C].
struct Memory {
  const float* states = nullptr;
  int slots = 0;
  /// Rows of the position table for each slot and, last, for the new frame; whether they are seen.
  const int32_t* positions = nullptr;
  const uint8_t* visible = nullptr;
  /// Receives the new frame's states, [pixels, C].
  float* state = nullptr;
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
  void attend_memory(const TemporalAttentionWeights& weights, const Memory& memory, int pixel, int count,
                     Workspace& workspace) const;

  const Model& model_;
  /// GroupNorm's mean, and its scale with the weight, for each frame and channel.
  Buffer<float> centre_;
  Buffer<float> scale_;
  std::vector<Workspace> workspaces_;
};

} // namespace video_depth::cpu

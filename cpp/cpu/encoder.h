// Owns: the encoder's way from pixels to the four projected taps, and its working memory, at one size.
// Must not know: what becomes of the maps, frames.
#pragma once

#include <array>
#include <vector>

#include "cpu/model.h"

namespace video_depth::cpu {

/// Rows in parts of up to 48 that begin at multiples of 6, about as many rows for each thread.
class Parts {
 public:
  Parts(int rows, int threads);
  int count() const { return count_; }
  int start(int part) const;
  int size(int part) const { return start(part + 1) - start(part); }

 private:
  int rows_;
  int tiles_;
  int count_;
};

class Encoder {
 public:
  /// @param rows and @param cols patches
  /// @param positions [rows · cols, width]
  Encoder(const Model& model, int rows, int cols, Buffer<float> positions);

  /// @param pixels [3, 14 · rows, 14 · cols]
  /// @param maps receive [rows, cols, out] each, out being the head's channels of that tap
  void run(const float* pixels, const std::array<float*, 4>& maps);

 private:
  /// One thread's own.
  struct Workspace {
    LeftScratch left;
    Buffer<float> normal;
    Buffer<float> wide;
    Buffer<float> scores;
    Buffer<uint16_t> shares;
    Buffer<float> sums;
  };

  void embed(const float* pixels, int part, Workspace& workspace);
  void queries(const BlockWeights& block, int part, Workspace& workspace);
  void keep(const float* values, int token, int count, int head);
  void attend(int task, Workspace& workspace);
  void finish(const BlockWeights& block, int part, Workspace& workspace);
  void tap(int index, int part, float* map, Workspace& workspace);

  const Model& model_;
  int rows_;
  int cols_;
  int width_;
  /// With the class token, which is the first.
  int tokens_;
  /// Rounded up to blocks of keys.
  int padded_;
  /// Tokens, and queries, that a thread works on at a time.
  Parts parts_;
  Buffer<float> positions_;
  Buffer<float> x_;
  Buffer<float> mixed_;
  /// By head. Of int8: queries by row and keys by column as bytes; values then as bfloat16 where the
  /// processor has it.
  Buffer<float> queries_;
  Buffer<float> keys_;
  Buffer<float> values_;
  Buffer<uint8_t> query_bytes_;
  Buffer<float> query_scale_;
  Buffer<int32_t> query_zero_;
  Buffer<int8_t> key_bytes_;
  Buffer<float> key_scale_;
  Buffer<int32_t> key_sum_;
  Buffer<uint16_t> value_halves_;
  std::vector<Workspace> workspaces_;
};

} // namespace video_depth::cpu

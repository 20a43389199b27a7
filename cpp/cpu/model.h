// Owns: all weights of the network, packed, and what every network over them shares: kernels and threads.
// Must not know: frames' sizes, frames.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "cpu/kernels.h"
#include "cpu/linear.h"
#include "cpu/stream_memory.h"
#include "cpu/thread_team.h"
#include "cpu/weights_file.h"

namespace video_depth::cpu {

/// Width of every encoder attention head in DINOv2.
constexpr int kHeadWidth = 64;
constexpr int kPatch = 14;
/// Upstream's constants: heads of the temporal attentions, groups of their GroupNorm.
constexpr int kTemporalHeads = 8;
constexpr int kTemporalGroups = 32;
constexpr int kTemporalModules = 4;
constexpr int kAttentions = 2;
/// Channels between the two last convolutions.
constexpr int kOutputChannels = 32;

enum class Precision { fp32, int8 };

struct Dimensions {
  int embed_width = 0;
  /// Encoder blocks in the file.
  int depth = 0;
  int features = 0;
  std::array<int, 4> out_channels{};
  int temporal_length = 0;
  /// Blocks whose output the head reads, ascending.
  std::array<int, 4> taps{};

  int heads() const { return embed_width / kHeadWidth; }
  /// Channels of temporal module `i`.
  int temporal_width(int i) const { return i < 2 ? out_channels[static_cast<size_t>(i) + 2] : features; }
};

/// A norm's two vectors, in memory of its own.
struct NormWeights {
  Buffer<float> weight;
  Buffer<float> bias;
  float epsilon = 0;
  Norm view() const { return {weight.data(), bias.data(), epsilon}; }
};

struct BlockWeights {
  NormWeights norm1;
  Linear query_key_value; // the keys' bias is left out: it adds the same to all scores of a query
  Linear projection;
  Buffer<float> scale1; // LayerScale
  NormWeights norm2;
  Linear hidden;
  Linear output;
  Buffer<float> scale2;
};

struct TemporalAttentionWeights {
  NormWeights norm;
  Linear query_key_value;
  Linear output;
  /// [temporalLength, C]
  Buffer<float> positions;
  /// What positions were divided by, [C]; null: nothing.
  Buffer<float> scales;
  /// For steps of a stream: the query's projection, and each head's key projection, transposed, and value
  /// projection.
  Linear query;
  std::vector<Linear> absorbed_keys;
  std::vector<Linear> values;
};

struct TemporalWeights {
  NormWeights group_norm;
  Linear input;
  std::array<TemporalAttentionWeights, kAttentions> attention;
  NormWeights norm;
  Linear value;
  Linear gate;
  Linear feed_forward;
  Linear output;
};

struct UnitWeights {
  std::array<Linear, 2> convolution;
};

struct FusionWeights {
  /// Weights for the layer that joins; empty in fusion 4.
  UnitWeights layer_unit;
  UnitWeights unit;
  Linear output;
};

struct HeadWeights {
  std::array<Linear, 4> projection;
  Linear enlarge1; // [out0, 16 · out0]
  Linear enlarge2; // [out1, 4 · out1]
  Linear reduce4;
  std::array<Linear, 4> layer;
  /// Fusion 1…4 at 0…3.
  std::array<FusionWeights, 4> fusion;
  std::array<TemporalWeights, kTemporalModules> temporal;
  Linear output1;
  Linear output2;
  Buffer<float> depth_weight; // [32]
  float depth_bias = 0;
};

struct ModelOptions {
  const Kernels* kernels = nullptr;
  Precision precision = Precision::fp32;
  int threads = 1;
  Dimensions dimensions;
};

class Model {
 public:
  /// Throws Error where the file or the dimensions do not fit.
  Model(const ModelOptions& options, const WeightsFile& file);

  const Kernels& kernels() const { return *options_.kernels; }
  ThreadTeam& team() const { return team_; }
  const Dimensions& dimensions() const { return options_.dimensions; }
  Precision precision() const { return options_.precision; }
  /// Shared: what its streams remember.
  const StatePool& state_pool() const { return state_pool_; }
  size_t weight_bytes() const;

  Linear patches;
  Buffer<float> class_token; // with its position
  /// Side of the stored square grid of positions, patches, and its values, [side², C].
  int grid_side = 0;
  Buffer<float> positions;
  std::vector<BlockWeights> blocks;
  NormWeights norm;
  HeadWeights head;

 private:
  class Packer;

  ModelOptions options_;
  /// float32 or int8; and of what follows the upsampling to full size, which wants more than 8 bits.
  Arithmetic products_;
  Arithmetic fine_;
  mutable ThreadTeam team_;
  StatePool state_pool_;
};

} // namespace video_depth::cpu

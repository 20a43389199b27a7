// Owns: scales of channels between two parts of the network that are linear, or a ReLU apart, for products of
// bytes. Must not know: how weights are packed.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "cpu/model.h"

namespace video_depth::cpu {

/// What is done to a tensor's values before they are packed; empty: nothing.
struct Fold {
  /// Input channels are multiplied with these,
  std::vector<float> inputs;
  /// and output channels divided by these, their bias, too. Of a norm and a table of positions: all channels.
  std::vector<float> outputs;

  float weight(float value, int input, int output) const {
    if (!inputs.empty()) value *= inputs[static_cast<size_t>(input)];
    return output_value(value, output);
  }
  float output_value(float value, int output) const {
    return outputs.empty() ? value : value / outputs[static_cast<size_t>(output)];
  }
};

/**
 * Folds by a tensor's name, without `.weight`. The network stays the same function.
 *
 * The levels of a row of bytes reach to its largest channel, those of a column to its largest weight, so a
 * few large channels take the levels of all others. Each channel is therefore divided by a scale before a
 * product, and its weights are multiplied with it: the root of the channel's size over the length of its
 * weights, halfway to where all channels are as large. A network that was rescaled between the two comes out
 * the same.
 *
 * SmoothQuant (arXiv 2211.10438) with α = 1/2. The sizes of channels are expected ones, from the weights
 * alone.
 */
using Folds = std::unordered_map<std::string, Fold>;
Folds fold_channels(const WeightsFile& file, const Dimensions& dimensions);

} // namespace video_depth::cpu

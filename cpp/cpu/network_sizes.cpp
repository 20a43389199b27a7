// Owns: the sizes of the network's maps and states for a number of patches, and what that takes of memory.
// Must not know: weights, what is computed.

#include "cpu/network_sizes.h"

namespace video_depth::cpu {

NetworkSizes::NetworkSizes(const Dimensions& dimensions, int rows, int cols)
    : layer{{{4 * rows, 4 * cols, dimensions.features},
             {2 * rows, 2 * cols, dimensions.features},
             {rows, cols, dimensions.out_channels[2]},
             {(rows + 1) / 2, (cols + 1) / 2, dimensions.out_channels[3]}}},
      path4{rows, cols, dimensions.features},
      path3{2 * rows, 2 * cols, dimensions.features} {
}

const MapSize& NetworkSizes::temporal(int i) const {
  return i == 0 ? layer[2] : i == 1 ? layer[3] : i == 2 ? path4 : path3;
}

size_t NetworkSizes::feature_values() const {
  size_t sum = 0;
  for (const MapSize& size : layer) sum += size.values();
  return sum;
}

size_t NetworkSizes::state_values() const {
  size_t sum = 0;
  for (int i = 0; i < kTemporalModules; i++) sum += kAttentions * temporal(i).values();
  return sum;
}

MemoryNeeds memory_for(const Dimensions& dimensions, Precision precision, int rows, int cols) {
  const NetworkSizes sizes(dimensions, rows, cols);
  return {sizes.feature_values() * sizeof(float), sizes.state_values() * state_value_bytes(precision)};
}

} // namespace video_depth::cpu

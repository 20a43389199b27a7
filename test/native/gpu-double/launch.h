// Owns: in which order grids' threads run on a processor.
// Must not know: kernels.
#pragma once

#include <cstddef>

namespace gpu_double {

/// Of a grid's blocks, and of a block's threads between two barriers.
enum class Order { kForward, kReverse, kRandom };

/// Holds for launches that are queued from now on. Random: the same each time after this call.
void set_order(Order order);

/// Grids and their threads carried out so far.
struct Launched {
  size_t grids = 0, threads = 0;
};
Launched launched();

} // namespace gpu_double

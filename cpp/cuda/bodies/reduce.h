// Owns: bringing what a block's threads have found together, in an order that depends on the number of
// threads alone. Must not know: what was found.
#pragma once

#include "host_device.h"

namespace video_depth::cuda {

/// One thread's part of one of the steps half = threads/2, threads/4 … 1; all threads are done with a step
/// before any begins the next. `shared[0]` is the result.
template <class T>
VIDEO_DEPTH_HOST_DEVICE inline void merge_half(T* shared, int half, int thread) {
  if (thread < half) merge(shared[thread], shared[thread + half]);
}

} // namespace video_depth::cuda

// Owns: device buffers that are used again.
// Must not know: what is in them.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "cuda/memory.h"

namespace video_depth::gpu {

/// Gives and takes from any thread. Whoever takes a buffer queues its work behind that of whoever gave it.
class BufferPool {
 public:
  /// @param kept most buffers that wait for their next use
  explicit BufferPool(size_t kept) : kept_(kept) {}

  /// At least so many bytes.
  cuda::DeviceBuffer take(size_t bytes);
  void give(cuda::DeviceBuffer buffer);

 private:
  size_t kept_;
  std::mutex mutex_;
  std::vector<cuda::DeviceBuffer> free_;
};

} // namespace video_depth::gpu

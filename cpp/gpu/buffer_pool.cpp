// Owns: device buffers that are used again.
// Must not know: what is in them.

#include "gpu/buffer_pool.h"

#include <algorithm>
#include <utility>

namespace video_depth::gpu {

cuda::DeviceBuffer BufferPool::take(size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    const auto fitting = std::find_if(free_.begin(), free_.end(), [&](const cuda::DeviceBuffer& buffer) {
      return buffer.bytes() >= bytes;
    });
    if (fitting != free_.end()) {
      cuda::DeviceBuffer buffer = std::move(*fitting);
      free_.erase(fitting);
      return buffer;
    }
  }
  return cuda::DeviceBuffer(bytes);
}

void BufferPool::give(cuda::DeviceBuffer buffer) {
  const std::lock_guard lock(mutex_);
  if (free_.size() < kept_) free_.push_back(std::move(buffer));
}

} // namespace video_depth::gpu

// Owns: stitching on the device: frames held back for the next blend, remembered references, memory for both.
// Must not know: plans, how results get to the host. Runs the steps of stitch/stitcher.h with the same
// results up to the order of sums.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/kernels.h"
#include "cuda/memory.h"
#include "gpu/buffer_pool.h"
#include "stitch/step.h"

namespace video_depth::gpu {

/// The frames that leave with one step, on their way to the host.
struct LeavingFrames {
  /// One frame after another.
  cuda::DeviceBuffer frames;
  int count = 0;
};

class DeviceStitcher {
 public:
  DeviceStitcher(cuda::Extent map, cuda::Extent frame);

  /// Throws Error unless the step can be carried out; nothing has changed then.
  /// @param maps [slots] on the device, null where there is none
  void check(const std::vector<const float*>& maps, const StitchStep& step,
             const std::vector<FrameView>& out) const;

  /// Queues a step that was checked.
  /// @param leaving room for `count` frames
  /// @param fit receives the step's scale and shift, on the device
  void stitch(const std::vector<const float*>& maps, const StitchStep& step, const LeavingFrames& leaving,
              cuda::DeviceFit* fit, cuda::Stream& stream);

  int held() const { return static_cast<int>(held_.size()); }
  size_t frame_values() const;

 private:
  struct Reference {
    int64_t frame;
    cuda::DeviceBuffer data;
    /// One double: what its map was multiplied by.
    cuda::DeviceBuffer scale;
  };

  std::vector<cuda::FrameJob> jobs(const std::vector<const float*>& maps, const StitchStep& step,
                                   const LeavingFrames& leaving, std::vector<cuda::DeviceBuffer>& next_held,
                                   std::vector<Reference>& next_references);
  void replace_left_out(const std::vector<const float*>& maps, const StitchStep& step,
                        std::vector<cuda::FrameJob>& jobs) const;
  const Reference& reference(int64_t frame) const;
  void queue_fit(const std::vector<const float*>& maps, const StitchStep& step, cuda::DeviceFit* fit,
                 cuda::Stream& stream);

  cuda::Extent map_, frame_;
  BufferPool pool_;
  BufferPool scales_;
  cuda::DeviceBuffer scratch_;
  std::vector<cuda::DeviceBuffer> held_;
  std::vector<Reference> references_;
};

} // namespace video_depth::gpu

// Owns: what all sessions on one device share: the streams, the scratch memory, the executor.
// Must not know: sessions, plans.
#pragma once

#include "cuda/memory.h"
#include "gpu/executor.h"
#include "gpu/plan_run.h"

namespace video_depth::gpu {

/// Created, used and destroyed on the device thread, but for what the completing thread does with `download`.
struct DeviceLanes {
  /// Everything that plans compute.
  cuda::Stream compute;
  /// Frames to the device.
  cuda::Stream upload;
  /// Alignment, blending and scaling, beside the next window's encoding.
  cuda::Stream finish;
  /// Results to the host; the completing thread's.
  cuda::Stream download;
  Scratch scratch{compute};
};

} // namespace video_depth::gpu

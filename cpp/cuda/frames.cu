// Owns: launching what writes frames.
// Must not know: windows, streams of video.

#include "cuda/bodies/frames.h"

#include "cuda/kernels.h"
#include "cuda/launch.cuh"
#include "cuda/launch_checks.h"

namespace video_depth::cuda {

namespace {

template <int kColumns>
__global__ void __launch_bounds__(kFrameThreads) frames_kernel(const __grid_constant__ FrameTask task) {
  write_frame_strip<kColumns>(task, static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y),
                              static_cast<int>(blockIdx.z), static_cast<int>(threadIdx.x));
}

template <int kColumns>
void launch(const FrameTask& task, int count, cudaStream_t stream) {
  const Extent frame = task.upsampling.frame;
  const dim3 grid(grid_side(static_cast<size_t>(frame.width), kFrameThreads * kColumns),
                  grid_side(static_cast<size_t>(frame.height), kStripRows), static_cast<unsigned>(count));
  frames_kernel<kColumns><<<grid, kFrameThreads, 0, stream>>>(task);
}

} // namespace

cudaError_t launch_write_frames(const FrameJob* jobs, int count, Extent map, Extent frame,
                                const DeviceFit* fit, cudaStream_t stream) {
  if (!write_frames_fits(jobs, count, map, frame, fit)) return cudaErrorInvalidValue;
  if (count == 0) return cudaSuccess;
  const FrameTask task(jobs, count, map, frame, fit);
  if (task.is_wide) {
    launch<kWide>(task, count, stream);
  } else {
    launch<1>(task, count, stream);
  }
  return cudaGetLastError();
}

} // namespace video_depth::cuda

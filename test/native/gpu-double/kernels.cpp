// Owns: the launch functions on the double: each queues its CPU reference on the stream it is given.
// Must not know: how the double runs a stream.

#include "cuda/kernels.h"

#include <vector>

#include "cuda/bodies/fit.h"
#include "cuda/launch_checks.h"
#include "cuda/reference.h"
#include "gpu-double/queue.h"

namespace video_depth::cuda {

// Host memory is read during the call, device memory when the work's turn comes, as on a GPU.

cudaError_t launch_preprocess(const PictureView& picture, void* out, Element element, Extent size,
                              cudaStream_t stream) {
  if (!preprocess_fits(picture, out, element, size)) return cudaErrorInvalidValue;
  return gpu_double::enqueue(stream, [=] { reference::preprocess(picture, out, element, size); });
}

size_t fit_scratch_bytes(Extent frame) {
  return scratch_bytes_of(frame);
}

cudaError_t launch_fit(const FitPair* pairs, int count, Extent map, Extent frame, void* scratch,
                       DeviceFit* fit, cudaStream_t stream) {
  if (!fit_fits(pairs, count, map, frame, scratch, fit)) return cudaErrorInvalidValue;
  const std::vector<FitPair> kept(pairs, pairs + count);
  return gpu_double::enqueue(stream, [=] { reference::fit(kept.data(), count, map, frame, fit); });
}

cudaError_t launch_map_fit(const float* prediction, const float* target, size_t count, void* scratch,
                           DeviceFit* fit, cudaStream_t stream) {
  if (!map_fit_fits(prediction, target, count, scratch, fit)) return cudaErrorInvalidValue;
  return gpu_double::enqueue(stream, [=] { reference::map_fit(prediction, target, count, fit); });
}

cudaError_t launch_write_frames(const FrameJob* jobs, int count, Extent map, Extent frame,
                                const DeviceFit* fit, cudaStream_t stream) {
  if (!write_frames_fits(jobs, count, map, frame, fit)) return cudaErrorInvalidValue;
  const std::vector<FrameJob> kept(jobs, jobs + count);
  return gpu_double::enqueue(stream, [=] { reference::write_frames(kept.data(), count, map, frame, fit); });
}

cudaError_t launch_health(const float* maps, int count, size_t values, MapHealth* health,
                          cudaStream_t stream) {
  if (!health_fits(maps, count, values, health)) return cudaErrorInvalidValue;
  return gpu_double::enqueue(stream, [=] { reference::health(maps, count, values, health); });
}

cudaError_t launch_convert(const float* in, void* out, OutputType type, size_t count, float scale,
                           float offset, cudaStream_t stream) {
  if (!convert_fits(in, out, type, count)) return cudaErrorInvalidValue;
  return gpu_double::enqueue(stream, [=] { reference::convert(in, out, type, count, scale, offset); });
}

cudaError_t launch_copy_blocks(const BlockCopy* copies, int count, size_t bytes, cudaStream_t stream) {
  if (!copy_blocks_fits(copies, count, bytes)) return cudaErrorInvalidValue;
  const std::vector<BlockCopy> kept(copies, copies + count);
  return gpu_double::enqueue(stream, [=] { reference::copy_blocks(kept.data(), count, bytes); });
}

cudaError_t launch_write_state(const void* state, void* memory, Element element, int pixels, int slots,
                               int width, int first, int stride, int written, const MapHealth* gate,
                               cudaStream_t stream) {
  if (!write_state_fits(state, memory, element, pixels, slots, width, first, stride, written)) {
    return cudaErrorInvalidValue;
  }
  return gpu_double::enqueue(stream, [=] {
    reference::write_state(state, memory, element, pixels, slots, width, first, stride, written, gate);
  });
}

} // namespace video_depth::cuda

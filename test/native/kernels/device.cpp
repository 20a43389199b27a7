// Owns: where kernel tests run kernels: the first CUDA device.
// Must not know: what is tested.

#include <cuda_runtime_api.h>

#include "cuda/failure.h"
#include "cuda/kernels.h"
#include "kernels/device.h"

namespace kernel_test {

namespace {

using video_depth::cuda::check;

constexpr cudaStream_t kStream = nullptr;

/// Waits, so that what a kernel did wrong shows at its own test.
bool finish(cudaError_t status) {
  if (status == cudaErrorInvalidValue) return false;
  check(status, "a launch");
  check(cudaDeviceSynchronize(), "running a kernel");
  return true;
}

} // namespace

void* allocate(size_t bytes) {
  void* data = nullptr;
  check(cudaMalloc(&data, bytes), "allocating memory");
  return data;
}

void release(void* data) {
  cudaFree(data);
}

void upload(void* to, const void* from, size_t bytes) {
  check(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), "copying to the GPU");
}

void download(void* to, const void* from, size_t bytes) {
  check(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), "copying from the GPU");
}

bool run_preprocess(const PictureView& picture, void* out, Element element, Extent size) {
  return finish(launch_preprocess(picture, out, element, size, kStream));
}

bool run_fit(const FitPair* pairs, int count, Extent map, Extent frame, void* scratch, DeviceFit* fit) {
  return finish(launch_fit(pairs, count, map, frame, scratch, fit, kStream));
}

bool run_map_fit(const float* prediction, const float* target, size_t count, void* scratch, DeviceFit* fit) {
  return finish(launch_map_fit(prediction, target, count, scratch, fit, kStream));
}

bool run_write_frames(const FrameJob* jobs, int count, Extent map, Extent frame, const DeviceFit* fit) {
  return finish(launch_write_frames(jobs, count, map, frame, fit, kStream));
}

bool run_health(const float* maps, int count, size_t values, MapHealth* health) {
  return finish(launch_health(maps, count, values, health, kStream));
}

bool run_convert(const float* in, void* out, OutputType type, size_t count, float scale, float offset) {
  return finish(launch_convert(in, out, type, count, scale, offset, kStream));
}

bool run_copy_blocks(const BlockCopy* copies, int count, size_t bytes) {
  return finish(launch_copy_blocks(copies, count, bytes, kStream));
}

bool run_write_state(const void* state, void* memory, Element element, int pixels, int slots, int width,
                     int first, int stride, int written, const MapHealth* gate) {
  return finish(launch_write_state(state, memory, element, pixels, slots, width, first, stride, written, gate,
                                   kStream));
}

size_t scratch_bytes(Extent frame) {
  return fit_scratch_bytes(frame);
}

} // namespace kernel_test

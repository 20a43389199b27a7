// Owns: where kernels run and their memory lies, for tests: the first CUDA device, or its double.
// Must not know: what is tested.
#pragma once

#include <cstddef>

#include "cuda/kernel_types.h"
#include "image/picture.h"

namespace kernel_test {

using namespace video_depth::cuda;
using video_depth::PictureView;

/// Aligned to 256 bytes.
void* allocate(size_t bytes);
void release(void* data);
void upload(void* to, const void* from, size_t bytes);
void download(void* to, const void* from, size_t bytes);

// The launch functions with memory from here, waited for; false where they refuse what they are given.

bool run_preprocess(const PictureView& picture, void* out, Element element, Extent size);
bool run_fit(const FitPair* pairs, int count, Extent map, Extent frame, void* scratch, DeviceFit* fit);
bool run_map_fit(const float* prediction, const float* target, size_t count, void* scratch, DeviceFit* fit);
bool run_write_frames(const FrameJob* jobs, int count, Extent map, Extent frame, const DeviceFit* fit);
bool run_health(const float* maps, int count, size_t values, MapHealth* health);
bool run_convert(const float* in, void* out, OutputType type, size_t count, float scale, float offset);
bool run_copy_blocks(const BlockCopy* copies, int count, size_t bytes);
bool run_write_state(const void* state, void* memory, Element element, int pixels, int slots, int width,
                     int first, int stride, int written, const MapHealth* gate);
size_t scratch_bytes(Extent frame);

} // namespace kernel_test

// Owns: what every kernel does, on the CPU and on the CPU's memory: see cuda/kernels.h for what is asked and
// given. Must not know: CUDA's headers, how kernels do it.
#pragma once

#include "cuda/kernel_types.h"
#include "image/picture.h"

/// Each returns false, and does nothing, where the launch function would answer cudaErrorInvalidValue.
namespace video_depth::cuda::reference {

/// @param picture valid (check_picture)
bool preprocess(const PictureView& picture, void* out, Element element, Extent size);

bool fit(const FitPair* pairs, int count, Extent map, Extent frame, DeviceFit* fit);

bool map_fit(const float* prediction, const float* target, size_t count, DeviceFit* fit);

bool write_frames(const FrameJob* jobs, int count, Extent map, Extent frame, const DeviceFit* fit);

bool health(const float* maps, int count, size_t values, MapHealth* health);

bool convert(const float* in, void* out, OutputType type, size_t count, float scale, float offset);

bool copy_blocks(const BlockCopy* copies, int count, size_t bytes);

bool write_state(const void* state, void* memory, Element element, int pixels, int slots, int width,
                 int first, int stride, int written, const MapHealth* gate);

} // namespace video_depth::cuda::reference

// Owns: our kernels, one launch function each; every one has a CPU reference in cuda/reference.h.
// Must not know: sessions, streams' memory, TensorRT. Pointers are to device memory unless said otherwise;
// nothing here waits for the device. Each returns what its launch returned, or
// cudaErrorInvalidValue for sizes that do not fit together.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "cuda/kernel_types.h"
#include "image/picture.h"

namespace video_depth::cuda {

/// See video_depth::preprocess; from every pixel format, in one pass.
/// @param picture `data` in device memory; checked by the caller (check_picture)
/// @param out [3, height, width] of `element`
cudaError_t launch_preprocess(const PictureView& picture, void* out, Element element, Extent size,
                              cudaStream_t stream);

/// Bytes of scratch that launch_fit and launch_map_fit need for frames (or maps) of this size.
size_t fit_scratch_bytes(Extent frame);

/// One scale and shift from all pairs together. Sums in float64 in an order that depends on the sizes alone:
/// the same bits every time. No pairs: scale 1, shift 0.
/// @param pairs host memory, at most kMostFitPairs, read during the call
cudaError_t launch_fit(const FitPair* pairs, int count, Extent map, Extent frame, void* scratch,
                       DeviceFit* fit, cudaStream_t stream);

/// The line between two maps of the same size, with their correlation: see video_depth::fit_map.
cudaError_t launch_map_fit(const float* prediction, const float* target, size_t count, void* scratch,
                           DeviceFit* fit, cudaStream_t stream);

/// @param jobs host memory, at most kMostFrameJobs, read during the call
/// @param fit scale and shift for all; null: 1 and 0
cudaError_t launch_write_frames(const FrameJob* jobs, int count, Extent map, Extent frame,
                                const DeviceFit* fit, cudaStream_t stream);

/// @param maps [count, values] float32
/// @param health [count]
cudaError_t launch_health(const float* maps, int count, size_t values, MapHealth* health,
                          cudaStream_t stream);

/// out = in · scale + offset: float32 as it is; float16 rounded to nearest even, beyond 65504 infinite;
/// uint16 rounded half to even, clamped to 0…65535, NaN 0.
cudaError_t launch_convert(const float* in, void* out, OutputType type, size_t count, float scale,
                           float offset, cudaStream_t stream);

/// Copies `count` blocks of `bytes` each in one launch: gathers slots into a batch, or scatters a batch into
/// slots.
/// @param copies host memory, read during the call; no block overlaps another
cudaError_t launch_copy_blocks(const BlockCopy* copies, int count, size_t bytes, cudaStream_t stream);

/// Puts `state` [pixels, width] into slots of `memory` [pixels, slots, width].
/// @param first, stride, written slots first, first + stride … (`written` of them) take it
/// @param gate nothing is written where its non_finite is not 0; null: always written
cudaError_t launch_write_state(const void* state, void* memory, Element element, int pixels, int slots,
                               int width, int first, int stride, int written, const MapHealth* gate,
                               cudaStream_t stream);

} // namespace video_depth::cuda

// Owns: which sizes and addresses fit together, for launches and for their CPU references.
// Must not know: CUDA's headers.
#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>

#include "bounds.h"
#include "cuda/kernel_types.h"
#include "image/picture.h"

namespace video_depth::cuda {

/// The most maps that one launch looks at: CUDA's limit of a grid's second side.
constexpr int kMostMaps = 65535;

inline bool is_aligned(const void* address, size_t bytes) {
  return reinterpret_cast<uintptr_t>(address) % bytes == 0;
}

inline bool is_extent(Extent size) {
  return size.width >= 1 && size.width <= kMaxSide && size.height >= 1 && size.height <= kMaxSide;
}

inline bool is_count(int count, int most) {
  return count >= 0 && count <= most;
}

inline bool preprocess_fits(const PictureView& picture, const void* out, Element element, Extent size) {
  const size_t bytes = element == Element::kFloat32 ? 4 : 2;
  return picture.data != nullptr && is_extent({picture.width, picture.height}) && is_extent(size) &&
         picture.stride_bytes >= row_bytes(picture.format, picture.width) && out != nullptr &&
         is_aligned(out, bytes);
}

inline bool fit_fits(const FitPair* pairs, int count, Extent map, Extent frame, const void* scratch,
                     const DeviceFit* fit) {
  if (!is_count(count, kMostFitPairs) || !is_extent(map) || !is_extent(frame)) return false;
  if (scratch == nullptr || !is_aligned(scratch, sizeof(double)) || fit == nullptr) return false;
  for (int i = 0; i < count; i++) {
    if (pairs[i].map == nullptr || pairs[i].target == nullptr) return false;
    if (!is_aligned(pairs[i].scale, sizeof(double))) return false;
  }
  return true;
}

inline bool map_fit_fits(const float* prediction, const float* target, size_t count, const void* scratch,
                         const DeviceFit* fit) {
  return prediction != nullptr && target != nullptr && count >= 1 &&
         count <= static_cast<size_t>(kMaxSide) * kMaxSide && scratch != nullptr &&
         is_aligned(scratch, sizeof(double)) && fit != nullptr;
}

inline bool write_frames_fits(const FrameJob* jobs, int count, Extent map, Extent frame,
                              const DeviceFit* fit) {
  if (!is_count(count, kMostFrameJobs) || !is_extent(map) || !is_extent(frame)) return false;
  for (int i = 0; i < count; i++) {
    if (jobs[i].out == nullptr || (jobs[i].map == nullptr && jobs[i].held == nullptr)) return false;
    if (!is_aligned(jobs[i].scale, sizeof(double)) || jobs[i].if_left_out >= kMostFitPairs) return false;
    if (fit == nullptr && (jobs[i].scale != nullptr || jobs[i].if_left_out >= 0)) return false;
  }
  return true;
}

inline bool health_fits(const float* maps, int count, size_t values, const MapHealth* health) {
  return is_count(count, kMostMaps) && values <= static_cast<size_t>(kMaxSide) * kMaxSide &&
         (count == 0 || (health != nullptr && (maps != nullptr || values == 0)));
}

inline bool convert_fits(const float* in, const void* out, OutputType type, size_t count) {
  const size_t bytes = type == OutputType::kFloat32 ? 4 : 2;
  return count <= static_cast<size_t>(INT_MAX) &&
         (count == 0 || (in != nullptr && out != nullptr && is_aligned(out, bytes)));
}

inline bool copy_blocks_fits(const BlockCopy* copies, int count, size_t bytes) {
  if (!is_count(count, kMostBlocks) || bytes % 4 != 0 || bytes > size_t{1} << 40) return false;
  if (bytes == 0) return true; // the address of no bytes may be null: cudaMalloc gives that
  for (int i = 0; i < count; i++) {
    if (copies[i].from == nullptr || copies[i].to == nullptr) return false;
    if (!is_aligned(copies[i].from, 4) || !is_aligned(copies[i].to, 4)) return false;
  }
  return true;
}

inline bool write_state_fits(const void* state, const void* memory, Element element, int pixels, int slots,
                             int width, int first, int stride, int written) {
  const size_t bytes = element == Element::kFloat32 ? 4 : 2;
  if (pixels < 0 || slots < 1 || width < 1) return false;
  if (pixels > 0 && (state == nullptr || memory == nullptr)) return false; // as above
  if (!is_aligned(state, bytes) || !is_aligned(memory, bytes)) return false;
  if (static_cast<long long>(pixels) * width > INT_MAX) return false;
  if (written == 0) return true;
  return written > 0 && first >= 0 && stride >= 1 &&
         first + static_cast<long long>(written - 1) * stride < slots;
}

} // namespace video_depth::cuda

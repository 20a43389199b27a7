// Owns: several neighbouring values that are read or written as one.
// Must not know: what they are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "host_device.h"

namespace video_depth::cuda {

template <class T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
  T value[kCount];
};

template <int kCount, class T>
VIDEO_DEPTH_HOST_DEVICE inline Pack<T, kCount> load_pack(const T* from) {
  return *reinterpret_cast<const Pack<T, kCount>*>(from);
}

template <int kCount, class T>
VIDEO_DEPTH_HOST_DEVICE inline void store_pack(T* to, const Pack<T, kCount>& pack) {
  *reinterpret_cast<Pack<T, kCount>*>(to) = pack;
}

/// Values of a pack where memory lies as needed for it; otherwise they are taken one by one.
constexpr int kWide = 4;

VIDEO_DEPTH_HOST_DEVICE inline bool is_aligned(const void* address, size_t bytes) {
  return reinterpret_cast<uintptr_t>(address) % bytes == 0;
}

} // namespace video_depth::cuda

// Owns: depth frames in fewer bytes, bit for bit the same again.
// Must not know: files, what depth means.
#pragma once

#include <cstddef>
#include <cstdint>

namespace video_depth {

struct DepthBounds {
  /// Infinity and −infinity where no value is a number.
  float least, greatest;
};

/// What `pack_depth` may write at most.
size_t most_packed_bytes(size_t count);

/// Nothing coarser than the floats would do: which depths share one of a picture's 256 levels is known when
/// the video's least and greatest value are, and then any two neighbouring floats may belong to two levels.
/// So each value is kept as the difference between its bits and what its left, upper and upper left
/// neighbours let expect (near 0 where depth was scaled up linearly), 64 differences in as many bits each as
/// the largest of them needs.
///
/// @param data [count / width, width] @param packed receives at most most_packed_bytes(count)
/// @returns how many bytes it wrote
size_t pack_depth(const float* data, size_t count, size_t width, uint8_t* packed, DepthBounds& bounds);

/// Throws Error where `packed` is not what pack_depth made of `count` values.
void unpack_depth(const uint8_t* packed, size_t bytes, float* data, size_t count, size_t width);

} // namespace video_depth

// Owns: the sizes of the network's maps and states for a number of patches, and what that takes of memory.
// Must not know: weights, what is computed.
#pragma once

#include <array>

#include "cpu/maps.h"
#include "cpu/model.h"

namespace video_depth::cpu {

struct NetworkSizes {
  /// @param rows patches; @param cols likewise
  NetworkSizes(const Dimensions& dimensions, int rows, int cols);

  /// What temporal module `i` works on.
  const MapSize& temporal(int i) const;
  /// float32 values of one frame's features: four maps one after another.
  size_t feature_values() const;
  /// One frame's states: of each attention [pixels, C], one after another.
  size_t state_values() const;

  std::array<MapSize, 4> layer;
  /// Behind fusion 4 and 3.
  MapSize path4;
  MapSize path3;
};

/// Bytes.
struct MemoryNeeds {
  /// One frame's features. A window session keeps those of all frames that a window may still see.
  size_t features = 0;
  /// One remembered frame of a stream.
  size_t states = 0;
  /// A stream that remembers `frames` frames, while it computes another one.
  size_t stream(int frames) const { return (static_cast<size_t>(frames) + 1) * states + features; }
};

MemoryNeeds memory_for(const Dimensions& dimensions, Precision precision, int rows, int cols);

/// Bytes of a state's value: streams in int8 remember bfloat16.
constexpr size_t state_value_bytes(Precision precision) {
  return precision == Precision::int8 ? sizeof(uint16_t) : sizeof(float);
}

} // namespace video_depth::cpu

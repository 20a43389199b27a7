// Owns: the ranges that every part of the core keeps to.
// Must not know: who checks them.
#pragma once

namespace video_depth {

/// Pixels; the largest side of any picture or map.
constexpr int kMaxSide = 32768;
/// The most threads that one call may use.
constexpr int kMaxThreads = 256;

} // namespace video_depth

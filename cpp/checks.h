// Owns: the checks that several parts of the core make of their arguments.
// Must not know: whose arguments they are.
#pragma once

#include <cstddef>

namespace video_depth {

/// A side of a picture or map: throws Error unless it is from 1 to kMaxSide.
void check_side(const char* operation, int value, const char* parameter);

/// Throws Error unless it is from 1 to kMaxThreads.
void check_threads(const char* operation, int threads, const char* parameter = "threads");

bool overlap(const void* a, size_t a_bytes, const void* b, size_t b_bytes);

} // namespace video_depth

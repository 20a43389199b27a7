// Owns: counting what is NaN or infinite.
// Must not know: what the values are.
#pragma once

#include <cstdint>

namespace video_depth {

uint32_t count_non_finite(const float* values, int count);

} // namespace video_depth

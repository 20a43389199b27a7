// Owns: counting what is NaN or infinite.
// Must not know: what the values are.

#include "image/non_finite.h"

#include <cstring>

namespace video_depth {

uint32_t count_non_finite(const float* values, int count) {
  uint32_t found = 0;
  for (int i = 0; i < count; i++) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof bits);
    found += (bits & 0x7f800000u) == 0x7f800000u ? 1 : 0;
  }
  return found;
}

} // namespace video_depth

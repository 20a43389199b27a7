// Owns: pictures as video encoders take them, from RGB and from depth: 4:2:0, BT.709, limited range.
// Must not know: palettes, encoders.
#pragma once

#include <cstddef>
#include <cstdint>

namespace video_depth {

/// Planes Y, Cb and Cr, one after another. Their sides are even: an odd side gets one more column or row, a
/// copy of the last. Colour differences are those of the mean of four pixels.
size_t yuv420_bytes(int width, int height);

/// @param rgb [height, width, 3] @param out yuv420_bytes(width, height)
void rgb_to_yuv420(const uint8_t* rgb, int width, int height, uint8_t* out);

/// floor((depth − least) / (greatest − least) · 255) in float32, as upstream computes it, clamped to 0…255,
/// and 0 where the range is empty or the depth is NaN; in that level's colour.
///
/// @param data [height, width] @param colours [256, 3] RGB @param out yuv420_bytes(width, height)
void colour_depth(const float* data, int width, int height, float least, float greatest,
                  const uint8_t* colours, uint8_t* out);

} // namespace video_depth

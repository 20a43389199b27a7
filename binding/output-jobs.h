// Owns: the addon's functions for writing outputs: packDepth, unpackDepth, rgbToYuv420, colourDepth.
// Must not know: how they work, files.
#pragma once

#include <napi.h>

namespace video_depth_binding {

/// See NativeAddon in lib/native/types.ts.
Napi::Value pack_depth(const Napi::CallbackInfo& info);
Napi::Value unpack_depth(const Napi::CallbackInfo& info);
Napi::Value rgb_to_yuv420(const Napi::CallbackInfo& info);
Napi::Value colour_depth(const Napi::CallbackInfo& info);

} // namespace video_depth_binding

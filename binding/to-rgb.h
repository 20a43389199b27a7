// Owns: the addon's toRgb function, and its job off the JavaScript thread.
// Must not know: how pixels are converted.
#pragma once

#include <napi.h>

namespace video_depth_binding {

/// See NativeAddon.toRgb in lib/native/types.ts. Everything that is wrong is told through the promise.
Napi::Value to_rgb(const Napi::CallbackInfo& info);

} // namespace video_depth_binding

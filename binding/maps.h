// Owns: the addon's functions of single depth maps: upsample and fitMap.
// Must not know: how they work.
#pragma once

#include <napi.h>

namespace video_depth_binding {

/// See NativeAddon in lib/native/types.ts. Both borrow their arrays for the length of the call.
Napi::Value upsample(const Napi::CallbackInfo& info);
Napi::Value fit_map(const Napi::CallbackInfo& info);

} // namespace video_depth_binding

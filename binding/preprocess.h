// Owns: the addon's preprocess function.
// Must not know: how preprocessing works.
#pragma once

#include <napi.h>

namespace video_depth_binding {

/// See NativeAddon.preprocess in lib/native/types.ts. Borrows both arrays for the length of the call.
void preprocess(const Napi::CallbackInfo& info);

} // namespace video_depth_binding

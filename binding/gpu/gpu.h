// Owns: the addon's `gpu` (NativeGpu in lib/native/gpu-types.ts): what was compiled, what is there, opening
// an engine. Must not know: what engines do.
#pragma once

#include <napi.h>

namespace video_depth_binding {

/// Starts nothing; threads and the way back from them are made when they are first needed.
Napi::Value make_gpu(Napi::Env env);

} // namespace video_depth_binding

// Owns: the addon's `cpu` (NativeCpu in lib/native/cpu-types.ts).
// Must not know: what networks compute.
#pragma once

#include <napi.h>

namespace video_depth_binding {

Napi::Value make_cpu(Napi::Env env);

} // namespace video_depth_binding

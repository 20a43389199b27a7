// Owns: the addon's `scene` (NativeScenes in lib/native-scene-types.ts).
// Must not know: how scenes are drawn.
#pragma once

#include <napi.h>

namespace video_depth_binding {

Napi::Value make_scene(Napi::Env env);

} // namespace video_depth_binding

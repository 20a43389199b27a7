// Owns: reading a NativeStepEntry (lib/native/gpu-types.ts).
// Must not know: how steps are run.
#pragma once

#include <napi.h>

#include <string>

#include "gpu/stream_pool.h"

namespace video_depth_binding {

/// Everything of an entry but where its arrays lie; they are read when no getter can run any more.
struct ReadEntry {
  video_depth::gpu::StepEntry entry;
  video_depth::PictureView picture;
  Napi::Uint8Array data;
  bool wants_depth;
};

/// Runs getters.
ReadEntry read_entry(const Napi::Value& value, const std::string& at, int row);

bool read_flag(const Napi::Value& value, const std::string& parameter);

} // namespace video_depth_binding

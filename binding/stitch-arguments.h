// Owns: reading a StitchStep (lib/native/types.ts) and the lists of arrays around it; telling a StitchResult.
// Must not know: where stitching runs.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "stitch/step.h"

namespace video_depth_binding {

/// Far above any window; keeps a mistaken caller from costing memory.
constexpr uint32_t kMaxItems = 4096;

/// Runs getters; addresses taken earlier may be stale afterwards.
video_depth::StitchStep read_step(const Napi::Value& value);

/// Frames that leave in a step, for which there are `slots` maps; 0 where the step is wrong, which the core
/// tells.
size_t leaving_frames(const video_depth::StitchStep& step, int held, size_t slots);
Napi::Object to_js(Napi::Env env, const video_depth::StitchResult& result);

/// An array's elements. Runs getters.
std::vector<Napi::Value> read_values(const Napi::Value& value, const std::string& parameter);

} // namespace video_depth_binding

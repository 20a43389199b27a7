// Owns: the JavaScript class of a loaded plan (NativePlan in lib/native/gpu-types.ts).
// Must not know: what the plan computes.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "gpu/handles.h"

namespace video_depth_binding {

using PlanHandle = Handle<video_depth::tensorrt::Plan>;

/// What is told of a plan.
struct PlanFacts {
  std::vector<video_depth::tensorrt::Port> ports;
  size_t scratch_bytes = 0;
};

class PlanObject : public Napi::ObjectWrap<PlanObject> {
 public:
  static Napi::Function define(Napi::Env env);
  static Napi::Value make(Napi::Env env, const GpuClasses& classes, PlanHandle handle,
                          const PlanFacts& facts);
  /// Throws a TypeError unless it is a plan of this engine.
  static PlanHandle read(const Napi::Value& value, const std::string& parameter, const EngineState& state);

  explicit PlanObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PlanObject>(info) {}
  ~PlanObject() override { handle_.release(); }

 private:
  Napi::Value layers(const Napi::CallbackInfo& info);
  void release(const Napi::CallbackInfo& /*info*/) { handle_.release(); }

  PlanHandle handle_;
};

} // namespace video_depth_binding

// Owns: the JavaScript class of an open engine (NativeGpuEngine in lib/native/gpu-types.ts).
// Must not know: how plans are built or run.
#pragma once

#include <napi.h>

#include <memory>

#include "gpu/handles.h"

namespace video_depth_binding {

Napi::Value device_of(Napi::Env env, const video_depth::gpu::DeviceInfo& device);

class EngineObject : public Napi::ObjectWrap<EngineObject> {
 public:
  static Napi::Function define(Napi::Env env);
  static Napi::Value make(Napi::Env env, const std::shared_ptr<GpuClasses>& classes,
                          const std::shared_ptr<EngineState>& state);

  explicit EngineObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<EngineObject>(info) {}

 private:
  Napi::Value build(const Napi::CallbackInfo& info);
  void cancel_build(const Napi::CallbackInfo& info);
  Napi::Value load_plan(const Napi::CallbackInfo& info);
  Napi::Value open_windows(const Napi::CallbackInfo& info);
  Napi::Value open_streams(const Napi::CallbackInfo& info);
  Napi::Value memory(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  /// A call whose argument errors, too, are told through its promise.
  template <class Body>
  Napi::Value call(const Napi::CallbackInfo& info, const char* name, const Body& body);

  std::shared_ptr<GpuClasses> classes_;
  std::shared_ptr<EngineState> state_;
  Napi::ObjectReference closed_;
  bool is_building_ = false;
};

} // namespace video_depth_binding

// Owns: the JavaScript class of one video on the device (NativeGpuWindows in lib/native-gpu-types.ts).
// Must not know: how windows are run.
#pragma once

#include <napi.h>

#include <memory>

#include "gpu/handles.h"
#include "gpu/plan-object.h"
#include "gpu/window_session.h"

namespace video_depth_binding {

using WindowsHandle = Handle<video_depth::gpu::WindowSession>;

struct WindowsRequest {
  PlanHandle encoder, temporal_head, depth_decoder;
  video_depth::gpu::WindowOptions options;
};

WindowsRequest read_windows_request(const Napi::Value& value, const EngineState& state);

class WindowsObject : public Napi::ObjectWrap<WindowsObject> {
 public:
  static Napi::Function define(Napi::Env env);
  static Napi::Value make(const GpuClasses& classes, WindowsHandle handle);

  explicit WindowsObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<WindowsObject>(info) {}
  ~WindowsObject() override { handle_.release(); }

 private:
  Napi::Value encode(const Napi::CallbackInfo& info);
  Napi::Value decode(const Napi::CallbackInfo& info);
  Napi::Value stitch(const Napi::CallbackInfo& info);
  Napi::Value read_maps(const Napi::CallbackInfo& info);
  Napi::Value held(const Napi::CallbackInfo& info);
  Napi::Value device_ms(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  /// What an answer tells of the session besides its result.
  struct Facts {
    video_depth::gpu::PhaseTimes times{};
    int held = 0;
  };

  /// @param busy set while the call is under way: there is only one at a time
  template <class Body>
  Napi::Value call(const Napi::CallbackInfo& info, const char* name, bool* busy, const Body& body);

  WindowsHandle handle_;
  /// As of the last answer.
  std::shared_ptr<Facts> facts_ = std::make_shared<Facts>();
  bool is_encoding_ = false, is_decoding_ = false, is_stitching_ = false;
};

} // namespace video_depth_binding

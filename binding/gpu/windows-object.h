// Owns: the JavaScript class of one video on the device (NativeGpuWindows in lib/native/gpu-types.ts).
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

/// What a session is, as far as JavaScript must know.
struct WindowsFacts {
  int window = 0;
  size_t frame_values = 0, map_values = 0;
};

class WindowsObject : public Napi::ObjectWrap<WindowsObject> {
 public:
  static Napi::Function define(Napi::Env env);
  static constexpr const char* kName = "NativeGpuWindows";
  static constexpr napi_type_tag kTag = {0x57b3e0c86d1f4a92ULL, 0xa1d40f7295cb3e68ULL};

  static Napi::Value make(const GpuClasses& classes, WindowsHandle handle, const WindowsFacts& facts);

  explicit WindowsObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<WindowsObject>(info) {
    info.This().As<Napi::Object>().TypeTag(&kTag);
  }
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
  struct State {
    video_depth::gpu::PhaseTimes times{};
    int held = 0;
  };

  /// Everything that is wrong is told through the promise.
  /// @param busy set while the call is under way: there is only one at a time
  /// @param read reads the arguments, whose getters could begin another call
  /// @param begin is given the call and what was read
  template <class Read, class Begin>
  Napi::Value call(const Napi::CallbackInfo& info, const char* name, bool* busy, const Read& read,
                   const Begin& begin);

  WindowsHandle handle_;
  WindowsFacts facts_;
  /// As of the last answer.
  std::shared_ptr<State> state_ = std::make_shared<State>();
  bool is_encoding_ = false, is_decoding_ = false, is_stitching_ = false;
};

} // namespace video_depth_binding

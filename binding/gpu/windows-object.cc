// Owns: the JavaScript class of one video on the device (NativeGpuWindows in lib/native/gpu-types.ts).
// Must not know: how windows are run.

#include "gpu/windows-object.h"

#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "bounds.h"
#include "job-arrays.h"
#include "picture.h"
#include "receiver.h"
#include "stitch-arguments.h"

namespace video_depth_binding {

namespace {

using video_depth::gpu::Epilogue;
using video_depth::gpu::WindowSession;

constexpr int kMostSlots = 4096;

std::vector<int> read_indices(const Napi::Value& value, const std::string& parameter) {
  const std::vector<Napi::Value> values = read_values(value, parameter);
  std::vector<int> indices;
  for (uint32_t i = 0; i < values.size(); i++) {
    indices.push_back(static_cast<int>(read_integer(values[i], item(parameter, i), 0, kMostSlots)));
  }
  return indices;
}

std::vector<video_depth::FrameView> views_of(const std::vector<ResultArray<float>>& results) {
  std::vector<video_depth::FrameView> views;
  for (const ResultArray<float>& result : results) views.push_back({result.data(), result.length()});
  return views;
}

} // namespace

WindowsRequest read_windows_request(const Napi::Value& value, const EngineState& state) {
  const Napi::Object options = read_object(value, "options");
  const auto read = [&](const char* name, int most) {
    return static_cast<int>(read_integer(member(options, name), std::string("options.") + name, 1, most));
  };
  const auto plan = [&](const char* name) {
    return PlanObject::read(member(options, name), std::string("options.") + name, state);
  };
  return {plan("encoder"),
          plan("temporalHead"),
          plan("depthDecoder"),
          {{read("frameWidth", video_depth::kMaxSide), read("frameHeight", video_depth::kMaxSide)},
           read("slots", kMostSlots)}};
}

Napi::Function WindowsObject::define(Napi::Env env) {
  return DefineClass(
      env, "NativeGpuWindows",
      {InstanceMethod<&WindowsObject::encode>("encode"), InstanceMethod<&WindowsObject::decode>("decode"),
       InstanceMethod<&WindowsObject::stitch>("stitch"),
       InstanceMethod<&WindowsObject::read_maps>("readMaps"), InstanceMethod<&WindowsObject::close>("close"),
       checked_getter<WindowsObject, &WindowsObject::held>("held"),
       checked_getter<WindowsObject, &WindowsObject::device_ms>("deviceMs")});
}

Napi::Value WindowsObject::make(const GpuClasses& classes, WindowsHandle handle, const WindowsFacts& facts) {
  const Napi::Object object = classes.windows.New({});
  WindowsObject* const self = Unwrap(object);
  self->handle_ = std::move(handle);
  self->facts_ = facts;
  return object;
}

template <class Read, class Begin>
Napi::Value WindowsObject::call(const Napi::CallbackInfo& info, const char* name, bool* busy,
                                const Read& read, const Begin& begin) {
  if (!handle_.state) throw unexpected("windows that `openWindows` gave", "this", info.This());
  Call& call = handle_.state->calls->begin(info.Env(), name);
  const Napi::Value promise = call.promise();
  call.hold(info.This().As<Napi::Object>());
  try {
    const auto arguments = read();
    if (*busy) {
      throw Napi::Error::New(info.Env(), std::string("Expected the previous ") + name +
                                             " to have settled, received a second call");
    }
    begin(call, arguments);
    *busy = true;
    call.at_end = [busy] { *busy = false; };
  } catch (...) {
    call.reject_now(info.Env(), std::current_exception());
  }
  return promise;
}

Napi::Value WindowsObject::encode(const Napi::CallbackInfo& info) {
  const auto read = [&] {
    const auto slot = static_cast<int>(read_integer(info[1], "slot", 0, kMostSlots));
    return std::make_pair(slot, read_picture(info[0], "picture").view);
  };
  return call(info, "encode", &is_encoding_, read, [&](Call& call, const auto& arguments) {
    const auto& [slot, picture] = arguments;
    video_depth::check_picture("encode", picture);
    handle_.open_engine();
    handle_.held->get().fill(picture);
    handle_.submit(call, [to = slot](WindowSession& session) -> Epilogue {
      session.encode(to);
      return nullptr;
    });
  });
}

Napi::Value WindowsObject::decode(const Napi::CallbackInfo& info) {
  const auto read = [&] {
    std::vector<int> slots = read_indices(info[0], "slots");
    return std::make_pair(std::move(slots), read_indices(info[1], "wanted"));
  };
  return call(info, "decode", &is_decoding_, read, [&](Call& call, const auto& arguments) {
    const auto result = std::make_shared<video_depth::gpu::DecodeResult>();
    const auto times = std::make_shared<video_depth::gpu::PhaseTimes>();
    call.make_result = [result, times, shown = state_](Napi::Env env) {
      shown->times = *times;
      const Napi::Object object = Napi::Object::New(env);
      object.Set("nonFinite", static_cast<double>(result->non_finite));
      const Napi::Array flat = Napi::Array::New(env);
      for (const int position : result->flat) flat.Set(flat.Length(), position);
      object.Set("flat", flat);
      return object;
    };
    handle_.submit(call, [arguments, result, times](WindowSession& session) -> Epilogue {
      Epilogue epilogue = session.decode(arguments.first, arguments.second, *result);
      return [&session, epilogue = std::move(epilogue), result, times] {
        epilogue();
        *times = session.times();
      };
    });
  });
}

Napi::Value WindowsObject::stitch(const Napi::CallbackInfo& info) {
  const auto read = [&] { return read_step(info[0]); };
  return call(info, "stitch", &is_stitching_, read, [&](Call& call, const video_depth::StitchStep& step) {
    const size_t leaving = leaving_frames(step, state_->held, static_cast<size_t>(facts_.window));
    const auto frames = std::make_shared<const std::vector<ResultArray<float>>>(
        result_arrays<float>(info.Env(), leaving, facts_.frame_values));
    const auto result = std::make_shared<video_depth::StitchResult>();
    const auto state = std::make_shared<State>();
    call.make_result = [result, frames, state, shown = state_](Napi::Env env) {
      *shown = *state;
      const Napi::Object object = to_js(env, *result);
      object.Set("frames", values_of(env, *frames));
      return object;
    };
    handle_.submit(call, [step, out = views_of(*frames), result, state](WindowSession& session) -> Epilogue {
      Epilogue epilogue = session.stitch(step, out, *result);
      state->held = session.held();
      return [&session, epilogue = std::move(epilogue), result, state] {
        epilogue();
        state->times = session.times();
      };
    });
  });
}

Napi::Value WindowsObject::read_maps(const Napi::CallbackInfo& info) {
  const auto read = [&] { return read_indices(info[0], "positions"); };
  return call(info, "readMaps", &is_decoding_, read, [&](Call& call, const std::vector<int>& positions) {
    const auto maps = std::make_shared<const std::vector<ResultArray<float>>>(
        result_arrays<float>(info.Env(), positions.size(), facts_.map_values));
    call.make_result = [maps](Napi::Env env) { return values_of(env, *maps); };
    handle_.submit(call, [positions, out = views_of(*maps)](WindowSession& session) {
      return session.read_maps(positions, out);
    });
  });
}

Napi::Value WindowsObject::held(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), state_->held);
}

Napi::Value WindowsObject::device_ms(const Napi::CallbackInfo& info) {
  const Napi::Object object = Napi::Object::New(info.Env());
  const char* const names[] = {"preprocess", "encode", "temporalHead", "depthDecoder", "stitch"};
  for (size_t i = 0; i < video_depth::gpu::kPhases; i++) object.Set(names[i], state_->times[i]);
  return object;
}

Napi::Value WindowsObject::close(const Napi::CallbackInfo& info) {
  handle_.release();
  const auto deferred = Napi::Promise::Deferred::New(info.Env());
  deferred.Resolve(info.Env().Undefined());
  return deferred.Promise();
}

} // namespace video_depth_binding

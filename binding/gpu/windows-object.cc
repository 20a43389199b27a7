// Owns: the JavaScript class of one video on the device (NativeGpuWindows in lib/native-gpu-types.ts).
// Must not know: how windows are run.

#include "gpu/windows-object.h"

#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "bounds.h"
#include "picture.h"
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

/// Addresses are taken after the last getter has run.
std::vector<video_depth::FrameView> read_out(Call& call, const std::vector<Napi::Value>& values) {
  std::vector<video_depth::FrameView> out;
  for (uint32_t i = 0; i < values.size(); i++) {
    Napi::Float32Array frame = read_floats(values[i], item("out", i));
    call.hold_array(frame);
    out.push_back({frame.Data(), frame.ElementLength()});
  }
  return out;
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
       InstanceAccessor<&WindowsObject::held>("held"),
       InstanceAccessor<&WindowsObject::device_ms>("deviceMs")});
}

Napi::Value WindowsObject::make(const GpuClasses& classes, WindowsHandle handle) {
  const Napi::Object object = classes.windows.New({});
  Unwrap(object)->handle_ = std::move(handle);
  return object;
}

/// Everything that is wrong is told through the promise.
template <class Body>
Napi::Value WindowsObject::call(const Napi::CallbackInfo& info, const char* name, bool* busy,
                                const Body& body) {
  if (!handle_.state) throw unexpected("windows that `openWindows` gave", "this", info.This());
  Call& call = handle_.state->calls->begin(info.Env(), name);
  const Napi::Value promise = call.promise();
  call.hold(info.This().As<Napi::Object>());
  try {
    if (*busy) {
      throw Napi::Error::New(info.Env(), std::string("Expected the previous ") + name +
                                             " to have settled, received a second call");
    }
    body(call);
    *busy = true;
    call.at_end = [busy] { *busy = false; };
  } catch (...) {
    call.reject_now(info.Env(), std::current_exception());
  }
  return promise;
}

Napi::Value WindowsObject::encode(const Napi::CallbackInfo& info) {
  return call(info, "encode", &is_encoding_, [&](Call& call) {
    const auto slot = static_cast<int>(read_integer(info[1], "slot", 0, kMostSlots));
    const video_depth::PictureView picture = read_picture(info[0], "picture").view;
    video_depth::check_picture("encode", picture);
    handle_.open_engine();
    handle_.held->get().fill(picture);
    handle_.submit(call, [slot](WindowSession& session) -> Epilogue {
      session.encode(slot);
      return nullptr;
    });
  });
}

Napi::Value WindowsObject::decode(const Napi::CallbackInfo& info) {
  return call(info, "decode", &is_decoding_, [&](Call& call) {
    const std::vector<int> slots = read_indices(info[0], "slots");
    const std::vector<int> wanted = read_indices(info[1], "wanted");
    const auto result = std::make_shared<video_depth::gpu::DecodeResult>();
    const auto times = std::make_shared<video_depth::gpu::PhaseTimes>();
    call.make_result = [result, times, shown = facts_](Napi::Env env) {
      shown->times = *times;
      const Napi::Object object = Napi::Object::New(env);
      object.Set("nonFinite", static_cast<double>(result->non_finite));
      const Napi::Array flat = Napi::Array::New(env);
      for (const int position : result->flat) flat.Set(flat.Length(), position);
      object.Set("flat", flat);
      return object;
    };
    handle_.submit(call, [slots, wanted, result, times](WindowSession& session) -> Epilogue {
      Epilogue epilogue = session.decode(slots, wanted, *result);
      return [&session, epilogue = std::move(epilogue), result, times] {
        epilogue();
        *times = session.times();
      };
    });
  });
}

Napi::Value WindowsObject::stitch(const Napi::CallbackInfo& info) {
  return call(info, "stitch", &is_stitching_, [&](Call& call) {
    const video_depth::StitchStep step = read_step(info[0]);
    const std::vector<Napi::Value> values = read_values(info[1], "out");
    std::vector<video_depth::FrameView> out = read_out(call, values);
    const auto result = std::make_shared<video_depth::StitchResult>();
    const auto facts = std::make_shared<Facts>();
    call.make_result = [result, facts, shown = facts_](Napi::Env env) {
      *shown = *facts;
      return to_js(env, *result);
    };
    handle_.submit(call, [step, out = std::move(out), result, facts](WindowSession& session) -> Epilogue {
      Epilogue epilogue = session.stitch(step, out, *result);
      facts->held = session.held();
      return [&session, epilogue = std::move(epilogue), result, facts] {
        epilogue();
        facts->times = session.times();
      };
    });
  });
}

Napi::Value WindowsObject::read_maps(const Napi::CallbackInfo& info) {
  return call(info, "readMaps", &is_decoding_, [&](Call& call) {
    const std::vector<int> positions = read_indices(info[0], "positions");
    const std::vector<Napi::Value> values = read_values(info[1], "out");
    std::vector<video_depth::FrameView> out = read_out(call, values);
    handle_.submit(call, [positions, out = std::move(out)](WindowSession& session) {
      return session.read_maps(positions, out);
    });
  });
}

Napi::Value WindowsObject::held(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), facts_->held);
}

Napi::Value WindowsObject::device_ms(const Napi::CallbackInfo& info) {
  const Napi::Object object = Napi::Object::New(info.Env());
  const char* const names[] = {"preprocess", "encode", "temporalHead", "depthDecoder", "stitch"};
  for (size_t i = 0; i < video_depth::gpu::kPhases; i++) object.Set(names[i], facts_->times[i]);
  return object;
}

Napi::Value WindowsObject::close(const Napi::CallbackInfo& info) {
  handle_.release();
  const auto deferred = Napi::Promise::Deferred::New(info.Env());
  deferred.Resolve(info.Env().Undefined());
  return deferred.Promise();
}

} // namespace video_depth_binding

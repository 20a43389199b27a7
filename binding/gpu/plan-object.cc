// Owns: the JavaScript class of a loaded plan (NativePlan in lib/native/gpu-types.ts).
// Must not know: what the plan computes.

#include "gpu/plan-object.h"

#include <utility>

#include "arguments.h"

namespace video_depth_binding {

namespace {

using video_depth::tensorrt::ElementType;

constexpr napi_type_tag kPlanTag = {0x6b1f0c5d2a4e4f3bULL, 0x9a7d31e28c5f6042ULL};

const char* name_of(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return "float32";
    case ElementType::kFloat16:
      return "float16";
    case ElementType::kInt32:
      return "int32";
    case ElementType::kInt64:
      return "int64";
    case ElementType::kOther:
      break;
  }
  return "other";
}

Napi::Array ports_of(Napi::Env env, const PlanFacts& facts) {
  const Napi::Array ports = Napi::Array::New(env);
  for (const video_depth::tensorrt::Port& port : facts.ports) {
    const Napi::Object object = Napi::Object::New(env);
    object.Set("name", port.name);
    object.Set("isInput", port.is_input);
    object.Set("type", name_of(port.type));
    const Napi::Array shape = Napi::Array::New(env);
    for (const int64_t extent : port.shape) shape.Set(shape.Length(), static_cast<double>(extent));
    object.Set("shape", shape);
    ports.Set(ports.Length(), object);
  }
  return ports;
}

} // namespace

Napi::Function PlanObject::define(Napi::Env env) {
  return DefineClass(
      env, "NativePlan",
      {InstanceMethod<&PlanObject::layers>("layers"), InstanceMethod<&PlanObject::release>("release")});
}

Napi::Value PlanObject::make(Napi::Env env, const GpuClasses& classes, PlanHandle handle,
                             const PlanFacts& facts) {
  const Napi::Object object = classes.plan.New({});
  object.TypeTag(&kPlanTag);
  object.Set("ports", ports_of(env, facts));
  object.Set("scratchBytes", static_cast<double>(facts.scratch_bytes));
  Unwrap(object)->handle_ = std::move(handle);
  return object;
}

PlanHandle PlanObject::read(const Napi::Value& value, const std::string& parameter,
                            const EngineState& state) {
  if (value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&kPlanTag)) {
    const PlanHandle& handle = Unwrap(value.As<Napi::Object>())->handle_;
    if (handle.state.get() == &state) return handle;
  }
  throw unexpected("a plan that this engine loaded", parameter, value);
}

Napi::Value PlanObject::layers(const Napi::CallbackInfo& info) {
  if (!handle_.state) throw unexpected("a plan that `loadPlan` gave", "this", info.This());
  Call& call = handle_.state->calls->begin(info.Env(), "layers");
  const Napi::Value promise = call.promise();
  const auto text = std::make_shared<std::string>();
  call.make_result = [text](Napi::Env env) { return Napi::String::New(env, *text); };
  try {
    handle_.submit(call, [text](video_depth::tensorrt::Plan& plan) -> video_depth::gpu::Epilogue {
      *text = plan.layers();
      return nullptr;
    });
  } catch (...) {
    call.reject_now(info.Env(), std::current_exception());
  }
  return promise;
}

} // namespace video_depth_binding

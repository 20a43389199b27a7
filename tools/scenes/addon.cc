// Owns: the renderer's addon: the list of kinds, and the class Scene, whose pictures are drawn off the
// thread. Must not know: how scenes are drawn.

#include <napi.h>

#include <cstring>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "arguments.h"
#include "job-arrays.h"
#include "scene/kinds.h"
#include "scene/render.h"

namespace {

using namespace video_depth_binding;
namespace core = video_depth::scene;

template <typename Values>
Napi::Value copy(Napi::Env env, const Values& values) {
  using Value = typename Values::value_type;
  Napi::TypedArrayOf<Value> array = new_array_of<Value>(env, values.size());
  std::memcpy(array.Data(), values.data(), values.size() * sizeof(Value));
  return array;
}

class RenderJob : public Napi::AsyncWorker {
 public:
  RenderJob(Napi::Env env, std::shared_ptr<const core::Renderer> renderer, const core::RenderOptions& options,
            const Napi::Promise::Deferred& deferred)
      : Napi::AsyncWorker(env, "video-depth render"),
        renderer_(std::move(renderer)),
        options_(options),
        deferred_(deferred) {}

 protected:
  void Execute() override {
    try {
      picture_ = renderer_->render(options_);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  void OnOK() override {
    try {
      if (failure_) std::rethrow_exception(failure_);
      deferred_.Resolve(result(Env()));
    } catch (...) { // also where there is no memory for the result
      deferred_.Reject(to_js_error(Env(), std::current_exception()));
    }
  }

 private:
  Napi::Value result(Napi::Env env) const {
    const Napi::Object object = Napi::Object::New(env);
    object.Set("data", copy(env, picture_.rgb));
    object.Set("depth", copy(env, picture_.depth));
    object.Set("bodies", copy(env, picture_.bodies));
    object.Set("flow", options_.flow_to ? copy(env, picture_.flow) : env.Null());
    object.Set("pose", copy(env, picture_.pose));
    object.Set("fx", picture_.fx);
    object.Set("fy", picture_.fy);
    object.Set("cx", picture_.cx);
    object.Set("cy", picture_.cy);
    return object;
  }

  std::shared_ptr<const core::Renderer> renderer_;
  core::RenderOptions options_;
  Napi::Promise::Deferred deferred_;
  core::Picture picture_;
  std::exception_ptr failure_;
};

/// See NativeScene in tools/scenes/native-types.ts.
class SceneObject : public Napi::ObjectWrap<SceneObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Scene", {InstanceMethod<&SceneObject::render>("render")});
  }

  explicit SceneObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SceneObject>(info) {
    const auto most = static_cast<int64_t>(core::kinds().size()) - 1;
    const auto kind = static_cast<size_t>(read_integer(info[0], "kind", 0, most));
    const auto seed = static_cast<uint64_t>(read_integer(info[1], "seed", 0, kMaxSafeInteger));
    try {
      renderer_ = std::make_shared<core::Renderer>(core::kinds()[kind].create(seed));
    } catch (...) {
      throw Napi::Error(info.Env(), to_js_error(info.Env(), std::current_exception()));
    }
    // V8 sees small objects: without this, clips of many scenes would wait for it with all their meshes.
    reported_ = static_cast<int64_t>(renderer_->bytes());
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), reported_);
    // A value and no accessor: Node.js does not check whose accessor is called on what.
    info.This().As<Napi::Object>().DefineProperty(
        Napi::PropertyDescriptor::Value("moving", copy(info.Env(), renderer_->moving()), napi_enumerable));
  }
  SceneObject(const SceneObject&) = delete;
  SceneObject& operator=(const SceneObject&) = delete;
  ~SceneObject() override {
    if (reported_ != 0) Napi::MemoryManagement::AdjustExternalMemory(Env(), -reported_);
  }

 private:
  /// Everything that is wrong is told through the promise.
  Napi::Value render(const Napi::CallbackInfo& info) {
    const auto deferred = Napi::Promise::Deferred::New(info.Env());
    try {
      auto job = std::make_unique<RenderJob>(info.Env(), renderer_, read_options(info[0]), deferred);
      job->Queue();
      job.release(); // NOLINT: Node.js deletes it when it is done
    } catch (...) {
      deferred.Reject(to_js_error(info.Env(), std::current_exception()));
    }
    return deferred.Promise();
  }

  static core::RenderOptions read_options(const Napi::Value& value) {
    const Napi::Object object = read_object(value, "options");
    core::RenderOptions options;
    options.width = static_cast<int>(read_integer(member(object, "width"), "options.width", 1, kMostPixels));
    options.height =
        static_cast<int>(read_integer(member(object, "height"), "options.height", 1, kMostPixels));
    options.seconds = read_number(member(object, "seconds"), "options.seconds", -kMostSeconds, kMostSeconds);
    const Napi::Value camera_seconds = member(object, "cameraSeconds");
    if (!camera_seconds.IsNull())
      options.camera_seconds =
          read_number(camera_seconds, "options.cameraSeconds", -kMostSeconds, kMostSeconds);
    options.antialias = read_boolean(member(object, "antialias"), "options.antialias");
    options.shutter = read_number(member(object, "shutter"), "options.shutter", 0, kMostSeconds);
    options.noise = static_cast<float>(read_number(member(object, "noise"), "options.noise", 0, kMostNoise));
    options.noise_seed =
        static_cast<uint32_t>(read_integer(member(object, "noiseSeed"), "options.noiseSeed", 0, 0xffffffff));
    const Napi::Value flow_to = member(object, "flowTo");
    if (!flow_to.IsNull())
      options.flow_to = read_number(flow_to, "options.flowTo", -kMostSeconds, kMostSeconds);
    return options;
  }

  static bool read_boolean(const Napi::Value& value, const char* parameter) {
    if (!value.IsBoolean()) throw unexpected("true or false", parameter, value);
    return value.As<Napi::Boolean>().Value();
  }

  /// Samples are counted in floats.
  static constexpr int64_t kMostPixels = 4096;
  /// Ways are counted in floats.
  static constexpr int64_t kMostSeconds = 1000000;
  static constexpr int64_t kMostNoise = 255;
  std::shared_ptr<const core::Renderer> renderer_;
  int64_t reported_ = 0; ///< bytes
};

class Scenes : public Napi::Addon<Scenes> {
 public:
  Scenes(Napi::Env env, Napi::Object exports) {
    DefineAddon(exports, {InstanceValue("kinds", kinds(env), napi_enumerable),
                          InstanceValue("Scene", SceneObject::define(env), napi_enumerable)});
  }

 private:
  static Napi::Array kinds(Napi::Env env) {
    const Napi::Array kinds = Napi::Array::New(env);
    for (const core::Kind& kind : core::kinds()) {
      const Napi::Object entry = Napi::Object::New(env);
      entry.Set("name", kind.name);
      entry.Set("heldOut", kind.is_held_out);
      kinds.Set(kinds.Length(), entry);
    }
    return kinds;
  }
};

} // namespace

NODE_API_ADDON(Scenes)

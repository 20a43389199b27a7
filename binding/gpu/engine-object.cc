// Owns: the JavaScript class of an open engine (NativeGpuEngine in lib/native/gpu-types.ts).
// Must not know: how plans are built or run.

#include "gpu/engine-object.h"

#include <cuda_runtime_api.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "gpu/plan-object.h"
#include "gpu/streams-object.h"
#include "gpu/windows-object.h"
#include "job-arrays.h"

namespace video_depth_binding {

namespace {

namespace tensorrt = video_depth::tensorrt;
using video_depth::gpu::Epilogue;

constexpr int kMostOptimization = 5;

std::string read_text(const Napi::Value& value, const std::string& parameter) {
  if (!value.IsString()) throw unexpected("a string", parameter, value);
  return value.As<Napi::String>().Utf8Value();
}

tensorrt::BuildRequest read_request(const Napi::Value& value) {
  const Napi::Object object = read_object(value, "request");
  tensorrt::BuildRequest request;
  request.onnx_path = read_text(member(object, "onnxPath"), "request.onnxPath");
  request.workspace_bytes = static_cast<size_t>(
      read_integer(member(object, "workspaceBytes"), "request.workspaceBytes", 0, kMaxSafeInteger));
  request.optimization_level = static_cast<int>(
      read_integer(member(object, "optimizationLevel"), "request.optimizationLevel", 0, kMostOptimization));
  const Napi::Value cache = member(object, "timingCache");
  if (!cache.IsUndefined()) {
    const Napi::Uint8Array bytes = read_bytes(cache, "request.timingCache");
    request.timing_cache.assign(bytes.Data(), bytes.Data() + bytes.ByteLength());
  }
  return request;
}

/// Hands the bytes over without a copy: plans of large networks have hundreds of megabytes.
Napi::Value bytes_of(Napi::Env env, std::vector<uint8_t> bytes) {
  const size_t length = bytes.size();
  if (length == 0) return Napi::Uint8Array::New(env, 0);
  auto owned = std::make_unique<std::vector<uint8_t>>(std::move(bytes));
  const auto buffer = Napi::ArrayBuffer::New(
      env, owned->data(), length, [](Napi::Env, void*, std::vector<uint8_t>* kept) { delete kept; },
      owned.get());
  owned.release(); // NOLINT: the buffer's finalizer deletes it
  return Napi::Uint8Array::New(env, length, buffer, 0);
}

/// Tells the callback of a call of TensorRT's progress; every step of a phase would be too often.
class Monitor : public tensorrt::BuildMonitor {
 public:
  Monitor(std::shared_ptr<Calls> calls, const Call* call, std::atomic<bool>& cancelled)
      : calls_(std::move(calls)), call_(call), cancelled_(cancelled) {}

  void progress(const std::string& phase, double fraction) noexcept override {
    const int percent = static_cast<int>(100 * fraction);
    if (phase == phase_ && percent == percent_) return;
    try {
      phase_ = phase;
      percent_ = percent;
      calls_->post([calls = calls_, call = call_, phase, fraction](Napi::Env env) {
        if (!calls->is_pending(call)) return;
        call->callback().Call({Napi::String::New(env, phase), Napi::Number::New(env, fraction)});
      });
    } catch (...) { // NOLINT(bugprone-empty-catch): what cannot be told is not worth a build
    }
  }

  bool cancelled() noexcept override { return cancelled_; }

 private:
  std::shared_ptr<Calls> calls_;
  const Call* call_;
  std::atomic<bool>& cancelled_;
  std::string phase_;
  int percent_ = -1;
};

} // namespace

Napi::Value device_of(Napi::Env env, const video_depth::gpu::DeviceInfo& device) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("index", device.index);
  object.Set("name", device.name);
  object.Set("computeCapability", std::to_string(device.major) + "." + std::to_string(device.minor));
  object.Set("memoryBytes", static_cast<double>(device.memory_bytes));
  object.Set("multiprocessors", device.multiprocessors);
  return object;
}

Napi::Function EngineObject::define(Napi::Env env) {
  return DefineClass(
      env, "NativeGpuEngine",
      {InstanceMethod<&EngineObject::build>("build"),
       InstanceMethod<&EngineObject::cancel_build>("cancelBuild"),
       InstanceMethod<&EngineObject::load_plan>("loadPlan"),
       InstanceMethod<&EngineObject::open_windows>("openWindows"),
       InstanceMethod<&EngineObject::open_streams>("openStreams"),
       InstanceMethod<&EngineObject::memory>("memory"), InstanceMethod<&EngineObject::close>("close")});
}

Napi::Value EngineObject::make(Napi::Env env, const std::shared_ptr<GpuClasses>& classes,
                               const std::shared_ptr<EngineState>& state) {
  const Napi::Object object = classes->engine.New({});
  object.Set("device", device_of(env, state->engine->device()));
  object.Set("tensorRt", tensorrt::version_text(state->engine->tensorrt_version()));
  object.Set("tensorRtBuild", state->engine->tensorrt_build());
  EngineObject* const self = Unwrap(object);
  self->classes_ = classes;
  self->state_ = state;
  return object;
}

template <class Body>
Napi::Value EngineObject::call(const Napi::CallbackInfo& info, const char* name, const Body& body) {
  if (!state_) throw unexpected("an engine that `open` gave", "this", info.This());
  Call& call = state_->calls->begin(info.Env(), name);
  const Napi::Value promise = call.promise();
  call.hold(info.This().As<Napi::Object>());
  try {
    body(call, state_->open_engine());
  } catch (...) {
    call.reject_now(info.Env(), std::current_exception());
  }
  return promise;
}

Napi::Value EngineObject::build(const Napi::CallbackInfo& info) {
  return call(info, "build", [&](Call& call, video_depth::gpu::Engine& engine) {
    const tensorrt::BuildRequest request = read_request(info[0]);
    if (!info[1].IsFunction()) throw unexpected("a function", "onProgress", info[1]);
    // A second one would take back the first one's cancelling.
    if (is_building_) {
      throw Napi::Error::New(info.Env(),
                             "Expected the previous build to have settled, received a second call");
    }
    call.hold_callback(info[1].As<Napi::Function>());
    const auto result = std::make_shared<tensorrt::BuildResult>();
    call.make_result = [result](Napi::Env env) {
      const Napi::Object object = Napi::Object::New(env);
      object.Set("plan", bytes_of(env, std::move(result->plan)));
      object.Set("timingCache", bytes_of(env, std::move(result->timing_cache)));
      return object;
    };
    engine.build_cancelled() = false;
    engine.building().submit(
        [&engine, request, result, calls = state_->calls, call = &call]() -> Epilogue {
          Monitor monitor(calls, call, engine.build_cancelled());
          *result = engine.build_api().build(request, monitor);
          return nullptr;
        },
        call.settle());
    is_building_ = true;
    call.at_end = [this] { is_building_ = false; };
  });
}

void EngineObject::cancel_build(const Napi::CallbackInfo& /*info*/) {
  if (state_ && state_->engine) state_->engine->build_cancelled() = true;
}

Napi::Value EngineObject::load_plan(const Napi::CallbackInfo& info) {
  return call(info, "loadPlan", [&](Call& call, video_depth::gpu::Engine& engine) {
    const Napi::Uint8Array given = read_bytes(info[0], "plan");
    const size_t length = given.ByteLength();
    const std::shared_ptr<uint8_t[]> bytes = copied(given.Data(), length);
    const PlanHandle handle{state_};
    const auto facts = std::make_shared<PlanFacts>();
    call.make_result = [classes = classes_, handle, facts](Napi::Env env) {
      return PlanObject::make(env, *classes, handle, *facts);
    };
    call.undo = [unused = PlanHandle(handle)]() mutable { unused.release(); };
    engine.executor().submit(
        [&engine, handle, facts, bytes, length]() -> Epilogue {
          std::shared_ptr<tensorrt::Plan> plan = engine.api().load(bytes.get(), length);
          *facts = {plan->ports(), plan->scratch_bytes()};
          handle.held->set(std::move(plan));
          engine.adopt(handle.held);
          return nullptr;
        },
        call.settle());
  });
}

Napi::Value EngineObject::open_windows(const Napi::CallbackInfo& info) {
  return call(info, "openWindows", [&](Call& call, video_depth::gpu::Engine& engine) {
    const WindowsRequest request = read_windows_request(info[0], *state_);
    const WindowsHandle handle{state_};
    const auto facts = std::make_shared<WindowsFacts>();
    call.make_result = [classes = classes_, handle, facts](Napi::Env) {
      return WindowsObject::make(*classes, handle, *facts);
    };
    engine.executor().submit(
        [&engine, request, handle, facts]() -> Epilogue {
          const video_depth::gpu::WindowPlans plans{request.encoder.held->share(),
                                                    request.temporal_head.held->share(),
                                                    request.depth_decoder.held->share()};
          auto session =
              std::make_shared<video_depth::gpu::WindowSession>(engine.lanes(), plans, request.options);
          *facts = {session->window(), session->frame_values(), session->map_values()};
          handle.held->set(std::move(session));
          engine.adopt(handle.held);
          return nullptr;
        },
        call.settle());
  });
}

Napi::Value EngineObject::open_streams(const Napi::CallbackInfo& info) {
  return call(info, "openStreams", [&](Call& call, video_depth::gpu::Engine& engine) {
    const StreamsRequest request = read_streams_request(info[0], *state_);
    const StreamsHandle handle{state_};
    const auto facts = std::make_shared<StreamsFacts>();
    call.make_result = [classes = classes_, handle, facts](Napi::Env) {
      return StreamsObject::make(*classes, handle, *facts);
    };
    engine.executor().submit(
        [&engine, request, handle, facts]() -> Epilogue {
          auto pool =
              std::make_shared<video_depth::gpu::StreamPool>(engine.lanes(), request.plans(), request.rows);
          *facts = {pool->row_count(), pool->memory_bytes(), pool->map_values()};
          handle.held->set(std::move(pool));
          engine.adopt(handle.held);
          return nullptr;
        },
        call.settle());
  });
}

Napi::Value EngineObject::memory(const Napi::CallbackInfo& info) {
  return call(info, "memory", [&](Call& call, video_depth::gpu::Engine& engine) {
    const auto bytes = std::make_shared<std::pair<size_t, size_t>>();
    call.make_result = [bytes](Napi::Env env) {
      const Napi::Object object = Napi::Object::New(env);
      object.Set("free", static_cast<double>(bytes->first));
      object.Set("total", static_cast<double>(bytes->second));
      return object;
    };
    engine.executor().submit(
        [bytes]() -> Epilogue {
          video_depth::cuda::check(cudaMemGetInfo(&bytes->first, &bytes->second), "asking for free memory");
          return nullptr;
        },
        call.settle());
  });
}

/// The threads are joined on one of Node.js's own.
class CloseJob : public Napi::AsyncWorker {
 public:
  CloseJob(Napi::Env env, std::unique_ptr<video_depth::gpu::Engine> engine)
      : Napi::AsyncWorker(env, "video-depth gpu close"),
        deferred(Napi::Promise::Deferred::New(env)),
        engine_(std::move(engine)) {}

  const Napi::Promise::Deferred deferred;

 protected:
  void Execute() override { engine_.reset(); }
  void OnOK() override { deferred.Resolve(Env().Undefined()); }

 private:
  std::unique_ptr<video_depth::gpu::Engine> engine_;
};

Napi::Value EngineObject::close(const Napi::CallbackInfo& info) {
  if (!closed_.IsEmpty()) return closed_.Value();
  if (!state_) throw unexpected("an engine that `open` gave", "this", info.This());
  classes_->engines.erase(state_);
  auto* const job = new CloseJob(info.Env(), std::move(state_->engine)); // NOLINT: Node.js deletes it
  closed_ = Napi::Persistent(job->deferred.Promise().As<Napi::Object>());
  job->Queue();
  return closed_.Value();
}

} // namespace video_depth_binding

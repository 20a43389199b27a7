// Owns: the addon's `gpu` (NativeGpu in lib/native/gpu-types.ts): what was compiled, what is there, opening
// an engine. Must not know: what engines do.

#include "gpu/gpu.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "arguments.h"
#include "gpu/engine-object.h"
#include "gpu/handles.h"
#include "gpu/plan-object.h"
#include "gpu/probe.h"
#include "gpu/streams-object.h"
#include "gpu/windows-object.h"

namespace video_depth_binding {

namespace {

constexpr uint32_t kMostFolders = 64;
constexpr int kMostDevices = 1024;

std::vector<std::string> read_folders(const Napi::Value& value) {
  const Napi::Array array = read_array(value, "folders", kMostFolders);
  std::vector<std::string> folders;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value folder = element(array, i);
    if (!folder.IsString()) throw unexpected("a path", item("folders", i), folder);
    folders.push_back(folder.As<Napi::String>().Utf8Value());
  }
  return folders;
}

Napi::Value report_of(Napi::Env env, const video_depth::tensorrt::LibraryReport& library) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("major", library.major);
  object.Set("version", library.version == 0 ? "" : video_depth::tensorrt::version_text(library.version));
  object.Set("inferPath", library.infer_path);
  object.Set("parserPath", library.parser_path);
  object.Set("problem", library.problem);
  return object;
}

Napi::Value probe_of(Napi::Env env, const video_depth::gpu::Probe& probe) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("driver", probe.driver == 0 ? "" : video_depth::gpu::cuda_version_text(probe.driver));
  object.Set("problem", probe.problem);
  const Napi::Array devices = Napi::Array::New(env);
  for (const video_depth::gpu::DeviceInfo& device : probe.devices) {
    devices.Set(devices.Length(), device_of(env, device));
  }
  object.Set("devices", devices);
  const Napi::Array libraries = Napi::Array::New(env);
  for (const auto& library : probe.libraries) libraries.Set(libraries.Length(), report_of(env, library));
  object.Set("tensorRt", libraries);
  return object;
}

/// Work of our own on Node.js's threads, which may take a while.
template <class Result>
class Job : public Napi::AsyncWorker {
 public:
  using Work = std::function<Result()>;
  using Finish = std::function<Napi::Value(Napi::Env, Result)>;

  Job(Napi::Env env, Work work, Finish finish)
      : Napi::AsyncWorker(env, "video-depth gpu"),
        deferred_(Napi::Promise::Deferred::New(env)),
        work_(std::move(work)),
        finish_(std::move(finish)) {}

  static Napi::Value start(Napi::Env env, Work work, Finish finish) {
    auto* const job = new Job(env, std::move(work), std::move(finish)); // NOLINT: Node.js deletes it
    const Napi::Value promise = job->deferred_.Promise();
    job->Queue();
    return promise;
  }

 protected:
  void Execute() override {
    try {
      result_ = work_();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  void OnOK() override {
    if (failure_) {
      deferred_.Reject(to_gpu_error(Env(), failure_));
    } else {
      deferred_.Resolve(finish_(Env(), std::move(result_)));
    }
  }

 private:
  Napi::Promise::Deferred deferred_;
  Work work_;
  Finish finish_;
  Result result_{};
  std::exception_ptr failure_;
};

/// process.exit() runs no cleanup hooks, and threads that are at work then would outlive the libraries they
/// use.
class OpenAtExit {
 public:
  /// After an engine has loaded the libraries, so that this runs before their own ends.
  static void watch(const std::shared_ptr<EngineState>& state) {
    static const int registered = std::atexit([] { all().close(); });
    static_cast<void>(registered);
    OpenAtExit& those = all();
    const std::lock_guard lock(those.mutex_);
    const auto is_gone = [](const Watched& watched) { return watched.state.expired(); };
    those.states_.erase(std::remove_if(those.states_.begin(), those.states_.end(), is_gone),
                        those.states_.end());
    those.states_.push_back({state, std::this_thread::get_id()});
  }

 private:
  struct Watched {
    std::weak_ptr<EngineState> state;
    std::thread::id thread;
  };

  static OpenAtExit& all() {
    static auto* const it = new OpenAtExit; // NOLINT: outlives every thread
    return *it;
  }

  /// Only this thread's: workers have ended by now, and theirs with them.
  void close() {
    const std::lock_guard lock(mutex_);
    for (const Watched& watched : states_) {
      const std::shared_ptr<EngineState> state = watched.state.lock();
      if (state && watched.thread == std::this_thread::get_id()) state->engine.reset();
    }
    states_.clear();
  }

  std::mutex mutex_;
  std::vector<Watched> states_;
};

/// @returns the way back to this environment's thread
const std::shared_ptr<Calls>& calls_of(Napi::Env env, const std::shared_ptr<GpuClasses>& classes) {
  if (classes->calls) return classes->calls;
  classes->calls = Calls::create(env);
  // After the queue, so that it runs before the queue's own end: joins the threads, then nothing posts any
  // more.
  env.AddCleanupHook([classes] {
    for (const std::shared_ptr<EngineState>& state : classes->engines) state->engine.reset();
    classes->calls->end();
  });
  return classes->calls;
}

Napi::Value open(const Napi::CallbackInfo& info, const std::shared_ptr<GpuClasses>& classes) {
  const auto device = static_cast<int>(read_integer(info[0], "device", 0, kMostDevices));
  const std::vector<std::string> folders = read_folders(info[1]);
  auto state = std::make_shared<EngineState>();
  state->calls = calls_of(info.Env(), classes);
  using Opened = std::unique_ptr<video_depth::gpu::Engine>;
  return Job<Opened>::start(
      info.Env(), [device, folders] { return std::make_unique<video_depth::gpu::Engine>(device, folders); },
      [classes, state](Napi::Env env, Opened engine) {
        state->engine = std::move(engine);
        classes->engines.insert(state);
        OpenAtExit::watch(state);
        return EngineObject::make(env, classes, state);
      });
}

/// Everything that is wrong is told through the promise.
Napi::Value promising(const Napi::CallbackInfo& info, const std::function<Napi::Value()>& body) {
  try {
    return body();
  } catch (...) {
    const auto deferred = Napi::Promise::Deferred::New(info.Env());
    deferred.Reject(to_gpu_error(info.Env(), std::current_exception()));
    return deferred.Promise();
  }
}

Napi::Object compiled_of(Napi::Env env) {
  const Napi::Object compiled = Napi::Object::New(env);
  compiled.Set("cuda", video_depth::gpu::cuda_version_text(CUDART_VERSION));
  const Napi::Array majors = Napi::Array::New(env);
  for (const auto& major : video_depth::tensorrt::compiled_majors()) {
    majors.Set(majors.Length(), video_depth::tensorrt::version_text(major.header_version));
  }
  compiled.Set("tensorRt", majors);
  return compiled;
}

} // namespace

Napi::Value make_gpu(Napi::Env env) {
  const auto classes = std::make_shared<GpuClasses>();
  classes->engine = Napi::Persistent(EngineObject::define(env));
  classes->plan = Napi::Persistent(PlanObject::define(env));
  classes->windows = Napi::Persistent(WindowsObject::define(env));
  classes->streams = Napi::Persistent(StreamsObject::define(env));
  const Napi::Object gpu = Napi::Object::New(env);
  gpu.Set("compiled", compiled_of(env));
  gpu.Set("probe", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
            return promising(info, [&] {
              const std::vector<std::string> folders = read_folders(info[0]);
              return Job<video_depth::gpu::Probe>::start(
                  info.Env(), [folders] { return video_depth::gpu::probe(folders); }, probe_of);
            });
          }));
  gpu.Set("open", Napi::Function::New(env, [classes](const Napi::CallbackInfo& info) {
            return promising(info, [&] { return open(info, classes); });
          }));
  return gpu;
}

} // namespace video_depth_binding

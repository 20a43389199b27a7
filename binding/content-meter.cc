// Owns: the JavaScript class ContentMeter: its queue of pictures, one job at a time, what they keep alive.
// Must not know: how content is measured.

#include "content-meter.h"

#include <exception>
#include <optional>
#include <utility>

#include "arguments.h"

namespace video_depth_binding {

namespace {

void run_next(Napi::Env env, const std::shared_ptr<ContentMeterState>& state);

/// Created and destroyed on the JavaScript thread, also when its environment ends.
class MeasureJob : public Napi::AsyncWorker {
 public:
  MeasureJob(Napi::Env env, std::shared_ptr<ContentMeterState> state, PendingPicture picture)
      : Napi::AsyncWorker(env, "video-depth measure"),
        state_(std::move(state)),
        picture_(std::move(picture)) {
    state_->busy = true;
  }

 protected:
  void Execute() override {
    try {
      difference_ = state_->core.measure(picture_.picture.view);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  void OnOK() override {
    const Napi::Env env = Env();
    state_->busy = false;
    run_next(env, state_);
    if (failure_) {
      picture_.deferred.Reject(to_js_error(env, failure_));
    } else {
      picture_.deferred.Resolve(result(env));
    }
  }

 private:
  Napi::Value result(Napi::Env env) const {
    if (!difference_) return env.Null();
    const Napi::Object object = Napi::Object::New(env);
    object.Set("hue", Napi::Number::New(env, difference_->hue));
    object.Set("saturation", Napi::Number::New(env, difference_->saturation));
    object.Set("value", Napi::Number::New(env, difference_->value));
    return object;
  }

  std::shared_ptr<ContentMeterState> state_;
  PendingPicture picture_;
  std::optional<video_depth::ContentDifference> difference_;
  std::exception_ptr failure_;
};

void start(Napi::Env env, const std::shared_ptr<ContentMeterState>& state, PendingPicture picture) {
  const Napi::Promise::Deferred deferred = picture.deferred;
  try {
    if (state->forget) state->core.reset();
    state->forget = false;
    auto job = std::make_unique<MeasureJob>(env, state, std::move(picture));
    job->Queue();
    job.release(); // NOLINT: Node.js deletes it when it is done
  } catch (...) {
    state->busy = false;
    deferred.Reject(to_js_error(env, std::current_exception()));
  }
}

void run_next(Napi::Env env, const std::shared_ptr<ContentMeterState>& state) {
  while (!state->busy && !state->queue.empty()) {
    PendingPicture picture = std::move(state->queue.front());
    state->queue.pop_front();
    start(env, state, std::move(picture));
  }
}

} // namespace

Napi::Function ContentMeter::define(Napi::Env env) {
  return DefineClass(
      env, "ContentMeter",
      {InstanceMethod<&ContentMeter::measure>("measure"), InstanceMethod<&ContentMeter::reset>("reset")});
}

ContentMeter::ContentMeter(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ContentMeter>(info), state_(std::make_shared<ContentMeterState>()) {
}

/// Everything that is wrong is told through the promise.
Napi::Value ContentMeter::measure(const Napi::CallbackInfo& info) {
  const auto deferred = Napi::Promise::Deferred::New(info.Env());
  try {
    OwnedPicture picture("measure", read_picture(info[0], "picture").view);
    state_->queue.push_back({std::move(picture), deferred});
  } catch (...) {
    deferred.Reject(to_js_error(info.Env(), std::current_exception()));
  }
  run_next(info.Env(), state_);
  return deferred.Promise();
}

void ContentMeter::reset(const Napi::CallbackInfo& /*info*/) {
  state_->forget = true;
}

} // namespace video_depth_binding

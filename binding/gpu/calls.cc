// Owns: calls that the GPU's threads answer: their promises, what they keep alive, the way back to the
// JavaScript thread. Must not know: what is called.

#include "gpu/calls.h"

#include <utility>

#include "arguments.h"
#include "cuda/failure.h"

namespace video_depth_binding {

namespace {

void run_task(Napi::Env env, Napi::Function /*unused*/, std::function<void(Napi::Env)>* task) {
  const std::unique_ptr<std::function<void(Napi::Env)>> owned(task);
  if (static_cast<napi_env>(env) == nullptr) return; // the environment has ended
  try {
    (*task)(env);
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  }
}

} // namespace

Call::Call(std::shared_ptr<Calls> calls, Napi::Env env, std::string name)
    : calls_(std::move(calls)), name_(std::move(name)), deferred_(Napi::Promise::Deferred::New(env)) {
}

void Call::hold(const Napi::Object& value) {
  held_.push_back(Napi::Persistent(value));
}

video_depth::gpu::Settle Call::settle() {
  return [calls = calls_, call = this](const std::exception_ptr& failure) {
    calls->post([calls, call, failure](Napi::Env env) { calls->settled(env, call, failure); });
  };
}

void Call::reject_now(Napi::Env env, const std::exception_ptr& failure) {
  calls_->settled(env, this, failure);
}

void Call::conclude(Napi::Env env, const std::exception_ptr& failure) {
  if (at_end) at_end();
  if (failure) return deferred_.Reject(to_gpu_error(env, failure));
  Napi::Value result = env.Undefined();
  try {
    if (make_result) result = make_result(env);
  } catch (...) {
    if (undo) undo();
    return deferred_.Reject(to_gpu_error(env, std::current_exception()));
  }
  deferred_.Resolve(result);
}

std::shared_ptr<Calls> Calls::create(Napi::Env env) {
  auto calls = std::make_shared<Calls>();
  calls->env_ = env;
  const auto nothing = Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
  calls->queue_ = Napi::ThreadSafeFunction::New(env, nothing, "video-depth gpu", 0, 1);
  calls->queue_.Unref(env);
  return calls;
}

Call& Calls::begin(Napi::Env env, const std::string& name) {
  auto call = std::make_unique<Call>(shared_from_this(), env, name);
  if (pending_.empty()) queue_.Ref(env);
  pending_.insert(call.get());
  return *call.release();
}

void Calls::post(Task task) {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  auto owned = std::make_unique<Task>(std::move(task));
  if (queue_.NonBlockingCall(owned.get(), run_task) == napi_ok)
    owned.release(); // NOLINT: run_task deletes it
}

void Calls::settled(Napi::Env env, Call* call, const std::exception_ptr& failure) {
  if (pending_.erase(call) == 0) return;
  const std::unique_ptr<Call> owned(call);
  if (pending_.empty()) queue_.Unref(env);
  owned->conclude(env, failure);
}

void Calls::end() {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
  }
  for (const Call* call : pending_) delete call;
  pending_.clear();
  queue_.Release();
}

Napi::Value to_gpu_error(Napi::Env env, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const video_depth::GpuFailure& gpu) {
    const Napi::Object error = Napi::Error::New(env, gpu.what()).Value();
    error.Set("code", Napi::String::New(env, gpu.code()));
    error.Set("lasting", Napi::Boolean::New(env, gpu.is_lasting()));
    return error;
  } catch (...) {
    return to_js_error(env, std::current_exception());
  }
}

} // namespace video_depth_binding

// Owns: calls that the GPU's threads answer: their promises, what they keep alive, the way back to the
// JavaScript thread. Must not know: what is called.
#pragma once

#include <napi.h>

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "gpu/executor.h"

namespace video_depth_binding {

/// Makes a call's result; on the JavaScript thread.
using MakeResult = std::function<Napi::Value(Napi::Env)>;

class Calls;

/// One call: created and destroyed on the JavaScript thread.
class Call {
 public:
  Call(std::shared_ptr<Calls> calls, Napi::Env env, std::string name);

  Napi::Value promise() const { return deferred_.Promise(); }

  /// Keeps a value from being collected.
  void hold(const Napi::Object& value);
  void hold_callback(const Napi::Function& callback) { callback_ = Napi::Persistent(callback); }
  const Napi::FunctionReference& callback() const { return callback_; }

  /// Runs on the JavaScript thread before the promise settles, whatever has happened.
  std::function<void()> at_end;
  /// Undefined where there is none.
  MakeResult make_result;
  /// Undoes what a call left on the device that succeeded there, but whose result could not be made.
  std::function<void()> undo;

  /// To be given to the executor with this call's work.
  video_depth::gpu::Settle settle();
  void reject_now(Napi::Env env, const std::exception_ptr& failure);

 private:
  friend class Calls;

  void conclude(Napi::Env env, const std::exception_ptr& failure);

  std::shared_ptr<Calls> calls_;
  std::string name_;
  Napi::Promise::Deferred deferred_;
  std::vector<Napi::ObjectReference> held_;
  Napi::FunctionReference callback_;
};

/// All calls of one environment that are under way. Holds the process while there are any.
class Calls : public std::enable_shared_from_this<Calls> {
 public:
  /// On the JavaScript thread.
  static std::shared_ptr<Calls> create(Napi::Env env);

  /// On the JavaScript thread. The call lives until it has settled, or the environment ends.
  Call& begin(Napi::Env env, const std::string& name);

  /// From any thread: runs `task` on the JavaScript thread, in the order posted; not at all once the
  /// environment ends.
  void post(std::function<void(Napi::Env)> task);

  /// On the JavaScript thread, when nothing posts any more because the environment ends.
  void end();

  bool is_pending(const Call* call) const { return pending_.count(call) != 0; }

 private:
  friend class Call;
  using Task = std::function<void(Napi::Env)>;

  void settled(Napi::Env env, Call* call, const std::exception_ptr& failure);

  napi_env env_ = nullptr;
  Napi::ThreadSafeFunction queue_;
  /// Guards `ended_` against posts from other threads.
  std::mutex mutex_;
  bool ended_ = false;
  std::set<const Call*> pending_;
};

/// A failure with its code, or what the core threw otherwise.
Napi::Value to_gpu_error(Napi::Env env, const std::exception_ptr& failure);

} // namespace video_depth_binding

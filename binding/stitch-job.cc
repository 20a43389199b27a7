// Owns: one stitch call off the JavaScript thread, and everything that it touches, until it is destroyed.
// Must not know: how arguments are read, how stitching works.

#include "stitch-job.h"

#include <utility>

#include "arguments.h"
#include "stitch-arguments.h"

namespace video_depth_binding {

StitchJob::StitchJob(Napi::Env env, std::shared_ptr<StitcherState> state, StitchArguments arguments,
                     const Napi::Array& keep_alive, const Napi::Promise::Deferred& deferred)
    : Napi::AsyncWorker(env, "video-depth stitch"),
      state_(std::move(state)),
      arguments_(std::move(arguments)),
      keep_alive_(Napi::Persistent(keep_alive.As<Napi::Object>())),
      deferred_(deferred) {
  state_->busy = true;
}

StitchJob::~StitchJob() {
  state_->busy = false;
}

void StitchJob::Execute() {
  try {
    result_ = state_->core.stitch(arguments_.maps, arguments_.step, arguments_.out);
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void StitchJob::OnOK() {
  const Napi::Env env = Env();
  // Before the promise settles, so that whoever awaits it finds a free stitcher.
  state_->busy = false;
  state_->held = state_->core.held();
  const auto bytes = static_cast<int64_t>(state_->core.memory_bytes());
  Napi::MemoryManagement::AdjustExternalMemory(env, bytes - state_->reported_bytes);
  state_->reported_bytes = bytes;
  if (failure_) {
    deferred_.Reject(to_js_error(env, failure_));
  } else if (!arrays_intact()) {
    deferred_.Reject(transferred(env, "maps and out", "stitch"));
  } else {
    deferred_.Resolve(to_js(env, result_));
  }
}

bool StitchJob::arrays_intact() const {
  const auto kept = keep_alive_.Value().As<Napi::Array>();
  for (uint32_t i = 1; i < kept.Length(); i++) {
    if (kept.Get(i).As<Napi::TypedArray>().ElementLength() == 0) return false;
  }
  return true;
}

} // namespace video_depth_binding

// Owns: one stitch call off the JavaScript thread, and everything that it touches, until it is destroyed.
// Must not know: how arguments are read, how stitching works.

#include "stitch-job.h"

#include <utility>

#include "arguments.h"
#include "stitch-arguments.h"

namespace video_depth_binding {

StitchJob::StitchJob(Napi::Env env, std::shared_ptr<StitcherState> state, StitchArguments arguments,
                     std::vector<ResultArray<float>> frames, const Napi::Promise::Deferred& deferred)
    : Napi::AsyncWorker(env, "video-depth stitch"),
      state_(std::move(state)),
      arguments_(std::move(arguments)),
      frames_(std::move(frames)),
      deferred_(deferred) {
  state_->busy = true;
}

StitchJob::~StitchJob() {
  state_->busy = false;
}

void StitchJob::Execute() {
  try {
    std::vector<video_depth::FrameView> out;
    for (const ResultArray<float>& frame : frames_) out.push_back({frame.data(), frame.length()});
    result_ = state_->core.stitch(arguments_.maps, arguments_.step, out);
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
  } else {
    deferred_.Resolve(result(env));
  }
}

Napi::Value StitchJob::result(Napi::Env env) const {
  const Napi::Object object = to_js(env, result_);
  object.Set("frames", values_of(env, frames_));
  return object;
}

} // namespace video_depth_binding

// Owns: the addon's toRgb function, and its job off the JavaScript thread.
// Must not know: how pixels are converted.

#include "to-rgb.h"

#include <exception>
#include <memory>
#include <utility>

#include "arguments.h"
#include "image/pixel_format.h"
#include "job-arrays.h"
#include "picture.h"

namespace video_depth_binding {

namespace {

/// Created and destroyed on the JavaScript thread, also when its environment ends.
class ToRgbJob : public Napi::AsyncWorker {
 public:
  ToRgbJob(Napi::Env env, OwnedPicture picture, const Napi::Promise::Deferred& deferred)
      : Napi::AsyncWorker(env, "video-depth toRgb"),
        picture_(std::move(picture)),
        out_(env, size_t{3} * static_cast<size_t>(picture_.view.width) *
                      static_cast<size_t>(picture_.view.height)),
        deferred_(deferred) {}

 protected:
  void Execute() override {
    try {
      video_depth::to_rgb(picture_.view, out_.data(), out_.length(), 1);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  void OnOK() override {
    if (failure_) {
      deferred_.Reject(to_js_error(Env(), failure_));
    } else {
      deferred_.Resolve(out_.value());
    }
  }

 private:
  OwnedPicture picture_;
  ResultArray<uint8_t> out_;
  Napi::Promise::Deferred deferred_;
  std::exception_ptr failure_;
};

} // namespace

Napi::Value to_rgb(const Napi::CallbackInfo& info) {
  const auto deferred = Napi::Promise::Deferred::New(info.Env());
  try {
    OwnedPicture picture("toRgb", read_picture(info[0], "picture").view);
    auto job = std::make_unique<ToRgbJob>(info.Env(), std::move(picture), deferred);
    job->Queue();
    job.release(); // NOLINT: Node.js deletes it when it is done
  } catch (...) {
    deferred.Reject(to_js_error(info.Env(), std::current_exception()));
  }
  return deferred.Promise();
}

} // namespace video_depth_binding

// Owns: the addon's toRgb function, and its job off the JavaScript thread.
// Must not know: how pixels are converted.

#include "to-rgb.h"

#include <exception>
#include <memory>

#include "arguments.h"
#include "held-bytes.h"
#include "image/pixel_format.h"
#include "picture.h"

namespace video_depth_binding {

namespace {

/// Created and destroyed on the JavaScript thread, also when its environment ends.
class ToRgbJob : public Napi::AsyncWorker {
 public:
  ToRgbJob(const PictureArgument& picture, Napi::Uint8Array out, const Napi::Promise::Deferred& deferred)
      : Napi::AsyncWorker(out.Env(), "video-depth toRgb"),
        picture_(picture.view),
        out_(out.Data()),
        out_length_(out.ByteLength()),
        held_picture_(picture.data),
        held_out_(out),
        deferred_(deferred) {}

 protected:
  void Execute() override {
    try {
      video_depth::to_rgb(picture_, out_, out_length_, 1);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  void OnOK() override {
    const Napi::Env env = Env();
    if (failure_) {
      deferred_.Reject(to_js_error(env, failure_));
    } else if (!held_picture_.intact() || !held_out_.intact()) {
      deferred_.Reject(transferred(env, "picture and out", "toRgb"));
    } else {
      deferred_.Resolve(env.Undefined());
    }
  }

 private:
  video_depth::PictureView picture_;
  uint8_t* out_;
  size_t out_length_;
  HeldBytes held_picture_, held_out_;
  Napi::Promise::Deferred deferred_;
  std::exception_ptr failure_;
};

} // namespace

Napi::Value to_rgb(const Napi::CallbackInfo& info) {
  const auto deferred = Napi::Promise::Deferred::New(info.Env());
  try {
    const PictureArgument picture = read_picture(info[0], "picture");
    const Napi::Uint8Array out = read_bytes(info[1], "out");
    auto job = std::make_unique<ToRgbJob>(picture, out, deferred);
    job->Queue();
    job.release(); // NOLINT: Node.js deletes it when it is done
  } catch (...) {
    deferred.Reject(to_js_error(info.Env(), std::current_exception()));
  }
  return deferred.Promise();
}

} // namespace video_depth_binding

// Owns: the JavaScript class ContentMeter: its queue of pictures, one job at a time, what they keep alive.
// Must not know: how content is measured.
#pragma once

#include <napi.h>

#include <deque>
#include <memory>

#include "image/content.h"
#include "picture.h"

namespace video_depth_binding {

struct PendingPicture {
  OwnedPicture picture;
  Napi::Promise::Deferred deferred;
};

/// Shared by the JavaScript object and the job in flight, so that either may go first. The core belongs to
/// the job's thread while `busy`; everything else is touched on the JavaScript thread alone.
struct ContentMeterState {
  video_depth::ContentMeter core;
  bool busy = false;
  /// The core is to be reset before the next job begins.
  bool forget = false;
  std::deque<PendingPicture> queue;
};

/// See NativeContentMeter in lib/native/types.ts.
class ContentMeter : public Napi::ObjectWrap<ContentMeter> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit ContentMeter(const Napi::CallbackInfo& info);

 private:
  Napi::Value measure(const Napi::CallbackInfo& info);
  void reset(const Napi::CallbackInfo& info);

  std::shared_ptr<ContentMeterState> state_;
};

} // namespace video_depth_binding

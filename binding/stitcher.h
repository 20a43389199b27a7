// Owns: the JavaScript class Stitcher: argument checks, one job at a time, what a job keeps alive.
// Must not know: how stitching works.
#pragma once

#include <napi.h>

#include <memory>

#include "stitch/stitcher.h"

namespace video_depth_binding {

/// Shared by the JavaScript object and the job in flight, so that either may go first. The core belongs to
/// the job's thread while `busy`; everything else is touched on the JavaScript thread alone.
struct StitcherState {
  explicit StitcherState(const video_depth::StitcherOptions& options) : core(options) {}

  video_depth::Stitcher core;
  bool busy = false;
  /// As of the last finished job.
  int held = 0;
  int64_t reported_bytes = 0;
};

/// See NativeStitcher in lib/native-types.ts.
class Stitcher : public Napi::ObjectWrap<Stitcher> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit Stitcher(const Napi::CallbackInfo& info);
  ~Stitcher() override;

 private:
  Napi::Value stitch(const Napi::CallbackInfo& info);
  Napi::Value held(const Napi::CallbackInfo& info);
  void queue(const Napi::CallbackInfo& info, const Napi::Promise::Deferred& deferred);

  std::shared_ptr<StitcherState> state_;
};

} // namespace video_depth_binding

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
  explicit StitcherState(const video_depth::StitcherOptions& options)
      : core(options),
        frame_values(static_cast<size_t>(options.frame_width) * static_cast<size_t>(options.frame_height)) {}

  video_depth::Stitcher core;
  const size_t frame_values;
  bool busy = false;
  /// As of the last finished job.
  int held = 0;
  int64_t reported_bytes = 0;
};

/// See NativeStitcher in lib/native/types.ts.
class Stitcher : public Napi::ObjectWrap<Stitcher> {
 public:
  static constexpr const char* kName = "Stitcher";
  static constexpr napi_type_tag kTag = {0x2f0c9a51d7be4860ULL, 0x8e135bc4a96f02d7ULL};

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

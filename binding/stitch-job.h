// Owns: one stitch call off the JavaScript thread, and everything that it touches, until it is destroyed.
// Must not know: how arguments are read, how stitching works.
#pragma once

#include <napi.h>

#include <exception>
#include <memory>
#include <vector>

#include "job-arrays.h"
#include "stitcher.h"

namespace video_depth_binding {

struct StitchArguments {
  std::vector<std::unique_ptr<float[]>> copies;
  /// Views of `copies`.
  std::vector<video_depth::MapView> maps;
  video_depth::StitchStep step;
};

/// Created and destroyed on the JavaScript thread, also when its environment ends.
class StitchJob : public Napi::AsyncWorker {
 public:
  /// @param frames for those that leave
  StitchJob(Napi::Env env, std::shared_ptr<StitcherState> state, StitchArguments arguments,
            std::vector<ResultArray<float>> frames, const Napi::Promise::Deferred& deferred);
  ~StitchJob() override;

 protected:
  void Execute() override;
  void OnOK() override;

 private:
  Napi::Value result(Napi::Env env) const;

  std::shared_ptr<StitcherState> state_;
  StitchArguments arguments_;
  std::vector<ResultArray<float>> frames_;
  Napi::Promise::Deferred deferred_;
  video_depth::StitchResult result_;
  std::exception_ptr failure_;
};

} // namespace video_depth_binding

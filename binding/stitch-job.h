// Owns: one stitch call off the JavaScript thread, and everything that it touches, until it is destroyed.
// Must not know: how arguments are read, how stitching works.
#pragma once

#include <napi.h>

#include <exception>
#include <memory>
#include <vector>

#include "stitcher.h"

namespace video_depth_binding {

struct StitchArguments {
  std::vector<video_depth::MapView> maps;
  video_depth::StitchStep step;
  std::vector<video_depth::FrameView> out;
};

/// Created and destroyed on the JavaScript thread, also when its environment ends. The views in `arguments`
/// stay valid because `keep_alive` holds the arrays; a caller that transfers their buffers meanwhile gets an
/// error.
class StitchJob : public Napi::AsyncWorker {
 public:
  /// @param keep_alive the Stitcher object at 0, then every typed array of `arguments`
  StitchJob(Napi::Env env, std::shared_ptr<StitcherState> state, StitchArguments arguments,
            const Napi::Array& keep_alive, const Napi::Promise::Deferred& deferred);
  ~StitchJob() override;

 protected:
  void Execute() override;
  void OnOK() override;

 private:
  bool arrays_intact() const;

  std::shared_ptr<StitcherState> state_;
  StitchArguments arguments_;
  Napi::ObjectReference keep_alive_;
  Napi::Promise::Deferred deferred_;
  video_depth::StitchResult result_;
  std::exception_ptr failure_;
};

} // namespace video_depth_binding

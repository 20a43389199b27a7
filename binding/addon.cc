// Owns: what the addon exports. All state is the environment's, so it loads in every worker_thread.
// Must not know: what the exports do.

#include <napi.h>

#include "preprocess.h"
#include "stitcher.h"

namespace {

class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports) {
    DefineAddon(exports,
                {
                    InstanceValue("version", Napi::String::New(env, VIDEO_DEPTH_VERSION), napi_enumerable),
                    InstanceMethod<&Addon::preprocess>("preprocess", napi_enumerable),
                    InstanceValue("Stitcher", video_depth_binding::Stitcher::define(env), napi_enumerable),
                });
  }

 private:
  void preprocess(const Napi::CallbackInfo& info) { video_depth_binding::preprocess(info); }
};

} // namespace

NODE_API_ADDON(Addon)

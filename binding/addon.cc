// Owns: what the addon exports. All state is the environment's, so it loads in every worker_thread.
// Must not know: what the exports do.

#include <napi.h>

#include "content-meter.h"
#include "output-jobs.h"
#ifdef VIDEO_DEPTH_WITH_CPU
#include "cpu/cpu.h"
#endif
#ifdef VIDEO_DEPTH_WITH_GPU
#include "gpu/gpu.h"
#endif
#include "maps.h"
#include "preprocess.h"
#include "stitcher.h"
#include "to-rgb.h"

namespace {

class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports) {
    DefineAddon(
        exports,
        {
            InstanceValue("version", Napi::String::New(env, VIDEO_DEPTH_VERSION), napi_enumerable),
            InstanceMethod<&Addon::preprocess>("preprocess", napi_enumerable),
            InstanceMethod<&Addon::to_rgb>("toRgb", napi_enumerable),
            InstanceMethod<&Addon::pack_depth>("packDepth", napi_enumerable),
            InstanceMethod<&Addon::unpack_depth>("unpackDepth", napi_enumerable),
            InstanceMethod<&Addon::rgb_to_yuv420>("rgbToYuv420", napi_enumerable),
            InstanceMethod<&Addon::colour_depth>("colourDepth", napi_enumerable),
            InstanceMethod<&Addon::upsample>("upsample", napi_enumerable),
            InstanceMethod<&Addon::fit_map>("fitMap", napi_enumerable),
            InstanceValue("ContentMeter", video_depth_binding::ContentMeter::define(env), napi_enumerable),
            InstanceValue("cpu", cpu(env), napi_enumerable),
            InstanceValue("gpu", gpu(env), napi_enumerable),
            InstanceValue("Stitcher", video_depth_binding::Stitcher::define(env), napi_enumerable),
        });
  }

 private:
  static Napi::Value cpu(Napi::Env env) {
#ifdef VIDEO_DEPTH_WITH_CPU
    return video_depth_binding::make_cpu(env);
#else
    return env.Null();
#endif
  }
  static Napi::Value gpu(Napi::Env env) {
#ifdef VIDEO_DEPTH_WITH_GPU
    return video_depth_binding::make_gpu(env);
#else
    return env.Null();
#endif
  }
  void preprocess(const Napi::CallbackInfo& info) {
    video_depth_binding::preprocess(info);
  }
  Napi::Value to_rgb(const Napi::CallbackInfo& info) {
    return video_depth_binding::to_rgb(info);
  }
  Napi::Value pack_depth(const Napi::CallbackInfo& info) {
    return video_depth_binding::pack_depth(info);
  }
  Napi::Value unpack_depth(const Napi::CallbackInfo& info) {
    return video_depth_binding::unpack_depth(info);
  }
  Napi::Value rgb_to_yuv420(const Napi::CallbackInfo& info) {
    return video_depth_binding::rgb_to_yuv420(info);
  }
  Napi::Value colour_depth(const Napi::CallbackInfo& info) {
    return video_depth_binding::colour_depth(info);
  }
  Napi::Value upsample(const Napi::CallbackInfo& info) {
    return video_depth_binding::upsample(info);
  }
  Napi::Value fit_map(const Napi::CallbackInfo& info) {
    return video_depth_binding::fit_map(info);
  }
};

} // namespace

NODE_API_ADDON(Addon)

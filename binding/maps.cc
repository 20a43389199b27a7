// Owns: the addon's functions of single depth maps: upsample and fitMap.
// Must not know: how they work.

#include "maps.h"

#include "arguments.h"
#include "bounds.h"
#include "image/upsample.h"
#include "stitch/map_fit.h"

namespace video_depth_binding {

Napi::Value upsample(const Napi::CallbackInfo& info) {
  const auto side = [&](size_t index, const char* parameter) {
    return static_cast<int>(read_integer(info[index], parameter, 1, video_depth::kMaxSide));
  };
  const Napi::Float32Array map = read_floats(info[0], "map");
  const int map_width = side(1, "mapWidth");
  const int map_height = side(2, "mapHeight");
  Napi::Float32Array out = read_floats(info[3], "out");
  const int out_width = side(4, "outWidth");
  const int out_height = side(5, "outHeight");
  const float scale = read_float(info[6], "scale");
  const float shift = read_float(info[7], "shift");
  const auto threads = static_cast<int>(read_integer(info[8], "threads", 1, video_depth::kMaxThreads));
  try {
    const uint64_t non_finite = video_depth::upsample(
        {map.Data(), map.ElementLength(), map_width, map_height},
        {out.Data(), out.ElementLength(), out_width, out_height}, scale, shift, threads);
    return Napi::Number::New(info.Env(), static_cast<double>(non_finite));
  } catch (...) {
    throw Napi::Error(info.Env(), to_js_error(info.Env(), std::current_exception()));
  }
}

Napi::Value fit_map(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Float32Array prediction = read_floats(info[0], "prediction");
  const Napi::Float32Array target = read_floats(info[1], "target");
  try {
    const auto [fit, correlation] = video_depth::fit_map(prediction.Data(), prediction.ElementLength(),
                                                         target.Data(), target.ElementLength());
    const Napi::Object object = Napi::Object::New(env);
    object.Set("scale", Napi::Number::New(env, fit.scale));
    object.Set("shift", Napi::Number::New(env, fit.shift));
    object.Set("degenerate", Napi::Boolean::New(env, fit.degenerate));
    object.Set("correlation", Napi::Number::New(env, correlation));
    return object;
  } catch (...) {
    throw Napi::Error(env, to_js_error(env, std::current_exception()));
  }
}

} // namespace video_depth_binding

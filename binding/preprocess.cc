// Owns: the addon's preprocess function.
// Must not know: how preprocessing works.

#include "preprocess.h"

#include "arguments.h"
#include "bounds.h"
#include "image/preprocess.h"
#include "picture.h"

namespace video_depth_binding {

void preprocess(const Napi::CallbackInfo& info) {
  const PictureArgument picture = read_picture(info[0], "picture");
  Napi::Float32Array out = read_floats(info[1], "out");
  const auto out_width = static_cast<int>(read_integer(info[2], "outWidth", 1, video_depth::kMaxSide));
  const auto out_height = static_cast<int>(read_integer(info[3], "outHeight", 1, video_depth::kMaxSide));
  const auto threads = static_cast<int>(read_integer(info[4], "threads", 1, video_depth::kMaxThreads));
  try {
    video_depth::preprocess(picture.view, {out.Data(), out.ElementLength(), out_width, out_height}, threads);
  } catch (...) {
    throw Napi::Error(info.Env(), to_js_error(info.Env(), std::current_exception()));
  }
}

} // namespace video_depth_binding

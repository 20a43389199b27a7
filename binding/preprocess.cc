// Owns: the addon's preprocess function.
// Must not know: how preprocessing works.

#include "preprocess.h"

#include "arguments.h"
#include "bounds.h"
#include "image/preprocess.h"

namespace video_depth_binding {

void preprocess(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array frame = read_bytes(info[0], "frame");
  const auto frame_width = static_cast<int>(read_integer(info[1], "frameWidth", 1, video_depth::kMaxSide));
  const auto frame_height = static_cast<int>(read_integer(info[2], "frameHeight", 1, video_depth::kMaxSide));
  const auto stride = static_cast<size_t>(read_integer(info[3], "strideBytes", 1, INT32_MAX));
  Napi::Float32Array out = read_floats(info[4], "out");
  const auto out_width = static_cast<int>(read_integer(info[5], "outWidth", 1, video_depth::kMaxSide));
  const auto out_height = static_cast<int>(read_integer(info[6], "outHeight", 1, video_depth::kMaxSide));
  const auto threads = static_cast<int>(read_integer(info[7], "threads", 1, video_depth::kMaxThreads));
  try {
    video_depth::preprocess({frame.Data(), frame.ByteLength(), frame_width, frame_height, stride},
                            {out.Data(), out.ElementLength(), out_width, out_height}, threads);
  } catch (...) {
    throw Napi::Error(info.Env(), to_js_error(info.Env(), std::current_exception()));
  }
}

} // namespace video_depth_binding

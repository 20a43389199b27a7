// Owns: reading a NativePicture (lib/native/types.ts).
// Must not know: what is done with pictures.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "image/picture.h"

namespace video_depth_binding {

struct PictureArgument {
  /// Borrows the bytes of `data`. That they are enough is for the core to check.
  video_depth::PictureView view;
  Napi::Uint8Array data;
};

/// A picture of a job off the JavaScript thread: a copy of its bytes up to the last pixel.
struct OwnedPicture {
  /// Throws video_depth::Error unless the picture is valid.
  OwnedPicture(const char* operation, const video_depth::PictureView& borrowed);

  std::unique_ptr<uint8_t[]> bytes;
  video_depth::PictureView view;
};

/// Runs getters; addresses taken earlier may be stale afterwards, the result's are not.
PictureArgument read_picture(const Napi::Value& value, const std::string& parameter);

} // namespace video_depth_binding

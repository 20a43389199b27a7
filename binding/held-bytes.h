// Owns: bytes that a job works on off the JavaScript thread.
// Must not know: what the bytes are.
#pragma once

#include <napi.h>

namespace video_depth_binding {

/// Keeps an array from being collected, but not from being transferred or resized, which `intact` tells.
/// Touched on the JavaScript thread alone.
class HeldBytes {
 public:
  explicit HeldBytes(const Napi::Uint8Array& array)
      : reference_(Napi::Persistent(array)), data_(array.Data()), length_(array.ByteLength()) {}

  bool intact() const {
    const Napi::Uint8Array array = reference_.Value();
    return array.Data() == data_ && array.ByteLength() == length_;
  }

 private:
  Napi::Reference<Napi::Uint8Array> reference_;
  const uint8_t* data_;
  size_t length_;
};

} // namespace video_depth_binding

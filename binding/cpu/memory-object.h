// Owns: the JavaScript class of what a stream remembers (NativeCpuMemory in lib/native/cpu-types.ts).
// Must not know: what states are, which frames are remembered.
#pragma once

#include <napi.h>

#include <memory>

#include "cpu/stream_memory.h"

namespace video_depth_binding {

class MemoryObject : public Napi::ObjectWrap<MemoryObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit MemoryObject(const Napi::CallbackInfo& info);
  /// @param constructor what `define` returned
  static Napi::Value make(const Napi::Function& constructor, video_depth::cpu::StreamMemory memory);
  /// Throws unless `value` is of this class and was not released.
  static video_depth::cpu::StreamMemory& read(const Napi::Value& value, const std::string& parameter);

 private:
  Napi::Value export_state(const Napi::CallbackInfo& info);
  void import_state(const Napi::CallbackInfo& info);
  void release(const Napi::CallbackInfo& info);

  std::unique_ptr<video_depth::cpu::StreamMemory> memory_;
};

} // namespace video_depth_binding

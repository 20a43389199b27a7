// Owns: the JavaScript class of what a stream remembers (NativeCpuMemory in lib/native/cpu-types.ts).
// Must not know: what states are, which frames are remembered.

#include "cpu/memory-object.h"

#include <utility>

#include "arguments.h"

namespace video_depth_binding {

namespace {

constexpr napi_type_tag kTag{0x6c1f4de07a9b4e52, 0x9a4d0c5b83e2f716};

} // namespace

Napi::Function MemoryObject::define(Napi::Env env) {
  return DefineClass(env, "NativeCpuMemory",
                     {InstanceMethod<&MemoryObject::export_state>("export"),
                      InstanceMethod<&MemoryObject::import_state>("import"),
                      InstanceMethod<&MemoryObject::release>("release")});
}

/// Without a memory: `make` brings it.
MemoryObject::MemoryObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<MemoryObject>(info) {
  info.This().As<Napi::Object>().TypeTag(&kTag);
}

Napi::Value MemoryObject::make(const Napi::Function& constructor, video_depth::cpu::StreamMemory memory) {
  const Napi::Object object = constructor.New({});
  Unwrap(object)->memory_ = std::make_unique<video_depth::cpu::StreamMemory>(std::move(memory));
  return object;
}

video_depth::cpu::StreamMemory& MemoryObject::read(const Napi::Value& value, const std::string& parameter) {
  const bool is_one = value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&kTag);
  MemoryObject* self = is_one ? Unwrap(value.As<Napi::Object>()) : nullptr;
  if (self == nullptr || !self->memory_)
    throw unexpected("a memory of this network that was not released", parameter, value);
  return *self->memory_;
}

Napi::Value MemoryObject::export_state(const Napi::CallbackInfo& info) {
  const video_depth::cpu::StreamMemory& memory = read(info.This(), "this");
  Napi::Uint8Array bytes = Napi::Uint8Array::New(info.Env(), memory.export_bytes());
  memory.export_to(reinterpret_cast<std::byte*>(bytes.Data()));
  return bytes;
}

void MemoryObject::import_state(const Napi::CallbackInfo& info) {
  video_depth::cpu::StreamMemory& memory = read(info.This(), "this");
  const Napi::Uint8Array bytes = read_bytes(info[0], "state");
  try {
    memory.import_from(reinterpret_cast<const std::byte*>(bytes.Data()), bytes.ByteLength());
  } catch (...) {
    throw Napi::Error(info.Env(), to_js_error(info.Env(), std::current_exception()));
  }
}

void MemoryObject::release(const Napi::CallbackInfo&) {
  memory_.reset();
}

} // namespace video_depth_binding

// Owns: the addon's `cpu` (NativeCpu in lib/native/cpu-types.ts).
// Must not know: what networks compute.

#include "cpu/cpu.h"

#include <memory>

#include "cpu/kernels.h"
#include "cpu/memory-object.h"
#include "cpu/model-object.h"
#include "cpu/network-object.h"

namespace video_depth_binding {

Napi::Value make_cpu(Napi::Env env) {
  const Napi::Object cpu = Napi::Object::New(env);
  const Napi::Array names = Napi::Array::New(env);
  for (const auto* kernels : video_depth::cpu::available_kernels()) names.Set(names.Length(), kernels->name);
  cpu.Set("kernels", names);
  cpu.Set("Model", ModelObject::define(env, NetworkObject::define(env, MemoryObject::define(env))));
  return cpu;
}

} // namespace video_depth_binding

// Owns: getters that look whose they are called on. Node.js looks for methods, but not for accessors.
// Must not know: what the getters give.
#pragma once

#include <napi.h>

#include <string>

#include "arguments.h"

namespace video_depth_binding {

/// `T` has `kName` and `kTag`, with which its constructor has tagged `this`.
template <class T, Napi::Value (T::*getter)(const Napi::CallbackInfo&)>
napi_value call_getter(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  try {
    const Napi::Value self = info.This();
    if (!self.IsObject() || !self.As<Napi::Object>().CheckTypeTag(&T::kTag)) {
      throw unexpected(std::string("an object of the class ") + T::kName, "this", self);
    }
    return (T::Unwrap(self.As<Napi::Object>())->*getter)(info);
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
    return nullptr;
  }
}

/// For `DefineClass`.
template <class T, Napi::Value (T::*getter)(const Napi::CallbackInfo&)>
napi_property_descriptor checked_getter(const char* name) {
  napi_property_descriptor descriptor{};
  descriptor.utf8name = name;
  descriptor.getter = &call_getter<T, getter>;
  return descriptor;
}

} // namespace video_depth_binding

// Owns: the JavaScript class of a network at one size (NativeCpuNetwork in lib/native/cpu-types.ts).
// Must not know: what a network computes.
#pragma once

#include <napi.h>

#include <memory>

#include "cpu/network.h"

namespace video_depth_binding {

class NetworkObject : public Napi::ObjectWrap<NetworkObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit NetworkObject(const Napi::CallbackInfo& info);
  /// @param constructor what `define` returned
  static Napi::Value make(const Napi::Function& constructor,
                          std::shared_ptr<const video_depth::cpu::Model> model,
                          std::unique_ptr<video_depth::cpu::Network> network);

 private:
  Napi::Value memory_bytes(const Napi::CallbackInfo& info);
  void encode(const Napi::CallbackInfo& info);
  void head(const Napi::CallbackInfo& info);
  void step(const Napi::CallbackInfo& info);
  void remember(const Napi::CallbackInfo& info);
  void decode(const Napi::CallbackInfo& info);
  void release(const Napi::CallbackInfo& info);

  video_depth::cpu::Network& network(Napi::Env env) const;
  /// Views of bytes as the network's values; throw unless there are as many.
  float* features(const Napi::Value& value, const std::string& parameter) const;
  float* memory(const Napi::Value& value, int slots) const;

  // The network refers to the model.
  std::shared_ptr<const video_depth::cpu::Model> model_;
  std::unique_ptr<video_depth::cpu::Network> network_;
};

} // namespace video_depth_binding

// Owns: the JavaScript class of a network at one size (NativeCpuNetwork in lib/native/cpu-types.ts).
// Must not know: what a network computes.
#pragma once

#include <napi.h>

#include <memory>

#include "cpu/network.h"

namespace video_depth_binding {

class NetworkObject : public Napi::ObjectWrap<NetworkObject> {
 public:
  /// @param memory the class of what `newMemory` returns
  static Napi::Function define(Napi::Env env, const Napi::Function& memory);
  explicit NetworkObject(const Napi::CallbackInfo& info);
  /// @param constructor what `define` returned
  static Napi::Value make(const Napi::Function& constructor,
                          std::shared_ptr<const video_depth::cpu::Model> model,
                          std::unique_ptr<video_depth::cpu::Network> network);

 private:
  Napi::Value new_memory(const Napi::CallbackInfo& info);
  void encode(const Napi::CallbackInfo& info);
  void head(const Napi::CallbackInfo& info);
  void step(const Napi::CallbackInfo& info);
  void remember(const Napi::CallbackInfo& info);
  void decode(const Napi::CallbackInfo& info);
  void release(const Napi::CallbackInfo& info);

  video_depth::cpu::Network& network(Napi::Env env) const;
  /// Bytes as the network's values; throws unless there are as many.
  float* features(const Napi::Value& value, const std::string& parameter) const;
  /// Throws unless it is one of a network of this size.
  video_depth::cpu::StreamMemory& memory(const Napi::Value& value) const;

  /// The environment's constructor of what `newMemory` returns.
  const Napi::FunctionReference* memory_;
  // The network refers to the model.
  std::shared_ptr<const video_depth::cpu::Model> model_;
  std::unique_ptr<video_depth::cpu::Network> network_;
};

} // namespace video_depth_binding

// Owns: the JavaScript class of a model's packed weights (NativeCpuModel in lib/native/cpu-types.ts).
// Must not know: what networks compute.
#pragma once

#include <napi.h>

#include <memory>

#include "cpu/model.h"

namespace video_depth_binding {

class ModelObject : public Napi::ObjectWrap<ModelObject> {
 public:
  /// @param network the class of what `network` returns
  static Napi::Function define(Napi::Env env, const Napi::Function& network);
  explicit ModelObject(const Napi::CallbackInfo& info);
  ~ModelObject() override;

 private:
  Napi::Value network(const Napi::CallbackInfo& info);
  void release(const Napi::CallbackInfo& info);
  void let_go();

  /// The environment's constructor of what `network` returns.
  const Napi::FunctionReference* network_;
  std::shared_ptr<const video_depth::cpu::Model> model_;
  int64_t reported_ = 0;
};

} // namespace video_depth_binding

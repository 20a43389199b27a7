// Owns: the JavaScript class of a pool of streams (NativeGpuStreams in lib/native/gpu-types.ts).
// Must not know: how steps are run.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "gpu/handles.h"
#include "gpu/plan-object.h"
#include "gpu/stream_pool.h"

namespace video_depth_binding {

using StreamsHandle = Handle<video_depth::gpu::StreamPool>;

struct StreamsRequest {
  std::vector<int> batches;
  std::vector<PlanHandle> encoders, steps, depth_decoders;
  int rows;

  /// On the device thread.
  video_depth::gpu::StreamPlans plans() const;
};

/// What a pool is, as far as JavaScript must know.
struct StreamsFacts {
  int rows = 0;
  size_t memory_bytes = 0, map_values = 0;
};

StreamsRequest read_streams_request(const Napi::Value& value, const EngineState& state);

class StreamsObject : public Napi::ObjectWrap<StreamsObject> {
 public:
  static Napi::Function define(Napi::Env env);
  static Napi::Value make(const GpuClasses& classes, StreamsHandle handle, const StreamsFacts& facts);

  explicit StreamsObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<StreamsObject>(info) {}
  ~StreamsObject() override { handle_.release(); }

 private:
  Napi::Value step(const Napi::CallbackInfo& info);
  Napi::Value finish(const Napi::CallbackInfo& info);
  Napi::Value export_state(const Napi::CallbackInfo& info);
  Napi::Value import_state(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  template <class Body>
  Napi::Value call(const Napi::CallbackInfo& info, const char* name, const Body& body);
  int read_row(const Napi::Value& value, const std::string& parameter) const;
  /// For as long as the call is under way; throws where one of the rows is taken.
  void take_rows(Napi::Env env, Call& call, const std::vector<int>& rows);

  StreamsHandle handle_;
  StreamsFacts facts_;
  /// Rows with a call under way.
  std::vector<bool> is_busy_;
};

} // namespace video_depth_binding

// Owns: the JavaScript class of a pool of streams (NativeGpuStreams in lib/native/gpu-types.ts).
// Must not know: how steps are run.

#include "gpu/streams-object.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "bounds.h"
#include "gpu/step-arguments.h"
#include "job-arrays.h"
#include "stitch-arguments.h"

namespace video_depth_binding {

namespace {

using video_depth::gpu::Epilogue;
using video_depth::gpu::StepEntry;
using video_depth::gpu::StepResult;
using video_depth::gpu::StreamPool;

constexpr int kMostBatch = 64;
constexpr int kMostRows = 1024;

/// Those that were asked for; the entries are told where they lie.
using Depths = std::vector<std::optional<ResultArray<float>>>;
std::shared_ptr<const Depths> depths_of(Napi::Env env, const std::vector<ReadEntry>& read,
                                        std::vector<StepEntry>& entries) {
  auto depths = std::make_shared<Depths>(read.size());
  for (size_t i = 0; i < read.size(); i++) {
    if (!read[i].wants_depth) continue;
    const auto& [width, height] = read[i].entry.frame;
    ResultArray<float>& depth =
        (*depths)[i].emplace(env, static_cast<size_t>(width) * static_cast<size_t>(height));
    entries[i].out = {depth.data(), depth.length()};
  }
  return depths;
}

Napi::Object result_of(Napi::Env env, const StepResult& result, bool has_fit) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("nonFinite", static_cast<double>(result.non_finite));
  object.Set("flat", result.is_flat);
  if (has_fit) {
    const Napi::Object fit = Napi::Object::New(env);
    fit.Set("scale", result.fit.fit.scale);
    fit.Set("shift", result.fit.fit.shift);
    fit.Set("degenerate", result.fit.fit.degenerate);
    fit.Set("correlation", result.fit.correlation);
    object.Set("fit", fit);
  } else {
    object.Set("fit", env.Null());
  }
  object.Set("preprocessMs", static_cast<double>(result.preprocess_ms));
  object.Set("inferMs", static_cast<double>(result.infer_ms));
  object.Set("postMs", static_cast<double>(result.post_ms));
  return object;
}

std::vector<PlanHandle> read_plans(const Napi::Object& options, const char* name, size_t count,
                                   const EngineState& state) {
  const std::string parameter = std::string("options.") + name;
  const Napi::Array array = read_array(member(options, name), parameter, kMostBatch);
  if (array.Length() != count) throw unexpected(std::to_string(count) + " plans", parameter, array);
  std::vector<PlanHandle> plans;
  for (uint32_t i = 0; i < array.Length(); i++) {
    plans.push_back(PlanObject::read(element(array, i), item(parameter, i), state));
  }
  return plans;
}

} // namespace

StreamsRequest read_streams_request(const Napi::Value& value, const EngineState& state) {
  const Napi::Object options = read_object(value, "options");
  StreamsRequest request;
  const std::vector<Napi::Value> batches = read_values(member(options, "batches"), "options.batches");
  for (uint32_t i = 0; i < batches.size(); i++) {
    const int64_t batch = read_integer(batches[i], item("options.batches", i), 1, kMostBatch);
    if (batch != int64_t{1} << i)
      throw unexpected("ascending powers of 2 from 1", "options.batches", batches[i]);
    request.batches.push_back(static_cast<int>(batch));
  }
  if (batches.empty()) throw unexpected("at least one batch", "options.batches", member(options, "batches"));
  request.encoders = read_plans(options, "encoders", batches.size(), state);
  request.steps = read_plans(options, "steps", batches.size(), state);
  request.depth_decoders = read_plans(options, "depthDecoders", batches.size(), state);
  const Napi::Value rows = member(options, "rows");
  request.rows = static_cast<int>(read_integer(rows, "options.rows", 1, kMostRows));
  if (request.rows % request.batches.back() != 0) {
    throw unexpected("a multiple of " + std::to_string(request.batches.back()), "options.rows", rows);
  }
  return request;
}

video_depth::gpu::StreamPlans StreamsRequest::plans() const {
  const auto shared = [](const std::vector<PlanHandle>& handles) {
    std::vector<std::shared_ptr<video_depth::tensorrt::Plan>> plans;
    for (const PlanHandle& handle : handles) plans.push_back(handle.held->share());
    return plans;
  };
  return {batches, shared(encoders), shared(steps), shared(depth_decoders)};
}

Napi::Function StreamsObject::define(Napi::Env env) {
  return DefineClass(
      env, "NativeGpuStreams",
      {InstanceMethod<&StreamsObject::step>("step"), InstanceMethod<&StreamsObject::finish>("finish"),
       InstanceMethod<&StreamsObject::export_state>("exportState"),
       InstanceMethod<&StreamsObject::import_state>("importState"),
       InstanceMethod<&StreamsObject::close>("close")});
}

Napi::Value StreamsObject::make(const GpuClasses& classes, StreamsHandle handle, const StreamsFacts& facts) {
  const Napi::Object object = classes.streams.New({});
  object.Set("rows", facts.rows);
  object.Set("memoryBytes", static_cast<double>(facts.memory_bytes));
  StreamsObject* const self = Unwrap(object);
  self->handle_ = std::move(handle);
  self->facts_ = facts;
  self->is_busy_.assign(static_cast<size_t>(facts.rows), false);
  return object;
}

/// Everything that is wrong is told through the promise.
template <class Body>
Napi::Value StreamsObject::call(const Napi::CallbackInfo& info, const char* name, const Body& body) {
  if (!handle_.state) throw unexpected("streams that `openStreams` gave", "this", info.This());
  Call& call = handle_.state->calls->begin(info.Env(), name);
  const Napi::Value promise = call.promise();
  call.hold(info.This().As<Napi::Object>());
  try {
    body(call);
  } catch (...) {
    call.reject_now(info.Env(), std::current_exception());
  }
  return promise;
}

int StreamsObject::read_row(const Napi::Value& value, const std::string& parameter) const {
  return static_cast<int>(read_integer(value, parameter, 0, facts_.rows - 1));
}

void StreamsObject::take_rows(Napi::Env env, Call& call, const std::vector<int>& rows) {
  for (const int row : rows) {
    if (!is_busy_[static_cast<size_t>(row)]) continue;
    throw Napi::Error::New(env, "Expected the previous call of row " + std::to_string(row) +
                                    " to have settled, received a second one");
  }
  for (const int row : rows) is_busy_[static_cast<size_t>(row)] = true;
  call.at_end = [this, rows] {
    for (const int row : rows) is_busy_[static_cast<size_t>(row)] = false;
  };
}

Napi::Value StreamsObject::step(const Napi::CallbackInfo& info) {
  return call(info, "step", [&](Call& call) {
    const std::vector<Napi::Value> values = read_values(info[0], "entries");
    std::vector<ReadEntry> read;
    for (uint32_t i = 0; i < values.size(); i++) {
      const std::string at = item("entries", i);
      const int row = read_row(member(read_object(values[i], at), "row"), at + ".row");
      read.push_back(read_entry(values[i], at, row));
    }
    std::vector<int> rows;
    std::vector<bool> has_fit;
    std::vector<StepEntry> entries;
    for (ReadEntry& of : read) {
      // The array's address now that no getter runs any more.
      of.picture.data = of.data.Data();
      of.picture.length = of.data.ByteLength();
      video_depth::check_picture("step", of.picture);
      rows.push_back(of.entry.row);
      has_fit.push_back(of.entry.fit);
      entries.push_back(of.entry);
    }
    handle_.open_engine();
    StreamPool& pool = handle_.held->get();
    take_rows(info.Env(), call, rows);
    const auto depths = depths_of(info.Env(), read, entries);
    for (const ReadEntry& of : read) pool.fill(of.entry.row, of.picture);
    const auto results = std::make_shared<std::vector<StepResult>>();
    call.make_result = [results, has_fit, depths](Napi::Env env) {
      const Napi::Array array = Napi::Array::New(env);
      for (uint32_t i = 0; i < results->size(); i++) {
        const Napi::Object result = result_of(env, (*results)[i], has_fit[i]);
        const auto& depth = (*depths)[i];
        result.Set("depth", depth ? depth->value() : env.Null());
        array.Set(i, result);
      }
      return array;
    };
    handle_.submit(call, [entries = std::move(entries), results](StreamPool& pool) -> Epilogue {
      return [epilogue = pool.step(entries, *results), results] { epilogue(); };
    });
  });
}

Napi::Value StreamsObject::finish(const Napi::CallbackInfo& info) {
  return call(info, "finish", [&](Call& call) {
    const int row = read_row(info[0], "row");
    const Napi::Object object = read_object(info[1], "options");
    const auto read_side = [&](const char* name) {
      return static_cast<int>(
          read_integer(member(object, name), std::string("options.") + name, 1, video_depth::kMaxSide));
    };
    const video_depth::gpu::FinishOptions options{
        static_cast<double>(read_float(member(object, "scale"), "options.scale")),
        static_cast<double>(read_float(member(object, "shift"), "options.shift")),
        read_flag(member(object, "keep"), "options.keep"),
        {read_side("width"), read_side("height")}};
    take_rows(info.Env(), call, {row});
    const auto depth = std::make_shared<const ResultArray<float>>(
        info.Env(), static_cast<size_t>(options.frame.width) * static_cast<size_t>(options.frame.height));
    const auto post_ms = std::make_shared<float>(0);
    call.make_result = [post_ms, depth](Napi::Env env) {
      const Napi::Object result = Napi::Object::New(env);
      result.Set("depth", depth->value());
      result.Set("postMs", static_cast<double>(*post_ms));
      return result;
    };
    const video_depth::FrameView view{depth->data(), depth->length()};
    handle_.submit(call, [row, options, view, post_ms](StreamPool& pool) -> Epilogue {
      return [epilogue = pool.finish(row, options, view, *post_ms), post_ms] { epilogue(); };
    });
  });
}

Napi::Value StreamsObject::export_state(const Napi::CallbackInfo& info) {
  return call(info, "exportState", [&](Call& call) {
    const int row = read_row(info[0], "row");
    const bool with_reference = read_flag(info[1], "withReference");
    take_rows(info.Env(), call, {row});
    const auto memory = std::make_shared<const ResultArray<uint8_t>>(info.Env(), facts_.memory_bytes);
    const auto reference = std::make_shared<std::optional<ResultArray<float>>>();
    video_depth::FrameView view;
    if (with_reference) {
      reference->emplace(info.Env(), facts_.map_values);
      view = {(*reference)->data(), (*reference)->length()};
    }
    call.make_result = [memory, reference](Napi::Env env) {
      const Napi::Object result = Napi::Object::New(env);
      result.Set("memory", memory->value());
      result.Set("reference", *reference ? (*reference)->value() : env.Null());
      return result;
    };
    auto* const bytes = reinterpret_cast<char*>(memory->data());
    handle_.submit(call,
                   [row, bytes, view](StreamPool& pool) { return pool.export_state(row, bytes, view); });
  });
}

Napi::Value StreamsObject::import_state(const Napi::CallbackInfo& info) {
  return call(info, "importState", [&](Call& call) {
    const int row = read_row(info[0], "row");
    const Napi::Uint8Array memory = read_bytes(info[1], "memory");
    if (memory.ByteLength() != facts_.memory_bytes) {
      throw unexpected(std::to_string(facts_.memory_bytes) + " bytes", "memory", memory);
    }
    std::shared_ptr<float[]> reference;
    if (!info[2].IsNull()) {
      const Napi::Float32Array array = read_floats(info[2], "reference");
      if (array.ElementLength() != facts_.map_values) {
        throw unexpected(std::to_string(facts_.map_values) + " values", "reference", array);
      }
      reference = copied(array.Data(), array.ElementLength());
    }
    const std::shared_ptr<uint8_t[]> bytes = copied(memory.Data(), memory.ByteLength());
    take_rows(info.Env(), call, {row});
    handle_.submit(call, [row, bytes, reference](StreamPool& pool) {
      return pool.import_state(row, reinterpret_cast<const char*>(bytes.get()), reference.get());
    });
  });
}

Napi::Value StreamsObject::close(const Napi::CallbackInfo& info) {
  handle_.release();
  const auto deferred = Napi::Promise::Deferred::New(info.Env());
  deferred.Resolve(info.Env().Undefined());
  return deferred.Promise();
}

} // namespace video_depth_binding

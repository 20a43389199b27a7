// Owns: the JavaScript class Stitcher: argument checks, one job at a time, what a job keeps alive.
// Must not know: how stitching works.

#include "stitcher.h"

#include <utility>

#include "arguments.h"
#include "bounds.h"
#include "job-arrays.h"
#include "receiver.h"
#include "stitch-arguments.h"
#include "stitch-job.h"

namespace video_depth_binding {

namespace {

video_depth::StitcherOptions read_options(const Napi::Value& value) {
  const Napi::Object options = read_object(value, "options");
  const auto read = [&](const char* name, int most) {
    return static_cast<int>(read_integer(member(options, name), std::string("options.") + name, 1, most));
  };
  return {read("mapWidth", video_depth::kMaxSide), read("mapHeight", video_depth::kMaxSide),
          read("frameWidth", video_depth::kMaxSide), read("frameHeight", video_depth::kMaxSide),
          read("threads", video_depth::kMaxThreads)};
}

/// Maps are copied after the last getter has run: a getter could detach an array that was read before it.
StitchArguments read_arguments(const Napi::CallbackInfo& info) {
  StitchArguments arguments;
  const std::vector<Napi::Value> maps = read_values(info[0], "maps");
  arguments.step = read_step(info[1]);
  for (uint32_t i = 0; i < maps.size(); i++) {
    if (maps[i].IsNull()) {
      arguments.maps.push_back({});
    } else {
      const Napi::Float32Array map = read_floats(maps[i], item("maps", i));
      arguments.copies.push_back(copied(map.Data(), map.ElementLength()));
      arguments.maps.push_back({arguments.copies.back().get(), map.ElementLength()});
    }
  }
  return arguments;
}

} // namespace

Napi::Function Stitcher::define(Napi::Env env) {
  return DefineClass(
      env, "Stitcher",
      {InstanceMethod<&Stitcher::stitch>("stitch"), checked_getter<Stitcher, &Stitcher::held>("held")});
}

Stitcher::Stitcher(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Stitcher>(info) {
  const video_depth::StitcherOptions options = read_options(info[0]);
  info.This().As<Napi::Object>().TypeTag(&kTag);
  try {
    state_ = std::make_shared<StitcherState>(options);
  } catch (...) {
    throw Napi::Error(info.Env(), to_js_error(info.Env(), std::current_exception()));
  }
}

Stitcher::~Stitcher() {
  if (state_ && state_->reported_bytes != 0) {
    Napi::MemoryManagement::AdjustExternalMemory(Env(), -state_->reported_bytes);
  }
}

Napi::Value Stitcher::held(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), state_->held);
}

/// Everything that is wrong is told through the promise.
Napi::Value Stitcher::stitch(const Napi::CallbackInfo& info) {
  const auto deferred = Napi::Promise::Deferred::New(info.Env());
  try {
    queue(info, deferred);
  } catch (...) {
    deferred.Reject(to_js_error(info.Env(), std::current_exception()));
  }
  return deferred.Promise();
}

void Stitcher::queue(const Napi::CallbackInfo& info, const Napi::Promise::Deferred& deferred) {
  StitchArguments arguments = read_arguments(info);
  // After the arguments, whose getters could have begun another call.
  if (state_->busy) {
    throw Napi::Error::New(info.Env(),
                           "Expected the previous stitch to have settled, received a second call");
  }
  const size_t leaving = leaving_frames(arguments.step, state_->held, arguments.maps.size());
  auto frames = result_arrays<float>(info.Env(), leaving, state_->frame_values);
  auto job =
      std::make_unique<StitchJob>(info.Env(), state_, std::move(arguments), std::move(frames), deferred);
  job->Queue();
  job.release(); // NOLINT: Node.js deletes it when it is done
}

} // namespace video_depth_binding

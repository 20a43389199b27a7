// Owns: how JavaScript's GPU objects hold on to an engine and to what lives on it.
// Must not know: which objects there are.
#pragma once

#include <napi.h>

#include <memory>
#include <set>
#include <utility>

#include "gpu/calls.h"
#include "gpu/engine.h"

namespace video_depth_binding {

/// What all objects of one engine share. For the JavaScript thread; `engine` is null once it was closed.
struct EngineState {
  std::shared_ptr<Calls> calls;
  std::unique_ptr<video_depth::gpu::Engine> engine;

  video_depth::gpu::Engine& open_engine() const {
    if (!engine) throw video_depth::GpuFailure("CLOSED", "The engine was closed");
    return *engine;
  }
};

/// The constructors of one environment, and its engines that are open: an environment that ends closes them.
struct GpuClasses {
  std::shared_ptr<Calls> calls;
  Napi::FunctionReference engine, plan, windows, streams;
  std::set<std::shared_ptr<EngineState>> engines;
};

/// A handle to something on the device: shared by the JavaScript object and the work under way.
template <class T>
struct Handle {
  std::shared_ptr<EngineState> state;
  std::shared_ptr<video_depth::gpu::Held<T>> held = std::make_shared<video_depth::gpu::Held<T>>();

  /// For the JavaScript thread.
  bool is_released = false;

  /// Frees it behind everything that was asked for so far. Idempotent.
  void release() {
    const bool is_first = !std::exchange(is_released, true);
    if (!is_first || !state || !state->engine) return; // freed with the engine
    video_depth::gpu::Engine& engine = *state->engine;
    engine.executor().submit_always([&engine, held = held] { engine.release(held); });
  }

  /// Throws GpuFailure where either was closed.
  video_depth::gpu::Engine& open_engine() const {
    if (is_released) throw video_depth::GpuFailure("CLOSED", "It was closed");
    return state->open_engine();
  }

  /// `work` runs on the device thread with the object; what fails on the device, and not only in the call's
  /// arguments, leaves the object unusable.
  template <class Work>
  void submit(Call& call, Work work) const {
    open_engine().executor().submit(
        [held = held, work = std::move(work)]() -> video_depth::gpu::Epilogue {
          video_depth::gpu::Epilogue epilogue = guarded(held, [&] { return work(held->get()); });
          if (!epilogue) return nullptr;
          return [held, epilogue = std::move(epilogue)] { guarded(held, epilogue); };
        },
        call.settle());
  }

 private:
  template <class Body>
  static auto guarded(const std::shared_ptr<video_depth::gpu::Held<T>>& held, const Body& body) {
    try {
      return body();
    } catch (const video_depth::NothingBegun&) {
      throw;
    } catch (const video_depth::GpuFailure&) {
      held->fail(std::current_exception());
      throw;
    }
  }
};

} // namespace video_depth_binding

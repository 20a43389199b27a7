// Owns: what tests of the executor share: an engine on the double, small graphs, calls that are waited for.
// Must not know: the code under test.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "error.h"
#include "gpu-double/queue.h"
#include "gpu/engine.h"
#include "gpu/stream_pool.h"
#include "gpu/window_session.h"

namespace test {

using video_depth::gpu::Engine;
using video_depth::gpu::Epilogue;
using video_depth::gpu::Held;

constexpr int kInputWidth = 42, kInputHeight = 28;
constexpr int kStateSlots = 5;
// States of 8 pixels: their memories are multiples of 256 bytes, in both precisions.

/// The four graphs of a small network as the double reads them.
/// @param type of what is handed from graph to graph
/// @param extra further lines of every graph
struct SmallNetwork {
  std::string type = "float32";
  std::string extra;

  std::string encoder(int batch) const {
    return "graph encoder\nworkspace 1024\n" + port("input pixels", type, batch, "3x28x42") +
           layers("output", batch) + extra;
  }
  std::string temporal_head(int frames) const {
    return "graph temporal-head\nworkspace 4096\n" + deep_layers(frames) +
           port("output path3", type, frames, "4x4x6") + extra;
  }
  std::string depth_decoder(int batch) const {
    return "graph depth-decoder\nworkspace 2048\n" + port("input path3", type, batch, "4x4x6") +
           port("input layer1", type, batch, "4x8x12") + port("input layer2", type, batch, "4x4x6") +
           port("output depth", "float32", batch, "28x42") + extra;
  }
  std::string stream_step(int streams) const {
    const std::string seen = std::to_string(kStateSlots + 1), slots = std::to_string(kStateSlots);
    return "graph stream-step\nworkspace 512\n" + deep_layers(streams) +
           port("input positions", "int64", streams, seen) + port("input mask", "float32", streams, seen) +
           port("input remembered0.0", type, streams, "8x" + slots + "x32") +
           port("input remembered0.1", type, streams, "8x" + slots + "x16") +
           port("output path3", type, streams, "4x4x6") + port("output state0.0", type, streams, "8x32") +
           port("output state0.1", type, streams, "8x16") + extra;
  }

 private:
  static std::string port(const std::string& name, const std::string& of, int batch,
                          const std::string& rest) {
    return name + " " + of + " " + std::to_string(batch) + "x" + rest + "\n";
  }
  std::string layers(const std::string& way, int batch) const {
    return port(way + " layer1", type, batch, "4x8x12") + port(way + " layer2", type, batch, "4x4x6") +
           port(way + " layer3", type, batch, "8x2x3") + port(way + " layer4", type, batch, "8x1x2");
  }
  std::string deep_layers(int batch) const {
    return port("input layer3", type, batch, "8x2x3") + port("input layer4", type, batch, "8x1x2");
  }
};

/// What a call was settled with. Exceptions are taken apart on the thread that threw them: ThreadSanitizer
/// cannot see the count of their users, which is kept in the C++ library.
class Outcome {
 public:
  video_depth::gpu::Settle settle() {
    return [state = state_](const std::exception_ptr& failure) { state->set_value(taken_apart(failure)); };
  }
  /// Throws what the call was rejected with.
  void wait() {
    if (const std::function<void()> rethrow = settled_.get()) rethrow();
  }
  std::string code() {
    try {
      wait();
      return "";
    } catch (const video_depth::GpuFailure& failure) {
      return failure.code();
    }
  }
  bool is_settled() const { return settled_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

 private:
  static std::function<void()> taken_apart(const std::exception_ptr& failure) {
    if (!failure) return nullptr;
    try {
      std::rethrow_exception(failure);
    } catch (const video_depth::GpuFailure& error) {
      return [code = error.code(), what = std::string(error.what()), is_lasting = error.is_lasting()] {
        throw video_depth::GpuFailure(code, what, is_lasting);
      };
    } catch (const video_depth::Error& error) {
      return [operation = error.operation(), expected = error.expected(), parameter = error.parameter(),
              received = error.received()] {
        throw video_depth::Error(operation, expected, parameter, received);
      };
    } catch (const std::exception& error) {
      return [what = std::string(error.what())] { throw std::runtime_error(what); };
    }
  }

  using State = std::promise<std::function<void()>>;
  std::shared_ptr<State> state_ = std::make_shared<State>();
  std::future<std::function<void()>> settled_ = state_->get_future();
};

/// An engine on the double, fresh for each test.
class Bench {
 public:
  Bench() {
    gpu_double::reset();
    engine = std::make_unique<Engine>(0, std::vector<std::string>{GPU_DOUBLE_FOLDER "/trt10"});
  }

  template <class Work>
  Outcome submit(Work work) {
    Outcome outcome;
    engine->executor().submit(std::move(work), outcome.settle());
    return outcome;
  }

  /// With an object on the device, as the binding does it.
  template <class T, class Work>
  Outcome submit(const std::shared_ptr<Held<T>>& held, Work work) {
    return submit([held, work]() -> Epilogue {
      Epilogue epilogue;
      try {
        epilogue = work(held->get());
      } catch (const video_depth::NothingBegun&) {
        throw;
      } catch (const video_depth::GpuFailure&) {
        held->fail(std::current_exception());
        throw;
      }
      return epilogue;
    });
  }

  std::shared_ptr<video_depth::tensorrt::Plan> plan(const std::string& graph) {
    std::shared_ptr<video_depth::tensorrt::Plan> loaded;
    const std::string path = "graph-" + std::to_string(files_++) + ".txt";
    std::ofstream(path) << graph;
    submit([&]() -> Epilogue {
      struct : video_depth::tensorrt::BuildMonitor {
        void progress(const std::string& /*phase*/, double /*fraction*/) noexcept override {}
        bool cancelled() noexcept override { return false; }
      } monitor;
      const auto built = engine->api().build({path, 1 << 20, 3, {}}, monitor);
      loaded = engine->api().load(built.plan.data(), built.plan.size());
      return nullptr;
    }).wait();
    auto holding = std::make_shared<Held<video_depth::tensorrt::Plan>>();
    holding->set(loaded);
    submit([this, holding]() -> Epilogue {
      engine->adopt(holding);
      return nullptr;
    }).wait();
    return loaded;
  }

  template <class T, class Make>
  std::shared_ptr<Held<T>> open(Make make) {
    auto held = std::make_shared<Held<T>>();
    submit([this, held, make]() -> Epilogue {
      held->set(make());
      engine->adopt(held);
      return nullptr;
    }).wait();
    return held;
  }

  std::unique_ptr<Engine> engine;

 private:
  int files_ = 0;
};

/// Everything that was made on the device has been freed, and nothing was misused.
inline void check_nothing_left() {
  CHECK(gpu_double::total(gpu_double::live()) == 0);
  CHECK(gpu_double::faults() == std::vector<std::string>{});
}

/// A grey picture, every byte the same.
struct Grey {
  Grey(int width, int height, uint8_t value)
      : bytes(static_cast<size_t>(width) * static_cast<size_t>(height), value),
        view{bytes.data(),
             bytes.size(),
             width,
             height,
             video_depth::PixelFormat::kGray8,
             static_cast<size_t>(width),
             video_depth::ColorMatrix::kBt601,
             video_depth::ColorRange::kFull} {}

  std::vector<uint8_t> bytes;
  video_depth::PictureView view;
};

/// Mean of what the encoder sees of a grey picture.
inline double grey_mean(uint8_t value) {
  const double x = value / 255.0;
  return ((x - 0.485) / 0.229 + (x - 0.456) / 0.224 + (x - 0.406) / 0.225) / 3;
}

} // namespace test

// Owns: tests of a video on the device: what windows compute, stitching against the CPU's, faults, memory.
// Must not know: Node.js.

#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "cuda/failure.h"
#include "error.h"
#include "gpu_windows_support.h"
#include "stitch/stitcher.h"
#include "support.h"

namespace {

using namespace test; // NOLINT: what these tests are about
using video_depth::FrameView;
using video_depth::StitchResult;
using video_depth::StitchStep;
using video_depth::gpu::DecodeResult;
using video_depth::gpu::WindowSession;

struct Stitched {
  StitchResult result;
  std::vector<test::Guarded> frames;
};

Stitched stitch(Bench& bench, const Windows& windows, const StitchStep& step, size_t count) {
  Stitched stitched;
  for (size_t i = 0; i < count; i++) stitched.frames.emplace_back(kFrameValues);
  std::vector<FrameView> views;
  for (test::Guarded& frame : stitched.frames) views.push_back({frame.data(), frame.size()});
  bench.submit(windows, [&](WindowSession& session) { return session.stitch(step, views, stitched.result); })
      .wait();
  return stitched;
}

/// What the double's graphs compute, in float64.
double expected_value(const std::vector<uint8_t>& window, size_t position, size_t x) {
  double mean = 0;
  for (const uint8_t grey : window)
    mean += (test::grey_mean(grey) + 0.375) / static_cast<double>(window.size());
  const double own = test::grey_mean(window[position]);
  return std::max(0.0, own + 0.375 + 0.001 * mean + 0.5 * (own + 0.125) + 0.01 * static_cast<double>(x));
}

double largest_error(const std::vector<float>& map, const std::vector<uint8_t>& window, size_t position) {
  double largest = 0;
  for (size_t i = 0; i < map.size(); i++) {
    const double error = std::abs(map[i] - expected_value(window, position, i % test::kInputWidth));
    largest = std::isfinite(error) ? std::max(largest, error) : INFINITY;
  }
  return largest;
}

struct Step {
  std::vector<int> slots;
  StitchStep step;
  size_t leaving;
};

/// Three windows of four frames: two carried over, one of them blended.
std::vector<Step> three_windows() {
  StitchStep first{{}, {}, {0, 4}, {{0, 0}, {3, 3}}, {}, 1};
  StitchStep second{{{0, 0}, {1, 3}}, {1, 1}, {2, 2}, {{3, 5}}, {3}, 1};
  StitchStep third{{{0, 0}, {1, 5}}, {1, 1}, {2, 2}, {}, {}, 0};
  return {{{0, 1, 2, 3}, first, 3}, {{0, 3, 4, 5}, second, 2}, {{0, 5, 1, 2}, third, 3}};
}

/// Frames of the third window go into slots that are free by then.
const std::vector<std::vector<std::pair<uint8_t, int>>> kNewFrames = {
    {{200, 0}, {210, 1}, {190, 2}, {220, 3}}, {{205, 4}, {215, 5}}, {{180, 1}, {230, 2}}};
const std::vector<std::vector<uint8_t>> kWindowGreys = {
    {200, 210, 190, 220}, {200, 220, 205, 215}, {200, 215, 180, 230}};

} // namespace

TEST_CASE("gpu windows: maps as the plans compute them, frames as the CPU stitches those maps") {
  for (const std::string type : {"float32", "float16"}) {
    for (const Batches batches : {Batches{3, 2}, Batches{1, 4}, Batches{11, 1}}) {
      Bench bench;
      const Windows windows = open_windows(bench, {type, ""}, batches);
      video_depth::Stitcher reference({test::kInputWidth, test::kInputHeight, kFrameWidth, kFrameHeight, 1});
      const std::vector<Step> steps = three_windows();
      for (size_t w = 0; w < steps.size(); w++) {
        for (const auto& [grey, slot] : kNewFrames[w]) encode(bench, windows, grey, slot);
        const DecodeResult decoded = decode(bench, windows, steps[w].slots, {0, 1, 2, 3});
        CHECK(decoded.non_finite == 0);
        CHECK(decoded.flat.empty());
        const auto maps = read_maps(bench, windows, {0, 1, 2, 3});
        for (size_t i = 0; i < maps.size(); i++) {
          CHECK(largest_error(maps[i], kWindowGreys[w], i) < (type == "float16" ? 6e-3 : 1e-5));
        }
        const Stitched stitched = stitch(bench, windows, steps[w].step, steps[w].leaving);
        std::vector<video_depth::MapView> views;
        for (const auto& map : maps) views.push_back({map.data(), map.size()});
        std::vector<std::vector<float>> expected(steps[w].leaving, std::vector<float>(kFrameValues));
        std::vector<FrameView> out;
        for (auto& frame : expected) out.push_back({frame.data(), frame.size()});
        const StitchResult result = reference.stitch(views, steps[w].step, out);
        CHECK(stitched.result.scale == doctest::Approx(result.scale).epsilon(1e-9));
        CHECK(stitched.result.shift == doctest::Approx(result.shift).epsilon(1e-9));
        CHECK(stitched.result.degenerate == result.degenerate);
        for (size_t i = 0; i < expected.size(); i++) {
          CHECK(stitched.frames[i].guards_intact());
          double largest = 0;
          const std::vector<float> values = stitched.frames[i].values();
          for (size_t k = 0; k < kFrameValues; k++) {
            const double error = std::abs(values[k] - expected[i][k]);
            largest = std::isfinite(error) ? std::max(largest, error) : INFINITY;
          }
          CHECK(largest < 1e-5);
        }
      }
      bench.engine.reset();
      test::check_nothing_left();
    }
  }
}

TEST_CASE("gpu windows: only what was wanted is decoded and may be read") {
  Bench bench;
  const Windows windows = open_windows(bench, {});
  for (int slot = 0; slot < kWindow; slot++) encode(bench, windows, static_cast<uint8_t>(190 + slot), slot);
  decode(bench, windows, {3, 2, 1, 0}, {1, 3});
  const auto maps = read_maps(bench, windows, {3, 1});
  CHECK(largest_error(maps[0], {193, 192, 191, 190}, 3) < 1e-5);
  CHECK(largest_error(maps[1], {193, 192, 191, 190}, 1) < 1e-5);
  CHECK_THROWS_WITH_AS(read_maps(bench, windows, {0}),
                       "Expected positions of the last decode for positions, received 0", video_depth::Error);
  CHECK_THROWS_AS(stitch(bench, windows, {{}, {}, {0, 4}, {}, {}, 0}, 4), video_depth::Error);
  CHECK(stitch(bench, windows, {{}, {}, {1, 1}, {}, {}, 0}, 1).frames[0].all_written());
}

TEST_CASE("gpu windows: wrong arguments change nothing") {
  Bench bench;
  const Windows windows = open_windows(bench, {});
  encode(bench, windows, 200, 0);
  CHECK_THROWS_WITH_AS(encode(bench, windows, 200, kSlots), "Expected a slot below 6 for slot, received 6",
                       video_depth::Error);
  CHECK_THROWS_WITH_AS(decode(bench, windows, {0, 0, 0, 1}, {0}),
                       "Expected slots that hold a frame for slots, received 1", video_depth::Error);
  CHECK_THROWS_WITH_AS(decode(bench, windows, {0, 0}, {0}), "Expected 4 slots for slots, received 2",
                       video_depth::Error);
  CHECK_THROWS_WITH_AS(decode(bench, windows, {0, 0, 0, 0}, {4}),
                       "Expected positions below 4 for wanted, received 4", video_depth::Error);
  CHECK(decode(bench, windows, {0, 0, 0, 0}, {0}).non_finite == 0);
  const auto maps = read_maps(bench, windows, {0});
  CHECK(largest_error(maps[0], {200, 200, 200, 200}, 0) < 1e-5);
}

TEST_CASE("gpu windows: plans that do not fit together are refused by name") {
  Bench bench;
  const SmallNetwork single, half{"float16", ""};
  const video_depth::gpu::WindowPlans plans{bench.plan(single.encoder(1)),
                                            bench.plan(half.temporal_head(kWindow)),
                                            bench.plan(single.depth_decoder(1))};
  const auto open = [&] {
    bench.open<WindowSession>([&] {
      return std::make_shared<WindowSession>(bench.engine->lanes(), plans,
                                             video_depth::gpu::WindowOptions{{8, 8}, kSlots});
    });
  };
  CHECK_THROWS_WITH_AS(open(), doctest::Contains("port layer3"), video_depth::Error);
}

TEST_CASE("gpu windows: what is not finite or flat is told") {
  Bench bench;
  const Windows windows = open_windows(bench, {"float32", "nan\n"});
  encode(bench, windows, 200, 0);
  const DecodeResult decoded = decode(bench, windows, {0, 0, 0, 0}, {0, 2});
  CHECK(decoded.non_finite == 2 * kMapValues);
  CHECK(decoded.flat == std::vector<int>{0, 2});
  CHECK(stitch(bench, windows, {{}, {}, {2, 1}, {}, {}, 0}, 1).result.non_finite == kMapValues);
}

TEST_CASE("gpu windows: plans run as CUDA graphs from the first window on") {
  Bench bench;
  const Windows windows = open_windows(bench, {}, {1, 1});
  CHECK(gpu_double::live().executables == 3);
  for (int slot = 0; slot < kWindow; slot++) encode(bench, windows, 200, slot);
  decode(bench, windows, {0, 1, 2, 3}, {0, 1});
  CHECK(gpu_double::live().executables == 3);
  const auto maps = read_maps(bench, windows, {1});
  CHECK(largest_error(maps[0], {200, 200, 200, 200}, 1) < 1e-5);
}

TEST_CASE("gpu windows: recordings that another thread ends change no depth") {
  for (int capture = 1; capture <= 3; capture++) {
    Bench bench;
    gpu_double::disturb_capture(capture);
    const Windows windows = open_windows(bench, {}, {1, 1});
    for (int turn = 0; turn < 2; turn++) {
      for (int slot = 0; slot < kWindow; slot++) {
        encode(bench, windows, static_cast<uint8_t>(190 + slot), slot);
      }
      CHECK(decode(bench, windows, {0, 1, 2, 3}, {0, 1}).non_finite == 0);
      const auto maps = read_maps(bench, windows, {0, 1});
      for (int i = 0; i < 2; i++) {
        CHECK(largest_error(maps[static_cast<size_t>(i)], {190, 191, 192, 193}, i) < 1e-5);
      }
    }
  }
}

TEST_CASE("gpu windows: wherever memory runs out, that is said, all is freed, and the engine lives on") {
  Bench bench;
  const SmallNetwork network;
  const video_depth::gpu::WindowPlans plans{bench.plan(network.encoder(1)),
                                            bench.plan(network.temporal_head(kWindow)),
                                            bench.plan(network.depth_decoder(1))};
  const auto open = [&] {
    return bench.open<WindowSession>([&] {
      return std::make_shared<WindowSession>(
          bench.engine->lanes(), plans, video_depth::gpu::WindowOptions{{kFrameWidth, kFrameHeight}, kSlots});
    });
  };
  const auto drop = [&](const Windows& windows) {
    bench
        .submit([&]() -> Epilogue {
          bench.engine->release(windows);
          return nullptr;
        })
        .wait();
  };
  drop(open()); // the shared scratch block stays
  const size_t before = gpu_double::total(gpu_double::live());
  int failures = 0;
  while (failures < 200) {
    gpu_double::fail_allocation(failures + 1);
    try {
      const Windows windows = open();
      gpu_double::fail_allocation(0);
      drop(windows);
      break;
    } catch (const video_depth::GpuFailure& failure) {
      CHECK(std::string(failure.code()) == "GPU_OUT_OF_MEMORY");
      CHECK_FALSE(failure.is_lasting());
      CHECK(gpu_double::total(gpu_double::live()) == before);
    }
    failures++;
  }
  CHECK(failures > 15);
  CHECK(failures < 200);
  CHECK(gpu_double::total(gpu_double::live()) == before);
}

TEST_CASE("gpu windows: a session that needs more scratch memory than there is leaves the others theirs") {
  Bench bench;
  const Windows running = open_windows(bench, {});
  for (int slot = 0; slot < kWindow; slot++) encode(bench, running, 200, slot);
  decode(bench, running, {0, 1, 2, 3}, {0});
  const SmallNetwork hungry{"float32", "workspace 1000000\n"};
  const video_depth::gpu::WindowPlans plans{bench.plan(hungry.encoder(1)),
                                            bench.plan(hungry.temporal_head(kWindow)),
                                            bench.plan(hungry.depth_decoder(1))};
  const auto open = [&] {
    bench.open<WindowSession>([&] {
      return std::make_shared<WindowSession>(
          bench.engine->lanes(), plans, video_depth::gpu::WindowOptions{{kFrameWidth, kFrameHeight}, kSlots});
    });
  };
  gpu_double::set_memory(900'000);
  CHECK_THROWS_AS(open(), video_depth::GpuFailure);
  CHECK(decode(bench, running, {0, 1, 2, 3}, {0}).non_finite == 0);
  CHECK(largest_error(read_maps(bench, running, {0})[0], {200, 200, 200, 200}, 0) < 1e-5);
  gpu_double::set_memory(size_t{1} << 30);
  open();
  CHECK(decode(bench, running, {0, 1, 2, 3}, {0}).non_finite == 0);
  CHECK(largest_error(read_maps(bench, running, {0})[0], {200, 200, 200, 200}, 0) < 1e-5);
}

TEST_CASE("gpu windows: a failed run ends its session, not the engine") {
  Bench bench;
  const Windows broken = open_windows(bench, {}), sound = open_windows(bench, {});
  for (const Windows& windows : {broken, sound}) {
    for (int slot = 0; slot < kWindow; slot++) encode(bench, windows, 200, slot);
  }
  gpu_double::fail_launch(cudaErrorInvalidValue);
  CHECK_THROWS_AS(decode(bench, broken, {0, 1, 2, 3}, {0}), video_depth::GpuFailure);
  CHECK_THROWS_AS(decode(bench, broken, {0, 1, 2, 3}, {0}), video_depth::GpuFailure);
  CHECK(decode(bench, sound, {0, 1, 2, 3}, {0}).non_finite == 0);
  CHECK(largest_error(read_maps(bench, sound, {0})[0], {200, 200, 200, 200}, 0) < 1e-5);
}

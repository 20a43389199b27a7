// Owns: tests of an engine's life: opening, builds, a lost context, closing in mid-flight.
// Must not know: what windows compute, Node.js.

#include <doctest/doctest.h>

#include <fstream>

#include "cuda/failure.h"
#include "gpu_windows_support.h"

namespace {

using namespace test; // NOLINT: what these tests are about
using video_depth::gpu::DecodeResult;
using video_depth::gpu::WindowSession;

} // namespace

TEST_CASE("gpu engine: a lost context ends everything with one clear error, and closing returns") {
  Bench bench;
  const Windows windows = open_windows(bench, {});
  for (int slot = 0; slot < kWindow; slot++) encode(bench, windows, 200, slot);
  gpu_double::lose_context(cudaErrorIllegalAddress);
  Outcome first = bench.submit(windows, [](WindowSession& session) -> Epilogue {
    static DecodeResult ignored;
    return session.decode({0, 1, 2, 3}, {0}, ignored);
  });
  CHECK(first.code() == "GPU_FAILED");
  Outcome second = bench.submit([]() -> Epilogue { return nullptr; });
  try {
    second.wait();
    FAIL("nothing was thrown");
  } catch (const video_depth::GpuFailure& failure) {
    CHECK(failure.is_lasting());
    CHECK(std::string(failure.what()).find("restart it") != std::string::npos);
  }
  bench.engine.reset();
  gpu_double::reset();
}

TEST_CASE("gpu engine: closing in mid-flight settles everything once and leaves nothing") {
  for (int round = 0; round < 5; round++) {
    Bench bench;
    const Windows windows = open_windows(bench, {});
    for (int slot = 0; slot < kWindow; slot++) encode(bench, windows, 200, slot);
    gpu_double::set_delay(std::chrono::milliseconds(5));
    DecodeResult result;
    std::vector<Outcome> outcomes;
    outcomes.push_back(bench.submit(windows, [&](WindowSession& session) {
      return session.decode({0, 1, 2, 3}, {0, 1, 2, 3}, result);
    }));
    for (int i = 0; i < 4; i++) outcomes.push_back(bench.submit([]() -> Epilogue { return nullptr; }));
    bench.engine.reset();
    for (Outcome& outcome : outcomes) {
      CHECK(outcome.is_settled());
      const std::string code = outcome.code();
      CHECK((code.empty() || code == "CLOSED"));
    }
    test::check_nothing_left();
  }
}

TEST_CASE("gpu engine: a build is told of, cancelled by the flag, and leaves the engine usable") {
  Bench bench;
  std::ofstream("slow.txt") << SmallNetwork{"float32", "slow 20\n"}.encoder(1);
  struct Monitor : video_depth::tensorrt::BuildMonitor {
    explicit Monitor(std::atomic<bool>& cancelled) : flag(cancelled) {}
    void progress(const std::string& /*phase*/, double /*fraction*/) noexcept override {
      if (++steps == 3) flag = true;
    }
    bool cancelled() noexcept override { return flag; }
    std::atomic<bool>& flag;
    int steps = 0;
  } monitor(bench.engine->build_cancelled());
  Outcome outcome = bench.submit([&]() -> Epilogue {
    bench.engine->api().build({"slow.txt", 1 << 20, 3, {}}, monitor);
    return nullptr;
  });
  CHECK(outcome.code() == "ABORTED");
  CHECK(monitor.steps >= 3);
  bench.engine->build_cancelled() = false;
  CHECK(bench.plan(SmallNetwork{}.encoder(1)) != nullptr);
}

TEST_CASE("gpu engine: without a device or a library, opening says why") {
  gpu_double::reset();
  const auto open = [](const std::string& folder) {
    const test::Engine engine(0, {GPU_DOUBLE_FOLDER "/" + folder});
  };
  gpu_double::set_devices(0);
  CHECK_THROWS_WITH_AS(open("trt10"), "No GPU can be used: the driver reports no GPU",
                       video_depth::GpuFailure);
  gpu_double::reset();
  gpu_double::set_driver(0);
  CHECK_THROWS_WITH_AS(open("trt10"), "No GPU can be used: no NVIDIA driver was found",
                       video_depth::GpuFailure);
  gpu_double::reset();
  CHECK_THROWS_AS(test::Engine(1, {GPU_DOUBLE_FOLDER "/trt10"}), video_depth::GpuFailure);
  try {
    open("too-old");
    FAIL("nothing was thrown");
  } catch (const video_depth::GpuFailure& failure) {
    CHECK(std::string(failure.code()) == "TENSORRT_UNAVAILABLE");
    CHECK(std::string(failure.what()).find("10.2") != std::string::npos);
  }
  test::check_nothing_left();
}

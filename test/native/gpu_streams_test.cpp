// Owns: tests of streams on the device: steps alone and together, memory, references, states that leave and
// come back. Must not know: Node.js.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>

#include "cuda/failure.h"
#include "error.h"
#include "gpu_support.h"
#include "image/upsample.h"
#include "support.h"

namespace {

using test::Bench;
using test::Epilogue;
using test::Held;
using test::SmallNetwork;
using video_depth::FrameView;
using video_depth::gpu::plan_runs;
using video_depth::gpu::StepEntry;
using video_depth::gpu::StepResult;
using video_depth::gpu::StreamPool;

constexpr int kFrameWidth = 50, kFrameHeight = 31;
constexpr size_t kFrameValues = size_t{kFrameWidth} * kFrameHeight;
constexpr size_t kMapValues = size_t{test::kInputWidth} * test::kInputHeight;
constexpr float kUnseen = -std::numeric_limits<float>::infinity();

using Streams = std::shared_ptr<Held<StreamPool>>;

Streams open_streams(Bench& bench, const SmallNetwork& network, const std::vector<int>& batches, int rows) {
  video_depth::gpu::StreamPlans plans;
  plans.batches = batches;
  for (const int batch : batches) {
    plans.encoders.push_back(bench.plan(network.encoder(batch)));
    plans.steps.push_back(bench.plan(network.stream_step(batch)));
    plans.depth_decoders.push_back(bench.plan(network.depth_decoder(batch)));
  }
  return bench.open<StreamPool>(
      [&bench, plans, rows] { return std::make_shared<StreamPool>(bench.engine->lanes(), plans, rows); });
}

/// The first frame fills all slots; frame n ≥ 1 sees the slots of `n` earlier ones and takes the next.
StepEntry entry(int row, int frame, test::Guarded* out, bool fit = false) {
  StepEntry made{row, {kFrameWidth, kFrameHeight}, {}, {}, {}, fit, {}};
  for (int slot = 0; slot <= test::kStateSlots; slot++) {
    const bool is_seen = slot == test::kStateSlots || slot < std::min(frame, test::kStateSlots);
    made.positions.push_back(slot);
    made.mask.push_back(is_seen ? 0 : kUnseen);
    if (frame == 0 && slot < test::kStateSlots) made.write.push_back(slot);
  }
  if (frame > 0) made.write.push_back(frame % test::kStateSlots);
  if (out != nullptr) made.out = {out->data(), out->size()};
  return made;
}

std::vector<StepResult> step(Bench& bench, const Streams& streams, const std::vector<StepEntry>& entries,
                             const std::vector<uint8_t>& greys) {
  for (size_t i = 0; i < entries.size(); i++) {
    streams->get().fill(entries[i].row, test::Grey(kFrameWidth, kFrameHeight, greys[i]).view);
  }
  std::vector<StepResult> results;
  bench.submit(streams, [&](StreamPool& pool) { return pool.step(entries, results); }).wait();
  return results;
}

/// One stream as the double's graphs compute it, in float64.
class Model {
 public:
  /// @returns the map's value in column 0
  double step(int frame, uint8_t grey) {
    const double mean = test::grey_mean(grey);
    const double state = mean + 0.375;
    double path = state;
    for (int slot = 0; slot < std::min(frame, test::kStateSlots); slot++)
      path += slots_[slot] * (slot + 1) * 0.01;
    if (frame == 0) {
      for (int slot = 0; slot < test::kStateSlots; slot++) slots_[slot] = state;
    } else {
      slots_[frame % test::kStateSlots] = state;
    }
    return path + 0.5 * (mean + 0.125);
  }

 private:
  std::map<int, double> slots_;
};

uint8_t grey_of(int row, int frame) {
  return static_cast<uint8_t>(170 + row * 13 + frame * 5);
}

} // namespace

TEST_CASE("gpu streams: which runs serve which rows") {
  using Runs = std::vector<std::pair<size_t, int>>;
  const std::vector<int> batches = {1, 2, 4};
  CHECK(plan_runs({1}, {0, 2}, 3) == Runs{{0, 0}, {0, 2}});
  CHECK(plan_runs(batches, {5}, 8) == Runs{{0, 5}});
  CHECK(plan_runs(batches, {4, 5}, 8) == Runs{{1, 4}});
  CHECK(plan_runs(batches, {0, 1, 3}, 8) == Runs{{2, 0}});
  CHECK(plan_runs(batches, {0, 2}, 8) == Runs{{0, 0}, {0, 2}});
  CHECK(plan_runs(batches, {0, 1, 2, 3, 4, 5, 7}, 8) == Runs{{2, 0}, {2, 4}});
  CHECK(plan_runs(batches, {}, 8).empty());
}

TEST_CASE("gpu streams: steps of several streams together are what each is alone") {
  for (const std::string type : {"float32", "float16"}) {
    const double tolerance = type == "float16" ? 2e-2 : 1e-5;
    for (const std::vector<int>& batches : {std::vector<int>{1}, std::vector<int>{1, 2, 4}}) {
      Bench bench;
      const Streams streams = open_streams(bench, {type, ""}, batches, 4);
      std::vector<Model> models(4);
      for (int frame = 0; frame < 9; frame++) {
        // Row 3 comes every other time; its place is then computed along, and must stay as it was.
        const int count = frame % 2 == 0 ? 4 : 3;
        std::vector<test::Guarded> outs;
        for (int row = 0; row < count; row++) outs.emplace_back(kFrameValues);
        std::vector<StepEntry> entries;
        std::vector<uint8_t> greys;
        for (int row = 0; row < count; row++) {
          const int own = row == 3 ? frame / 2 : frame;
          entries.push_back(entry(row, own, &outs[static_cast<size_t>(row)]));
          greys.push_back(grey_of(row, own));
        }
        const auto results = step(bench, streams, entries, greys);
        REQUIRE(results.size() == static_cast<size_t>(count));
        for (int row = 0; row < count; row++) {
          const auto at = static_cast<size_t>(row);
          const int own = row == 3 ? frame / 2 : frame;
          const double expected = models[at].step(own, grey_of(row, own));
          CHECK(results[at].non_finite == 0);
          CHECK_FALSE(results[at].is_flat);
          CHECK(outs[at].guards_intact());
          CHECK(outs[at].all_written());
          CHECK(outs[at].data()[0] == doctest::Approx(expected).epsilon(tolerance));
          CHECK(outs[at].data()[kFrameValues - 1] ==
                doctest::Approx(expected + 0.01 * (test::kInputWidth - 1)).epsilon(tolerance));
        }
      }
      bench.engine.reset();
      test::check_nothing_left();
    }
  }
}

TEST_CASE("gpu streams: a frame that is not finite is not remembered") {
  Bench bench;
  const SmallNetwork network;
  video_depth::gpu::StreamPlans plans{{1},
                                      {bench.plan(network.encoder(1))},
                                      {bench.plan(network.stream_step(1))},
                                      {bench.plan(SmallNetwork{"float32", "nan\n"}.depth_decoder(1))}};
  const auto streams =
      bench.open<StreamPool>([&] { return std::make_shared<StreamPool>(bench.engine->lanes(), plans, 1); });
  std::vector<char> before(streams->get().memory_bytes()), after(before.size());
  const auto read = [&](std::vector<char>& memory) {
    bench.submit(streams, [&](StreamPool& pool) { return pool.export_state(0, memory.data(), {}); }).wait();
  };
  read(before);
  test::Guarded out(kFrameValues);
  const auto results = step(bench, streams, {entry(0, 0, &out)}, {200});
  CHECK(results[0].non_finite == kMapValues);
  read(after);
  CHECK(before == after);
}

TEST_CASE("gpu streams: a state that left goes on in another pool with the same bits") {
  for (const std::string type : {"float32", "float16"}) {
    Bench bench;
    const SmallNetwork network{type, ""};
    const Streams here = open_streams(bench, network, {1, 2}, 2),
                  there = open_streams(bench, network, {1}, 1);
    test::Guarded out(kFrameValues), other(kFrameValues);
    for (int frame = 0; frame < 4; frame++) step(bench, here, {entry(1, frame, &out)}, {grey_of(1, frame)});
    std::vector<char> memory(here->get().memory_bytes());
    bench.submit(here, [&](StreamPool& pool) { return pool.export_state(1, memory.data(), {}); }).wait();
    CHECK(memory.size() == there->get().memory_bytes());
    bench.submit(there, [&](StreamPool& pool) { return pool.import_state(0, memory.data(), nullptr); })
        .wait();
    for (int frame = 4; frame < 8; frame++) {
      step(bench, here, {entry(1, frame, &out)}, {grey_of(1, frame)});
      step(bench, there, {entry(0, frame, &other)}, {grey_of(1, frame)});
      CHECK(test::same_bits(out.values(), other.values()));
    }
  }
}

TEST_CASE("gpu streams: a map is finished with a scale and shift, kept, and compared with later ones") {
  Bench bench;
  const Streams streams = open_streams(bench, {}, {1, 2}, 2);
  Model model;
  step(bench, streams, {entry(0, 0, nullptr)}, {200});
  const double value = model.step(0, 200);
  // Another stream's step in between must not disturb the map that waits.
  test::Guarded other(kFrameValues);
  step(bench, streams, {entry(1, 0, &other)}, {240});
  test::Guarded out(kFrameValues);
  float post_ms = -1;
  bench
      .submit(streams,
              [&](StreamPool& pool) {
                return pool.finish(0, {2, 0.5, true, {kFrameWidth, kFrameHeight}}, {out.data(), out.size()},
                                   post_ms);
              })
      .wait();
  CHECK(post_ms >= 0);
  CHECK(out.guards_intact());
  CHECK(out.data()[0] == doctest::Approx(2 * value + 0.5).epsilon(1e-5));
  const auto results = step(bench, streams, {entry(0, 1, nullptr, true)}, {200});
  // Two ramps of the same slope: scale 1, and the shift between them.
  CHECK(results[0].fit.fit.scale == doctest::Approx(1).epsilon(1e-3));
  CHECK(results[0].fit.fit.shift == doctest::Approx(value - model.step(1, 200)).epsilon(1e-2));
  CHECK(results[0].fit.correlation > 0.999);
  CHECK_FALSE(results[0].fit.fit.degenerate);
  std::vector<char> memory(streams->get().memory_bytes());
  test::Guarded reference(kMapValues);
  bench
      .submit(streams,
              [&](StreamPool& pool) {
                return pool.export_state(0, memory.data(), {reference.data(), reference.size()});
              })
      .wait();
  CHECK(reference.data()[0] == doctest::Approx(value).epsilon(1e-5));
  CHECK(reference.all_written());
}

TEST_CASE("gpu streams: wrong arguments change nothing") {
  Bench bench;
  const Streams streams = open_streams(bench, {}, {1}, 2);
  test::Guarded out(kFrameValues);
  const auto refused = [&](StepEntry wrong, const char* message) {
    CHECK_THROWS_WITH_AS(step(bench, streams, {wrong}, {200}), message, video_depth::Error);
  };
  refused(entry(0, 0, &out, true), "Expected a row with a reference for fit, received true");
  StepEntry wrong = entry(0, 0, &out);
  wrong.write = {test::kStateSlots};
  refused(wrong, "Expected slots below 5 for write, received 5");
  wrong = entry(0, 0, &out);
  wrong.mask.pop_back();
  refused(wrong, "Expected 6 positions and mask values for step, received 6 and 5");
  wrong = entry(0, 0, &out);
  wrong.out.length--;
  refused(wrong, "Expected 1550 values for out, received 1549");
  CHECK_THROWS_WITH_AS(step(bench, streams, {entry(0, 0, &out), entry(0, 0, &out)}, {200, 200}),
                       "Expected each row once for row, received 0 twice", video_depth::Error);
  Model model;
  step(bench, streams, {entry(0, 0, &out)}, {200});
  CHECK(out.data()[0] == doctest::Approx(model.step(0, 200)).epsilon(1e-5));
}

TEST_CASE(
    "gpu streams: where a stream's first frame finds no memory, the others go on, and so may it later") {
  Bench bench;
  const Streams streams = open_streams(bench, {}, {1, 2}, 2);
  Model model, late;
  test::Guarded out(kFrameValues), other(kFrameValues);
  step(bench, streams, {entry(0, 0, &out)}, {200});
  model.step(0, 200);
  int failures = 0;
  for (bool is_done = false; !is_done && failures < 50;) {
    gpu_double::fail_allocation(failures + 1);
    try {
      step(bench, streams, {entry(1, 0, &other)}, {220});
      is_done = true;
    } catch (const video_depth::GpuFailure& failure) {
      CHECK(std::string(failure.code()) == "GPU_OUT_OF_MEMORY");
      failures++;
    }
  }
  gpu_double::fail_allocation(0);
  CHECK(failures == 3); // what an earlier attempt got stays
  CHECK(other.data()[0] == doctest::Approx(late.step(0, 220)).epsilon(1e-5));
  step(bench, streams, {entry(0, 1, &out)}, {210});
  CHECK(out.data()[0] == doctest::Approx(model.step(1, 210)).epsilon(1e-5));
}

TEST_CASE("gpu streams: frames of changing size and format") {
  Bench bench;
  const Streams streams = open_streams(bench, {}, {1}, 1);
  for (const int scale : {1, 4, 2}) {
    const int width = 20 * scale, height = 16 * scale;
    std::vector<uint8_t> rgb(static_cast<size_t>(width * height * 3) + 100, 200);
    const video_depth::PictureView picture{rgb.data(),
                                           rgb.size(),
                                           width,
                                           height,
                                           video_depth::PixelFormat::kRgb24,
                                           static_cast<size_t>(width * 3 + 1)};
    streams->get().fill(0, picture);
    test::Guarded out(static_cast<size_t>(width * height));
    StepEntry made = entry(0, 0, &out);
    made.frame = {width, height};
    std::vector<StepResult> results;
    bench.submit(streams, [&](StreamPool& pool) { return pool.step({made}, results); }).wait();
    CHECK(out.guards_intact());
    CHECK(out.all_written());
    CHECK(out.data()[0] == doctest::Approx(Model().step(0, 200)).epsilon(1e-5));
  }
}

// Owns: tests of the network over streams: what it remembers, and what that takes.
// Must not know: which frames a stream sees.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "cpu/network.h"
#include "numbers.h"
#include "seeded_model.h"

using namespace video_depth::cpu;

namespace {

constexpr int kRows = 3;
constexpr int kCols = 2;
constexpr int kSlots = 5;

/// A small network over a model of its own, and frames for it.
struct Fixture {
  explicit Fixture(const Kernels& kernels, Precision precision, int threads = 1)
      : model(seeded::Weights(seeded::tiny_dimensions()).model(kernels, precision, threads)),
        positions(static_cast<size_t>(kRows * kCols * model->dimensions().embed_width)),
        network(*model, kRows, kCols, positions.data()),
        features(network.feature_values()) {}

  void encode(int frame) {
    kernel_tests::Numbers numbers;
    std::vector<float> pixels = numbers.many(3 * kPixels);
    for (float& value : pixels) value = std::sin(value + static_cast<float>(frame));
    network.encode(pixels.data(), features.data());
  }

  /// Depth of a frame that sees these slots, at positions of their order, and itself.
  std::vector<float> depth(StreamMemory& memory, int frame, const std::vector<int>& seen) {
    encode(frame);
    std::vector<int32_t> places(kSlots + 1);
    std::vector<uint8_t> visible(kSlots + 1);
    int32_t position = 0;
    for (const int slot : seen) {
      places[static_cast<size_t>(slot)] = position++;
      visible[static_cast<size_t>(slot)] = 1;
    }
    places[kSlots] = position;
    visible[kSlots] = 1;
    network.step(features.data(), memory, places.data(), visible.data());
    std::vector<float> map(kPixels);
    network.decode(0, features.data(), map.data());
    return map;
  }

  void remember(StreamMemory& memory, const std::vector<int32_t>& into) {
    network.remember(memory, into.data(), static_cast<int>(into.size()));
  }

  static constexpr size_t kPixels = size_t{kPatch} * kPatch * kRows * kCols;
  std::unique_ptr<Model> model;
  Buffer<float> positions;
  Network network;
  Buffer<float> features;
};

template <class Body>
void everywhere(const Body& body) {
  for (const Kernels* kernels : available_kernels()) {
    CAPTURE(kernels->name);
    for (const Precision precision : {Precision::fp32, Precision::int8}) {
      CAPTURE(static_cast<int>(precision));
      body(*kernels, precision);
    }
  }
}

const std::vector<int32_t> kAll = {0, 1, 2, 3, 4};

} // namespace

TEST_CASE("stream: slots that share a frame give the bits of slots with copies of it") {
  everywhere([](const Kernels& kernels, Precision precision) {
    Fixture f(kernels, precision);
    StreamMemory shared = f.network.new_memory(kSlots);
    StreamMemory copies = f.network.new_memory(kSlots);
    f.depth(shared, 0, {});
    f.remember(shared, kAll);
    for (const int32_t slot : kAll) {
      f.depth(copies, 0, {});
      f.remember(copies, {slot});
    }
    CHECK(shared.bytes() == f.network.state_bytes());
    CHECK(copies.bytes() == kSlots * f.network.state_bytes());
    for (const std::vector<int>& seen : {std::vector<int>{0, 1, 2, 3, 4}, std::vector<int>{0, 3}}) {
      const std::vector<float> here = f.depth(shared, 1, seen);
      CHECK(here == f.depth(copies, 1, seen));
      CHECK(std::all_of(here.begin(), here.end(), [](float value) { return std::isfinite(value); }));
      CHECK(here != f.depth(copies, 1, {}));
    }
  });
}

TEST_CASE("stream: the same bits for any number of threads, beside another stream, and after a restore") {
  everywhere([](const Kernels& kernels, Precision precision) {
    Fixture one(kernels, precision, 1);
    Fixture three(kernels, precision, 3);
    StreamMemory a = one.network.new_memory(kSlots);
    StreamMemory b = three.network.new_memory(kSlots);
    StreamMemory other = three.network.new_memory(kSlots);
    for (int frame = 0; frame < 9; frame++) {
      const std::vector<int> seen =
          frame == 0 ? std::vector<int>{} : std::vector<int>{0, 1 + frame % 4, 1 + (frame + 2) % 4};
      const std::vector<int32_t> into = frame == 0 ? kAll : std::vector<int32_t>{1 + frame % 4};
      const std::vector<float> alone = one.depth(a, frame, seen);
      one.remember(a, into);
      three.depth(other, 20 + frame, seen);
      three.remember(other, into);
      CHECK(three.depth(b, frame, seen) == alone);
      three.remember(b, into);
      std::vector<std::byte> bytes(b.export_bytes());
      b.export_to(bytes.data());
      b = three.network.new_memory(kSlots);
      b.import_from(bytes.data(), bytes.size());
    }
  });
}

TEST_CASE("stream: a step changes nothing until it is remembered, and is remembered once") {
  Fixture f(*available_kernels().front(), Precision::fp32);
  StreamMemory memory = f.network.new_memory(kSlots);
  const auto remembers_nothing = [&] {
    CHECK_THROWS_WITH_AS(f.remember(memory, {1}), "Expected a step before it for states, received none",
                         video_depth::Error);
  };
  remembers_nothing();
  f.depth(memory, 0, {});
  f.remember(memory, kAll);
  remembers_nothing();
  const std::vector<float> first = f.depth(memory, 1, {0, 1});
  CHECK(f.depth(memory, 1, {0, 1}) == first);
  f.remember(memory, {1});
  CHECK(f.depth(memory, 1, {0, 1}) != first);
}

TEST_CASE("stream: a slot that holds nothing cannot be seen") {
  Fixture f(*available_kernels().front(), Precision::int8);
  StreamMemory memory = f.network.new_memory(kSlots);
  f.depth(memory, 0, {});
  f.remember(memory, {0, 2});
  CHECK_THROWS_WITH_AS(f.depth(memory, 1, {0, 1}),
                       "Expected slots that were put before for visible, received slot 1",
                       video_depth::Error);
}

TEST_CASE("stream: over the budget a step says so, and the next one goes on") {
  Fixture f(*available_kernels().front(), Precision::fp32);
  StatePool pool = f.model->state_pool();
  pool.set_budget(2 * f.network.state_bytes());
  StreamMemory memory = f.network.new_memory(kSlots);
  f.depth(memory, 0, {});
  f.remember(memory, kAll);
  f.depth(memory, 1, {0});
  f.remember(memory, {1});
  CHECK_THROWS_AS(f.depth(memory, 2, {0, 1}), OverBudget);
  pool.set_budget(3 * f.network.state_bytes());
  f.depth(memory, 2, {0, 1});
  f.remember(memory, {1});
  CHECK(pool.bytes_in_use() == 2 * f.network.state_bytes());
}

TEST_CASE("stream: in int8 half the memory, as it holds bfloat16") {
  const Kernels& kernels = *available_kernels().front();
  Fixture exact(kernels, Precision::fp32);
  Fixture rounded(kernels, Precision::int8);
  CHECK(2 * rounded.network.state_bytes() == exact.network.state_bytes());
  StreamMemory memory = rounded.network.new_memory(1);
  rounded.depth(memory, 0, {});
  rounded.remember(memory, {0});
  const auto* states = reinterpret_cast<const uint16_t*>(memory.frame(0));
  // Norms of values of deviation 1, weighted by about 1: were they anything but bfloat16, some would be huge.
  for (size_t i = 0; i < memory.frame_bytes() / sizeof(uint16_t); i++) {
    const uint32_t bits = static_cast<uint32_t>(states[i]) << 16;
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!(std::abs(value) < 20)) FAIL("state ", i, " is ", value);
  }
}

TEST_CASE("memory_for: what a network of that size takes, without one") {
  everywhere([](const Kernels& kernels, Precision precision) {
    Fixture f(kernels, precision);
    const MemoryNeeds needs = memory_for(f.model->dimensions(), precision, kRows, kCols);
    CHECK(needs.features == f.network.feature_values() * sizeof(float));
    CHECK(needs.states == f.network.state_bytes());
    StreamMemory memory = f.network.new_memory(kSlots);
    f.depth(memory, 0, {});
    f.remember(memory, kAll);
    f.depth(memory, 1, {0});
    CHECK(f.model->state_pool().bytes_in_use() + needs.features == needs.stream(1));
  });
  // ViT-S at 252×448: 42 states of 2.8 MB in float32.
  CHECK(memory_for(seeded::small_dimensions(), Precision::fp32, 18, 32).states == 2801664);
  CHECK(memory_for(seeded::small_dimensions(), Precision::int8, 18, 32).states == 1400832);
}

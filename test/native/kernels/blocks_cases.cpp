// Owns: cases of the kernels that copy blocks or put states into slots.
// Must not know: where kernels run.

#include <memory>

#include "cuda/reference.h"
#include "kernels/cases.h"

namespace kernel_test {

namespace {

struct StateCase {
  Element element;
  int pixels, slots, width, first, stride, written;
  /// Elements that state and memory lie off an aligned address.
  size_t state_offset = 0, memory_offset = 0;
};

template <class T>
void check_state(Tally& tally, const StateCase& c, const MapHealth* gate) {
  const std::string name = "state of " + std::to_string(c.pixels) + " pixels x " + std::to_string(c.width) +
                           " into " + std::to_string(c.written) + " slots";
  const auto values = static_cast<size_t>(c.pixels) * static_cast<size_t>(c.width);
  const std::vector<uint8_t> bytes = noise_bytes(values * sizeof(T), 20);
  std::vector<T> state(values);
  if (values > 0) std::memcpy(state.data(), bytes.data(), bytes.size());
  std::vector<T> expected = Output<T>::untouched(values * static_cast<size_t>(c.slots));
  // std::vector gives no address where it is empty.
  state.reserve(1);
  expected.reserve(1);
  tally.check(reference::write_state(state.data(), expected.data(), c.element, c.pixels, c.slots, c.width,
                                     c.first, c.stride, c.written, gate),
              name + ": reference");
  const Input<T> input(state, c.state_offset);
  const Input<MapHealth> health({gate == nullptr ? MapHealth{} : *gate});
  Output<T> memory(expected.size(), c.memory_offset);
  tally.check(run_write_state(input.data(), memory.data(), c.element, c.pixels, c.slots, c.width, c.first,
                              c.stride, c.written, gate == nullptr ? nullptr : health.data()),
              name + ": launched");
  tally.check(memory.values() == expected, name);
  tally.check(memory.guards_intact(), name + ": sentinels");
}

void check_state_case(Tally& tally, const StateCase& c) {
  const MapHealth fine{0, 0, 1}, broken{1, 0, 1};
  for (const MapHealth* gate : {static_cast<const MapHealth*>(nullptr), &fine, &broken}) {
    if (c.element == Element::kFloat32) {
      check_state<uint32_t>(tally, c, gate);
    } else {
      check_state<uint16_t>(tally, c, gate);
    }
  }
}

} // namespace

void copy_sizes(Tally& tally) {
  for (const size_t words : {1, 2, 3, 4, 5, 8, 255, 1024, 1025, 4096, 4097, 16384, 16388, 300000}) {
    for (const int count : {1, 3, kMostBlocks}) {
      if (words > 100000 && count > 3) continue;
      for (const size_t offset : {0, 1, 2, 3, 4}) {
        const std::string name = std::to_string(count) + " blocks of " + std::to_string(4 * words) + " bytes";
        std::vector<Input<uint32_t>> inputs;
        std::vector<Output<uint32_t>> outputs;
        std::vector<std::vector<uint32_t>> expected;
        std::vector<BlockCopy> copies;
        for (uint32_t i = 0; i < static_cast<uint32_t>(count); i++) {
          std::vector<uint32_t> values(words);
          for (size_t k = 0; k < words; k++) values[k] = static_cast<uint32_t>(k * 2654435761u) + i;
          inputs.emplace_back(values, offset);
          outputs.emplace_back(words, offset == 4 ? 0 : offset * i % 4);
          expected.push_back(values);
          copies.push_back({inputs.back().data(), outputs.back().data()});
        }
        tally.check(run_copy_blocks(copies.data(), count, 4 * words), name + ": launched");
        for (size_t i = 0; i < expected.size(); i++) {
          tally.check(outputs[i].values() == expected[i], name + ": block " + std::to_string(i));
          tally.check(outputs[i].guards_intact(), name + ": sentinels");
        }
      }
    }
  }
  const Input<uint32_t> from({1, 2, 3});
  Output<uint32_t> to(3);
  const BlockCopy fine{from.data(), to.data()};
  tally.check(run_copy_blocks(&fine, 0, 8), "no blocks");
  tally.check(run_copy_blocks(&fine, 1, 0), "no bytes");
  tally.check(!run_copy_blocks(&fine, 1, 6), "6 bytes are refused");
  tally.check(!run_copy_blocks(&fine, kMostBlocks + 1, 4), "too many blocks are refused");
  const BlockCopy odd{reinterpret_cast<const char*>(from.data()) + 2, to.data()}, none{nullptr, to.data()};
  tally.check(!run_copy_blocks(&odd, 1, 4), "an odd address is refused");
  tally.check(!run_copy_blocks(&none, 1, 4), "no address is refused");
  tally.check(run_copy_blocks(&none, 1, 0), "no bytes need no address");
  tally.check(to.values() == Output<uint32_t>::untouched(3), "nothing written");
}

void state_sizes(Tally& tally) {
  for (const Element element : {Element::kFloat32, Element::kFloat16}) {
    for (const int width : {1, 2, 3, 8, 24, 192, 257}) {
      for (const int pixels : {0, 1, 37, 1369}) {
        check_state_case(tally, {element, pixels, 32, width, 0, 1, 31});
        check_state_case(tally, {element, pixels, 32, width, 31, 1, 1});
        check_state_case(tally, {element, pixels, 5, width, 1, 3, 2});
        check_state_case(tally, {element, pixels, 1, width, 0, 7, 1});
        check_state_case(tally, {element, pixels, 3, width, 2, 1, 0});
      }
      for (const size_t offset : {1, 2, 3}) {
        check_state_case(tally, {element, 37, 4, width, 1, 2, 2, offset, 0});
        check_state_case(tally, {element, 37, 4, width, 1, 2, 2, 0, offset});
        check_state_case(tally, {element, 37, 4, width, 1, 2, 2, offset, offset});
      }
    }
  }
}

void state_refusals(Tally& tally) {
  const Input<float> state(noise(8, 1));
  Output<float> memory(8);
  const auto refused = [&](int pixels, int slots, int width, int first, int stride, int written,
                           const char* what) {
    tally.check(!run_write_state(state.data(), memory.data(), Element::kFloat32, pixels, slots, width, first,
                                 stride, written, nullptr),
                what);
  };
  refused(-1, 2, 2, 0, 1, 1, "pixels -1");
  refused(2, 0, 2, 0, 1, 1, "no slots");
  refused(2, 2, 0, 0, 1, 1, "width 0");
  refused(2, 2, 2, 2, 1, 1, "a slot beyond the last");
  refused(2, 2, 2, -1, 1, 1, "slot -1");
  refused(2, 2, 2, 0, 2, 2, "a stride beyond the last slot");
  refused(2, 2, 2, 0, 0, 1, "stride 0");
  refused(2, 2, 2, 0, 1, -1, "written -1");
  refused(1 << 20, 2, 1 << 12, 0, 1, 1, "more words than a launch has threads");
  tally.check(!run_write_state(nullptr, memory.data(), Element::kFloat32, 1, 1, 1, 0, 1, 1, nullptr),
              "no state");
  tally.check(run_write_state(nullptr, nullptr, Element::kFloat32, 0, 1, 1, 0, 1, 1, nullptr),
              "no pixels need no address");
  tally.check(same(memory.values(), Output<float>::untouched(8)), "nothing written");
}

} // namespace kernel_test

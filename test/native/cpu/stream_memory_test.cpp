// Owns: tests of streams' memory and of the pool that it comes from.
// Must not know: networks.

#include "cpu/stream_memory.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

using namespace video_depth::cpu;

namespace {

constexpr size_t kFrame = 5000;

/// A frame of bytes of this value.
States frame_of(StreamMemory& memory, int value) {
  const States frame = memory.new_frame();
  std::memset(frame.get(), value, memory.frame_bytes());
  return frame;
}

void put(StreamMemory& memory, int value, const std::vector<int32_t>& into) {
  memory.put(frame_of(memory, value), into.data(), static_cast<int>(into.size()));
}

/// The value of each slot's frame, −1 where there is none.
std::vector<int> values(const StreamMemory& memory) {
  std::vector<int> found;
  for (int slot = 0; slot < memory.slots(); slot++) {
    const std::byte* frame = memory.frame(slot);
    found.push_back(frame == nullptr ? -1 : static_cast<int>(frame[memory.frame_bytes() - 1]));
  }
  return found;
}

std::vector<std::byte> exported(const StreamMemory& memory) {
  std::vector<std::byte> bytes(memory.export_bytes());
  memory.export_to(bytes.data());
  return bytes;
}

} // namespace

TEST_CASE("stream memory: slots stand for the frame that was put into them, which is there once") {
  const StatePool pool;
  StreamMemory memory(pool, kFrame, 4);
  CHECK(values(memory) == std::vector<int>{-1, -1, -1, -1});
  CHECK(pool.bytes_in_use() == 0);
  put(memory, 1, {0, 1, 2, 3});
  CHECK(values(memory) == std::vector<int>{1, 1, 1, 1});
  CHECK(memory.bytes() == kFrame);
  CHECK(pool.bytes_in_use() == kFrame);
  put(memory, 2, {1});
  put(memory, 3, {3});
  CHECK(values(memory) == std::vector<int>{1, 2, 1, 3});
  CHECK(memory.bytes() == 3 * kFrame);
  put(memory, 4, {1});
  CHECK(values(memory) == std::vector<int>{1, 4, 1, 3});
  CHECK(pool.bytes_in_use() == 3 * kFrame);
  CHECK(pool.bytes_kept() == kFrame);
  put(memory, 5, {0, 1, 2, 3});
  CHECK(pool.bytes_in_use() == kFrame);
  memory.clear();
  CHECK(values(memory) == std::vector<int>{-1, -1, -1, -1});
  CHECK(pool.bytes_in_use() == 0);
}

TEST_CASE("stream memory: a slot that it does not have is an error, and nothing is put") {
  StreamMemory memory({}, kFrame, 2);
  put(memory, 1, {0});
  for (const int32_t wrong : {-1, 2}) {
    CHECK_THROWS_WITH_AS(put(memory, 2, {0, wrong}),
                         ("Expected slots below 2 for slots, received " + std::to_string(wrong)).c_str(),
                         video_depth::Error);
    CHECK(values(memory) == std::vector<int>{1, -1});
  }
}

TEST_CASE("state pool: what goes back is taken again, and may be given to the system") {
  StatePool pool;
  States first = pool.take(kFrame);
  CHECK(reinterpret_cast<uintptr_t>(first.get()) % 4096 == 0);
  const std::byte* place = first.get();
  first = nullptr;
  CHECK(pool.bytes_in_use() == 0);
  CHECK(pool.bytes_kept() == kFrame);
  first = pool.take(kFrame + 1); // of another size
  CHECK(first.get() != place);
  CHECK(pool.bytes_kept() == kFrame);
  const States second = pool.take(kFrame);
  CHECK(second.get() == place);
  CHECK(pool.bytes_kept() == 0);
  first = nullptr;
  pool.trim();
  CHECK(pool.bytes_kept() == 0);
  CHECK(pool.bytes_in_use() == kFrame);
}

TEST_CASE("state pool: of much memory that goes back, only some is kept") {
  constexpr size_t kLarge = size_t{40} << 20; // untouched, so that no page of it is ever there
  StatePool pool;
  std::vector<States> blocks;
  for (int i = 0; i < 5; i++) blocks.push_back(pool.take(kLarge));
  CHECK(pool.bytes_in_use() == 5 * kLarge);
  blocks.clear();
  CHECK(pool.bytes_in_use() == 0);
  CHECK(pool.bytes_kept() == 3 * kLarge);
  // One of any size is: each frame gives one back and takes it again.
  pool.trim();
  pool.take(10 * kLarge);
  CHECK(pool.bytes_kept() == 10 * kLarge);
}

TEST_CASE("state pool: a budget is kept, and exceeding it names bytes") {
  StatePool pool;
  pool.set_budget(3 * kFrame);
  StreamMemory memory(pool, kFrame, 4);
  put(memory, 1, {0});
  put(memory, 2, {1});
  put(memory, 3, {2});
  CHECK_THROWS_WITH_AS(put(memory, 4, {3}),
                       "Expected at most 15000 bytes in use by streams for their memory, received 5000 more "
                       "beside 15000",
                       OverBudget);
  try {
    pool.take(1);
    FAIL("took more than the budget");
  } catch (const OverBudget& error) {
    CHECK(error.wanted() == 1);
    CHECK(error.in_use() == 3 * kFrame);
    CHECK(error.allowed() == 3 * kFrame);
  }
  CHECK(values(memory) == std::vector<int>{1, 2, 3, -1});
  memory.clear();
  CHECK(pool.bytes_kept() == 3 * kFrame);
  // What is kept gives way to what is asked for.
  const States other = pool.take(2 * kFrame);
  CHECK(pool.bytes_kept() + pool.bytes_in_use() <= 3 * kFrame);
  pool.set_budget(kFrame); // less than is in use, which stays
  CHECK(pool.bytes_kept() == 0);
  CHECK_THROWS_AS(pool.take(1), OverBudget);
  pool.set_budget(StatePool::kNoBudget);
  CHECK_NOTHROW(pool.take(kFrame));
}

TEST_CASE("state pool: blocks may outlive it") {
  States block;
  {
    StatePool pool;
    block = pool.take(kFrame);
  }
  std::memset(block.get(), 1, kFrame);
  block = nullptr;
}

TEST_CASE("stream memory: an export holds each frame once, and a restored memory is the same") {
  const StatePool pool;
  StreamMemory memory(pool, kFrame, 5);
  StreamMemory twin(pool, kFrame, 5);
  put(twin, 9, {2});
  const auto moved = [&] {
    const std::vector<std::byte> bytes = exported(memory);
    twin.import_from(bytes.data(), bytes.size());
    CHECK(values(twin) == values(memory));
    CHECK(exported(twin) == bytes);
    return bytes.size();
  };
  const size_t table = 5 * sizeof(int32_t);
  CHECK(moved() == table);
  put(memory, 1, {0, 1, 2, 3, 4});
  CHECK(moved() == table + kFrame);
  put(memory, 2, {3});
  CHECK(moved() == table + 2 * kFrame);
  CHECK(twin.bytes() == 2 * kFrame);
  put(memory, 3, {0});
  CHECK(moved() == table + 3 * kFrame);
}

TEST_CASE("stream memory: bytes that are no export change nothing") {
  StatePool pool;
  StreamMemory memory(pool, kFrame, 3);
  put(memory, 1, {0, 1, 2});
  put(memory, 2, {1});
  const std::vector<std::byte> good = exported(memory);
  const auto refused = [&](const std::vector<std::byte>& bytes) {
    CHECK_THROWS_AS(memory.import_from(bytes.data(), bytes.size()), video_depth::Error);
    CHECK(exported(memory) == good);
  };
  refused({});
  refused({good.begin(), good.end() - 1});
  std::vector<std::byte> longer = good;
  longer.emplace_back();
  refused(longer);
  for (const int32_t number : {-2, 2, 3, 1 << 30}) {
    for (const size_t slot : {0, 1, 2}) {
      std::vector<std::byte> wrong = good;
      std::memcpy(wrong.data() + slot * sizeof number, &number, sizeof number);
      if (number == 2 && slot == 2) continue; // a third frame: only its bytes are missing, as above
      refused(wrong);
    }
  }
  pool.set_budget(2 * kFrame);
  CHECK_THROWS_AS(memory.import_from(good.data(), good.size()), OverBudget);
  CHECK(exported(memory) == good);
  CHECK(pool.bytes_in_use() == 2 * kFrame);
}

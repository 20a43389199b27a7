// Owns: what streams remember: the pool that their memory comes from, and which slot holds which frame's
// states. Must not know: how states are computed, which frames are remembered.

#include "cpu/stream_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <mutex>
#include <new>
#include <string>
#include <utility>

namespace video_depth::cpu {

namespace {

/// About one stream of ViT-S at 252×448: the next one begins without new pages.
constexpr size_t kMostKept = size_t{128} << 20;

std::byte* map_pages(size_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  // Only advice: it fails where the system has none.
  (void)madvise(pages, bytes, MADV_HUGEPAGE);
#endif
  return static_cast<std::byte*>(pages);
}

} // namespace

OverBudget::OverBudget(size_t wanted, size_t in_use, size_t allowed)
    : Error("remember", "at most " + std::to_string(allowed) + " bytes in use by streams", "their memory",
            std::to_string(wanted) + " more beside " + std::to_string(in_use)),
      wanted_(wanted),
      in_use_(in_use),
      allowed_(allowed) {
}

/// Shared with all blocks that are out.
class StatePool::Blocks {
 public:
  Blocks() = default;
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;
  ~Blocks() { free_kept(0); }

  std::byte* take(size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (bytes > budget_ || in_use_ > budget_ - bytes) throw OverBudget(bytes, in_use_, budget_);
    // So that giving back needs no memory.
    kept_.reserve(kept_.size() + out_ + 1);
    const auto found =
        std::find_if(kept_.rbegin(), kept_.rend(), [bytes](const Kept& one) { return one.bytes == bytes; });
    std::byte* block = nullptr;
    if (found != kept_.rend()) {
      block = found->block;
      kept_bytes_ -= bytes;
      kept_.erase(std::next(found).base());
    } else {
      free_kept(budget_ - in_use_ - bytes);
      block = map_pages(bytes);
    }
    in_use_ += bytes;
    out_++;
    return block;
  }

  void give_back(std::byte* block, size_t bytes) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    in_use_ -= bytes;
    out_--;
    // One is kept in any case: a stream in its steady state gives one back with each frame, and takes it
    // again.
    if (!kept_.empty() && kept_bytes_ + bytes > kMostKept) {
      munmap(block, bytes);
      return;
    }
    kept_.push_back({block, bytes});
    kept_bytes_ += bytes;
  }

  size_t in_use() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return in_use_;
  }

  size_t kept() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return kept_bytes_;
  }

  void set_budget(size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    budget_ = bytes;
    free_kept(bytes - std::min(bytes, in_use_));
  }

  void trim() {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_kept(0);
  }

 private:
  /// Until no more than `most` bytes are kept.
  void free_kept(size_t most) {
    while (kept_bytes_ > most) {
      munmap(kept_.back().block, kept_.back().bytes);
      kept_bytes_ -= kept_.back().bytes;
      kept_.pop_back();
    }
  }

  struct Kept {
    std::byte* block;
    size_t bytes;
  };

  mutable std::mutex mutex_;
  std::vector<Kept> kept_;
  size_t kept_bytes_ = 0;
  size_t in_use_ = 0;
  /// Blocks in use.
  size_t out_ = 0;
  size_t budget_ = kNoBudget;
};

StatePool::StatePool() : blocks_(std::make_shared<Blocks>()) {
}

States StatePool::take(size_t bytes) {
  const auto give_back = [blocks = blocks_, bytes](std::byte* block) { blocks->give_back(block, bytes); };
  return {blocks_->take(bytes), give_back};
}

size_t StatePool::bytes_in_use() const {
  return blocks_->in_use();
}

size_t StatePool::bytes_kept() const {
  return blocks_->kept();
}

void StatePool::set_budget(size_t bytes) {
  blocks_->set_budget(bytes);
}

void StatePool::trim() {
  blocks_->trim();
}

StreamMemory::StreamMemory(StatePool pool, size_t frame_bytes, int slots)
    : pool_(std::move(pool)), frame_bytes_(frame_bytes), frames_(static_cast<size_t>(slots)) {
}

void StreamMemory::put(const States& frame, const int32_t* into, int count) {
  for (int i = 0; i < count; i++) {
    if (into[i] >= 0 && into[i] < slots()) continue;
    throw Error("remember", "slots below " + std::to_string(slots()), "slots", std::to_string(into[i]));
  }
  for (int i = 0; i < count; i++) frames_[static_cast<size_t>(into[i])] = frame;
}

void StreamMemory::clear() {
  std::fill(frames_.begin(), frames_.end(), nullptr);
}

std::vector<int32_t> StreamMemory::numbers(std::vector<const std::byte*>& distinct) const {
  std::vector<int32_t> found;
  for (const States& frame : frames_) {
    const auto place = std::find(distinct.begin(), distinct.end(), frame.get());
    found.push_back(frame == nullptr ? -1 : static_cast<int32_t>(place - distinct.begin()));
    if (frame != nullptr && place == distinct.end()) distinct.push_back(frame.get());
  }
  return found;
}

size_t StreamMemory::bytes() const {
  std::vector<const std::byte*> distinct;
  numbers(distinct);
  return distinct.size() * frame_bytes_;
}

size_t StreamMemory::export_bytes() const {
  return frames_.size() * sizeof(int32_t) + bytes();
}

void StreamMemory::export_to(std::byte* out) const {
  std::vector<const std::byte*> distinct;
  const std::vector<int32_t> table = numbers(distinct);
  std::memcpy(out, table.data(), table.size() * sizeof(int32_t));
  out += table.size() * sizeof(int32_t);
  for (const std::byte* frame : distinct) out = std::copy_n(frame, frame_bytes_, out);
}

void StreamMemory::import_from(const std::byte* bytes, size_t count) {
  std::vector<int32_t> table(frames_.size());
  const size_t table_bytes = table.size() * sizeof(int32_t);
  const auto check = [count](bool holds, const std::string& expected) {
    if (!holds) throw Error("restore", expected, "state", std::to_string(count) + " bytes that are not");
  };
  check(count >= table_bytes, "a table of " + std::to_string(table.size()) + " slots");
  std::memcpy(table.data(), bytes, table_bytes);
  // Numbers come in order, as `numbers` gives them: then none is left out.
  int32_t next = 0;
  for (const int32_t number : table) {
    check(number >= -1 && number <= next, "frames in order");
    if (number == next) next++;
  }
  const auto frames = static_cast<size_t>(next);
  check(count - table_bytes == frames * frame_bytes_,
        std::to_string(frames) + " frames of " + std::to_string(frame_bytes_) + " bytes");
  std::vector<States> restored;
  for (size_t i = 0; i < frames; i++) {
    restored.push_back(new_frame());
    std::memcpy(restored.back().get(), bytes + table_bytes + i * frame_bytes_, frame_bytes_);
  }
  for (size_t slot = 0; slot < table.size(); slot++)
    frames_[slot] = table[slot] < 0 ? nullptr : restored[static_cast<size_t>(table[slot])];
}

} // namespace video_depth::cpu

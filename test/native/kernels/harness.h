// Owns: what kernel tests share: guarded memory, noise, comparisons, and counting what held.
// Must not know: a kernel.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/device.h"

namespace kernel_test {

/// Counts of one group of cases; the first failures are printed.
class Tally {
 public:
  void check(bool held, const std::string& what) {
    checks_++;
    if (held) return;
    if (failures_++ < kMostPrinted) std::printf("  FAILED %s\n", what.c_str());
  }
  int checks() const { return checks_; }
  int failures() const { return failures_; }

 private:
  static constexpr int kMostPrinted = 10;

  int checks_ = 0, failures_ = 0;
};

struct Group {
  const char* name;
  void (*run)(Tally&);
};

/// All groups of all kernels.
std::vector<Group> groups();

/// Runs every group and prints a line for each, and a final count. @returns failures
int run_groups();

inline std::string text(const char* name, int a, int b) {
  return std::string(name) + " " + std::to_string(a) + "x" + std::to_string(b);
}

inline std::string text(const char* name, Extent from, Extent to) {
  return text(name, from.width, from.height) + text(" ->", to.width, to.height);
}

inline size_t area(Extent size) {
  return static_cast<size_t>(size.width) * static_cast<size_t>(size.height);
}

/// Kernels' memory that holds `values` and nothing behind them, `offset` elements from an aligned address.
template <class T>
class Input {
 public:
  explicit Input(const std::vector<T>& values, size_t offset = 0)
      : base_(static_cast<T*>(allocate((offset + values.size()) * sizeof(T)))), offset_(offset) {
    upload(base_ + offset, values.data(), values.size() * sizeof(T));
  }
  Input(Input&& other) noexcept : base_(other.base_), offset_(other.offset_) { other.base_ = nullptr; }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input() {
    if (base_ != nullptr) release(base_);
  }

  const T* data() const { return base_ + offset_; }

 private:
  T* base_;
  size_t offset_;
};

/// Kernels' memory between sentinels, filled with them, `offset` elements from an aligned address.
template <class T>
class Output {
 public:
  explicit Output(size_t count, size_t offset = 0)
      : count_(count),
        offset_bytes_(kGuard + offset * sizeof(T)),
        bytes_(offset_bytes_ + count * sizeof(T) + kGuard) {
    base_ = static_cast<uint8_t*>(allocate(bytes_));
    const std::vector<uint8_t> sentinels(bytes_, kSentinel);
    upload(base_, sentinels.data(), bytes_);
  }
  Output(Output&& other) noexcept
      : base_(other.base_), count_(other.count_), offset_bytes_(other.offset_bytes_), bytes_(other.bytes_) {
    other.base_ = nullptr;
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() {
    if (base_ != nullptr) release(base_);
  }

  T* data() { return reinterpret_cast<T*>(base_ + offset_bytes_); }
  void fill(const std::vector<T>& values) { upload(data(), values.data(), values.size() * sizeof(T)); }

  std::vector<T> values() const {
    std::vector<T> values(count_);
    download(values.data(), base_ + offset_bytes_, count_ * sizeof(T));
    return values;
  }
  bool guards_intact() const {
    std::vector<uint8_t> all(bytes_);
    download(all.data(), base_, bytes_);
    const size_t end = offset_bytes_ + count_ * sizeof(T);
    for (size_t i = 0; i < bytes_; i++) {
      if ((i < offset_bytes_ || i >= end) && all[i] != kSentinel) return false;
    }
    return true;
  }
  /// What memory holds that nobody has written to.
  static std::vector<T> untouched(size_t count) {
    std::vector<T> values(count);
    if (count > 0) std::memset(static_cast<void*>(values.data()), kSentinel, count * sizeof(T));
    return values;
  }

 private:
  static constexpr size_t kGuard = 256;
  static constexpr uint8_t kSentinel = 0xa5;

  uint8_t* base_;
  size_t count_, offset_bytes_, bytes_;
};

/// Deterministic, 0 ≤ value < 1.
std::vector<float> noise(size_t count, uint32_t seed);

std::vector<uint8_t> noise_bytes(size_t count, uint32_t seed);

/// The same bits, or NaN both: their payloads differ between processors.
bool same(const std::vector<float>& a, const std::vector<float>& b);

} // namespace kernel_test

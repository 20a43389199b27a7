// Owns: memory for vectors of numbers: aligned, zeroed, with room behind the end for a whole vector.
// Must not know: what is kept in it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace video_depth::cpu {

/// Kernels load and store whole vectors of 64 bytes; what lies behind the end is never used.
constexpr size_t kAlignment = 64;

template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t size) { grow(size); }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_.get()[i]; }
  const T& operator[](size_t i) const { return data_.get()[i]; }

  /// At least `size` elements, all 0 where that makes it larger; what was in it is lost then.
  T* grow(size_t size) {
    if (size > size_) {
      data_.reset();
      size_ = 0;
      const size_t bytes = (size * sizeof(T) + 2 * kAlignment - 1) / kAlignment * kAlignment;
      data_.reset(static_cast<T*>(std::aligned_alloc(kAlignment, bytes)));
      if (!data_) throw std::bad_alloc();
      std::memset(data_.get(), 0, bytes);
      size_ = size;
    }
    return data_.get();
  }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T, Free> data_;
  size_t size_ = 0;
};

} // namespace video_depth::cpu

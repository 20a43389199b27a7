// Owns: CUDA's memory, streams, events and graphs as objects that free themselves.
// Must not know: what they are used for. All calls come from threads whose current device is theirs.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <utility>

namespace video_depth::cuda {

/// Memory of one kind; not zeroed. Throws GpuFailure.
template <class Kind>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t bytes) : data_(bytes == 0 ? nullptr : Kind::allocate(bytes)), bytes_(bytes) {}
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Buffer() {
    if (data_ != nullptr) Kind::free(data_);
  }

  void* data() const { return data_; }
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

struct DeviceMemory {
  static void* allocate(size_t bytes);
  static void free(void* data);
};

struct PinnedMemory {
  static void* allocate(size_t bytes);
  static void free(void* data);
};

using DeviceBuffer = Buffer<DeviceMemory>;
/// Page-locked host memory.
using PinnedBuffer = Buffer<PinnedMemory>;

/// Non-blocking: it never waits for the default stream. Waited for before it is destroyed.
class Stream {
 public:
  Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  cudaStream_t get() const { return stream_; }
  void wait_for(class Event& event);
  void synchronize();

 private:
  cudaStream_t stream_ = nullptr;
};

/// How an event is waited for: `kSpin` wakes fastest and keeps a processor busy, `kSleep` leaves it to
/// others.
enum class Wait { kSpin, kSleep };

/// @param is_timed elapsed times may be asked for; costs a little
class Event {
 public:
  explicit Event(bool is_timed = false, Wait wait = Wait::kSpin);
  Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  Event& operator=(Event&& other) noexcept {
    std::swap(event_, other.event_);
    return *this;
  }
  ~Event();

  cudaEvent_t get() const { return event_; }
  void record(Stream& stream);
  void synchronize();
  /// Milliseconds from `start`, both timed and completed.
  float milliseconds_since(const Event& start) const;

 private:
  cudaEvent_t event_ = nullptr;
};

} // namespace video_depth::cuda

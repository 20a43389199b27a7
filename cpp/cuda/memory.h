// Owns: CUDA's memory, streams, events and graphs as objects that free themselves.
// Must not know: what they are used for. All calls come from threads whose current device is theirs.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <utility>

namespace video_depth::cuda {

/// Device memory; not zeroed. Throws GpuFailure.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  explicit DeviceBuffer(size_t bytes);
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~DeviceBuffer();

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

/// Page-locked host memory. Throws GpuFailure.
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  explicit PinnedBuffer(size_t bytes);
  PinnedBuffer(PinnedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~PinnedBuffer();

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

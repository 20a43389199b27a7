// Owns: pictures on their way from a caller's array to the device.
// Must not know: which frame of what a picture is.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/memory.h"
#include "image/picture.h"

namespace video_depth::gpu {

/// Room for one picture, in page-locked memory and on the device. `fill` is called by the caller's thread
/// while nothing of this cell is under way; the rest by the device thread.
class UploadCell {
 public:
  /// Copies the picture's rows, without what lies between them. @param picture valid
  void fill(const PictureView& picture);

  /// Makes room for what `fill` took. @param stream the one that uploads
  void reserve(cuda::Stream& stream);

  /// Queues the copy to the device, after `reserve`. `stream` must have waited for the last reader of the
  /// cell.
  /// @returns the picture, its data on the device
  PictureView upload(cuda::Stream& stream);

 private:
  PictureView view_{};
  cuda::PinnedBuffer pinned_;
  cuda::DeviceBuffer device_;
  /// Holds a picture that is too large for `pinned_`, until that has grown: page-locking memory is slow and
  /// is left to the device thread.
  std::vector<uint8_t> overflow_;
};

} // namespace video_depth::gpu

// Owns: pictures on their way from a caller's array to the device.
// Must not know: which frame of what a picture is.

#include "gpu/upload.h"

#include <algorithm>
#include <cstring>

#include "cuda/failure.h"

namespace video_depth::gpu {

namespace {

/// nv12's chroma rows follow those of luma.
size_t row_count(const PictureView& picture) {
  const auto height = static_cast<size_t>(picture.height);
  return picture.format == PixelFormat::kNv12 ? height + (height + 1) / 2 : height;
}

} // namespace

void UploadCell::fill(const PictureView& picture) {
  view_ = picture;
  view_.stride_bytes = row_bytes(picture.format, picture.width);
  const size_t rows = row_count(picture);
  view_.length = view_.stride_bytes * rows;
  overflow_.resize(view_.length > pinned_.bytes() ? view_.length : 0);
  uint8_t* const to = overflow_.empty() ? pinned_.as<uint8_t>() : overflow_.data();
  for (size_t y = 0; y < rows; y++) {
    const size_t begin = y * picture.stride_bytes;
    const size_t bytes = std::min(view_.stride_bytes, picture.length - begin);
    std::memcpy(to + y * view_.stride_bytes, picture.data + begin, bytes);
  }
  view_.data = nullptr;
}

void UploadCell::reserve(cuda::Stream& stream) {
  if (!overflow_.empty()) {
    pinned_ = {};
    pinned_ = cuda::PinnedBuffer(overflow_.size());
    std::memcpy(pinned_.data(), overflow_.data(), overflow_.size());
    overflow_ = {};
  }
  if (device_.bytes() < view_.length) {
    stream.synchronize();
    device_ = {};
    device_ = cuda::DeviceBuffer(view_.length);
  }
}

PictureView UploadCell::upload(cuda::Stream& stream) {
  cuda::check(
      cudaMemcpyAsync(device_.data(), pinned_.data(), view_.length, cudaMemcpyHostToDevice, stream.get()),
      "copying a frame to the GPU");
  PictureView on_device = view_;
  on_device.data = device_.as<uint8_t>();
  return on_device;
}

} // namespace video_depth::gpu

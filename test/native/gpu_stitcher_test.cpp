// Owns: tests of the stitcher on the device against the processor's, where windows have no content.
// Must not know: plans, Node.js.

#include <doctest/doctest.h>

#include <cmath>

#include "cuda/failure.h"
#include "gpu/device_stitcher.h"
#include "gpu_support.h"
#include "stitch/stitcher.h"
#include "stitch_content_support.h"
#include "tensorrt_support.h"

namespace {

using ::test::ContentWindow;
using video_depth::FrameView;
using video_depth::MapView;
using video_depth::Stitcher;
using video_depth::StitchResult;
namespace cuda = video_depth::cuda;
namespace gpu = video_depth::gpu;

constexpr cuda::Extent kMap{test::kContentMapWidth, test::kContentMapHeight}, kFrame{61, 35};
constexpr size_t kValues = size_t{61} * 35;

struct Found {
  StitchResult result;
  std::vector<float> frames;
};

/// Windows are queued one behind the other; the device is waited for at the end alone.
std::vector<Found> on_device(const std::vector<ContentWindow>& windows) {
  cuda::Stream stream;
  gpu::DeviceStitcher stitcher(kMap, kFrame);
  std::vector<cuda::DeviceBuffer> maps;
  std::vector<gpu::LeavingFrames> leaving;
  std::vector<cuda::DeviceFit> fits(windows.size());
  std::vector<Found> found(windows.size());
  cuda::DeviceBuffer fit(sizeof(cuda::DeviceFit));
  for (size_t w = 0; w < windows.size(); w++) {
    const ContentWindow& window = windows[w];
    std::vector<const float*> views;
    for (const auto& map : window.maps) {
      maps.emplace_back(map.size() * sizeof(float));
      cuda::check(cudaMemcpyAsync(maps.back().data(), map.data(), maps.back().bytes(), cudaMemcpyHostToDevice,
                                  stream.get()),
                  "uploading a map");
      views.push_back(maps.back().as<float>());
    }
    const size_t bytes = kValues * static_cast<size_t>(window.leaving) * sizeof(float);
    leaving.push_back({cuda::DeviceBuffer(bytes), window.leaving});
    stitcher.stitch(views, window.step, leaving.back(), fit.as<cuda::DeviceFit>(), stream);
    found[w].frames.resize(bytes / sizeof(float));
    cuda::check(cudaMemcpyAsync(found[w].frames.data(), leaving.back().frames.data(), bytes,
                                cudaMemcpyDeviceToHost, stream.get()),
                "reading frames");
    cuda::check(
        cudaMemcpyAsync(&fits[w], fit.data(), sizeof(cuda::DeviceFit), cudaMemcpyDeviceToHost, stream.get()),
        "reading a fit");
  }
  stream.synchronize();
  for (size_t w = 0; w < windows.size(); w++) {
    const cuda::DeviceFit& read = fits[w];
    found[w].result = video_depth::result_of(
        {{read.scale, read.shift, read.degenerate != 0}, read.is_anew != 0, read.left_out});
  }
  return found;
}

std::vector<Found> on_processor(const std::vector<ContentWindow>& windows) {
  Stitcher stitcher({kMap.width, kMap.height, kFrame.width, kFrame.height, 1});
  std::vector<Found> found;
  for (const ContentWindow& window : windows) {
    std::vector<MapView> maps;
    for (const auto& map : window.maps) maps.push_back({map.data(), map.size()});
    std::vector<float> frames(kValues * static_cast<size_t>(window.leaving));
    std::vector<FrameView> views;
    for (size_t i = 0; i < static_cast<size_t>(window.leaving); i++) {
      views.push_back({frames.data() + i * kValues, kValues});
    }
    const StitchResult result = stitcher.stitch(maps, window.step, views);
    found.push_back({result, frames});
  }
  return found;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < b.size(); i++) {
    const double error = std::abs(a[i] - b[i]);
    largest = error <= largest ? largest : error; // NaN is largest
  }
  return largest;
}

} // namespace

TEST_CASE("gpu stitcher: windows without content as on the processor") {
  const video_depth::test::Device device;
  bool begins_anew = false, leaves_out = false;
  for (const auto& windows :
       {test::dark_start(), test::one_dark_reference(), test::dark_middle(), test::growing_spread()}) {
    const std::vector<Found> found = on_device(windows), expected = on_processor(windows);
    for (size_t w = 0; w < windows.size(); w++) {
      const StitchResult &a = found[w].result, &b = expected[w].result;
      CAPTURE(w);
      CHECK(a.scale == doctest::Approx(b.scale).epsilon(1e-9));
      CHECK(a.shift == doctest::Approx(b.shift).epsilon(1e-9));
      CHECK(a.degenerate == b.degenerate);
      CHECK(a.is_anew == b.is_anew);
      CHECK(a.left_out == b.left_out);
      CHECK(largest_difference(found[w].frames, expected[w].frames) < 1e-5);
      begins_anew = begins_anew || a.is_anew;
      leaves_out = leaves_out || (a.left_out > 0 && !a.degenerate);
    }
  }
  CHECK(begins_anew);
  CHECK(leaves_out);
}

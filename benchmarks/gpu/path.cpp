// Owns: a frame's way without a network: page-locked upload, preprocessing, scaling to the frame's size,
// download; checked and timed against the link's own speed. Must not know: TensorRT, Node.js.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "cuda/failure.h"
#include "cuda/kernels.h"
#include "cuda/reference.h"
#include "gpu/download.h"
#include "gpu/upload.h"

namespace {

using namespace video_depth; // NOLINT: a program of one page

constexpr int kRuns = 60, kWarmUp = 10;
constexpr size_t kPieceBytes = size_t{8} << 20;

struct Case {
  const char* name;
  cuda::Extent frame, input;
};

struct Result {
  double upload_gbs, upload_limit_gbs, download_gbs, download_limit_gbs, frame_ms;
};

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

/// Seconds of one plain copy between page-locked and device memory.
double plain_copy(size_t bytes, cudaMemcpyKind kind, cuda::Stream& stream) {
  const cuda::PinnedBuffer host(bytes);
  const cuda::DeviceBuffer device(bytes);
  const bool is_up = kind == cudaMemcpyHostToDevice;
  std::vector<double> taken;
  for (int i = 0; i < kRuns; i++) {
    const double started = seconds();
    cuda::check(cudaMemcpyAsync(is_up ? device.data() : host.data(), is_up ? host.data() : device.data(),
                                bytes, kind, stream.get()),
                "copying");
    stream.synchronize();
    if (i >= kWarmUp) taken.push_back(seconds() - started);
  }
  return median(taken);
}

Result measure(const Case& test) {
  const size_t frame = static_cast<size_t>(test.frame.width) * static_cast<size_t>(test.frame.height);
  const size_t input = static_cast<size_t>(test.input.width) * static_cast<size_t>(test.input.height);
  std::vector<uint8_t> rgb(3 * frame);
  for (size_t i = 0; i < rgb.size(); i++) rgb[i] = static_cast<uint8_t>(i * 2654435761u >> 24);
  const PictureView picture{rgb.data(),          rgb.size(),
                            test.frame.width,    test.frame.height,
                            PixelFormat::kRgb24, static_cast<size_t>(3 * test.frame.width)};
  std::vector<float> depth(frame), expected_input(3 * input), expected(frame);
  cuda::reference::preprocess(picture, expected_input.data(), cuda::Element::kFloat32, test.input);
  const cuda::FrameJob reference{expected_input.data(), nullptr, expected.data(), 1};
  cuda::reference::write_frames(&reference, 1, test.input, test.frame, nullptr);

  cuda::Stream stream;
  gpu::UploadCell cell;
  gpu::Downloader downloader(kPieceBytes);
  const cuda::DeviceBuffer pixels(3 * input * sizeof(float)), out(frame * sizeof(float));
  std::vector<double> uploads, downloads, whole;
  for (int i = 0; i < kRuns; i++) {
    const double started = seconds();
    cell.fill(picture);
    cell.reserve(stream);
    const double filled = seconds();
    const PictureView on_device = cell.upload(stream);
    stream.synchronize();
    const double uploaded = seconds();
    cuda::check(
        cuda::launch_preprocess(on_device, pixels.data(), cuda::Element::kFloat32, test.input, stream.get()),
        "preprocessing");
    // The first channel stands for a map.
    const cuda::FrameJob job{pixels.as<float>(), nullptr, out.as<float>(), 1};
    cuda::check(cuda::launch_write_frames(&job, 1, test.input, test.frame, nullptr, stream.get()), "scaling");
    stream.synchronize();
    const double computed = seconds();
    downloader.copy(out.data(), depth.data(), frame * sizeof(float), stream);
    downloader.flush();
    const double ended = seconds();
    if (i < kWarmUp) continue;
    uploads.push_back(uploaded - filled);
    downloads.push_back(ended - computed);
    whole.push_back(ended - started);
  }
  for (size_t i = 0; i < frame; i++) {
    if (std::abs(depth[i] - expected[i]) <= 1e-4f) continue;
    std::fprintf(stderr, "FAILED %s: value %zu is %g, its reference %g\n", test.name, i,
                 static_cast<double>(depth[i]), static_cast<double>(expected[i]));
    std::exit(1);
  }
  const auto gbs = [](size_t bytes, double taken) { return static_cast<double>(bytes) / taken / 1e9; };
  return {gbs(rgb.size(), median(uploads)),
          gbs(rgb.size(), plain_copy(rgb.size(), cudaMemcpyHostToDevice, stream)),
          gbs(frame * sizeof(float), median(downloads)),
          gbs(frame * sizeof(float), plain_copy(frame * sizeof(float), cudaMemcpyDeviceToHost, stream)),
          1000 * median(whole)};
}

} // namespace

int main(int argc, char** argv) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::printf("SKIP: no CUDA device\n");
    return 77;
  }
  const Case cases[] = {{"518x518", {518, 518}, {518, 518}},
                        {"1920x1080", {1920, 1080}, {924, 518}},
                        {"3840x2160", {3840, 2160}, {924, 518}}};
  std::string json = "[";
  for (const Case& test : cases) {
    const Result result = measure(test);
    std::printf(
        "%-10s frame %.3f ms, upload %.1f of %.1f GB/s, download to the caller's array %.1f of %.1f GB/s\n",
        test.name, result.frame_ms, result.upload_gbs, result.upload_limit_gbs, result.download_gbs,
        result.download_limit_gbs);
    char line[256];
    std::snprintf(line, sizeof line,
                  "%s{\"frame\":\"%s\",\"frameMs\":%.4f,\"uploadGBs\":%.3f,\"uploadLimitGBs\":%.3f,"
                  "\"downloadGBs\":%.3f,\"downloadLimitGBs\":%.3f}",
                  json.size() > 1 ? "," : "", test.name, result.frame_ms, result.upload_gbs,
                  result.upload_limit_gbs, result.download_gbs, result.download_limit_gbs);
    json += line;
  }
  if (argc == 3 && std::strcmp(argv[1], "--json") == 0) std::ofstream(argv[2]) << json << "]\n";
  return 0;
}

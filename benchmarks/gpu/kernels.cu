// Owns: measuring our kernels' bandwidth at real sizes, against a copy on the same device in the same run.
// Must not know: TensorRT, Node.js; whether results are right, which video_depth_kernel_tests says.
//
// video_depth_kernel_bench [--json FILE]; 77 where there is no CUDA device.

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "cuda/failure.h"
#include "cuda/kernels.h"
#include "cuda/memory.h"
#include "report.h"

namespace {

using namespace video_depth::cuda;
using bench::Figure;
using video_depth::PictureView;
using video_depth::PixelFormat;

constexpr int kSkipped = 77;
constexpr int kRuns = 60;
constexpr int kWarmUps = 5;
/// A run goes through copies of the data that together are larger than any cache.
constexpr double kWorkingSet = 512e6;
constexpr int kMostCopies = 128;

constexpr Extent kMaps[] = {{518, 518}, {924, 518}};
constexpr Extent kFrames[] = {{1920, 1080}, {3840, 2160}};

size_t area(Extent size) {
  return static_cast<size_t>(size.width) * static_cast<size_t>(size.height);
}

std::string text(Extent size) {
  return std::to_string(size.width) + "x" + std::to_string(size.height);
}

/// Copies of one kernel's inputs and outputs, each aligned to 256 bytes.
class Copies {
 public:
  Copies(double bytes, const std::vector<size_t>& parts) : parts_(parts) {
    count_ = std::min(kMostCopies, std::max(1, static_cast<int>(kWorkingSet / bytes)));
    for (const size_t part : parts) {
      pitches_.push_back((part + 255) / 256 * 256);
      buffers_.emplace_back(pitches_.back() * static_cast<size_t>(count_));
      // Small positive floats, as maps hold; as bytes they are a picture.
      check(cudaMemset(buffers_.back().data(), 0x3c, buffers_.back().bytes()), "filling memory");
    }
  }

  int count() const { return count_; }
  template <class T>
  T* at(size_t part, int copy) const {
    return reinterpret_cast<T*>(buffers_[part].as<char>() + pitches_[part] * static_cast<size_t>(copy));
  }

 private:
  std::vector<size_t> parts_, pitches_;
  std::vector<DeviceBuffer> buffers_;
  int count_ = 1;
};

class Bench {
 public:
  /// @param launch runs once on the given copy
  void measure(const std::string& kernel, const std::string& size, double bytes, int copies,
               const std::function<cudaError_t(int, cudaStream_t)>& launch) {
    std::vector<double> times;
    for (int run = -kWarmUps; run < kRuns; run++) {
      start_.record(stream_);
      for (int copy = 0; copy < copies; copy++) check(launch(copy, stream_.get()), kernel.c_str());
      end_.record(stream_);
      end_.synchronize();
      if (run >= 0) times.push_back(1e3 * static_cast<double>(end_.milliseconds_since(start_)) / copies);
    }
    std::sort(times.begin(), times.end());
    figures.push_back({kernel, size, bytes, times[times.size() / 2], times[times.size() * 95 / 100]});
  }

  std::vector<Figure> figures;

 private:
  Stream stream_;
  Event start_{true}, end_{true};
};

void bench_copy(Bench& bench) {
  constexpr size_t bytes = size_t{256} << 20;
  const Copies memory(2.0 * bytes, {bytes, bytes});
  bench.measure("device-to-device copy", "256 MiB", 2.0 * bytes, memory.count(),
                [&](int copy, cudaStream_t stream) {
                  return cudaMemcpyAsync(memory.at<void>(1, copy), memory.at<void>(0, copy), bytes,
                                         cudaMemcpyDeviceToDevice, stream);
                });
}

void bench_preprocess(Bench& bench) {
  struct NamedFormat {
    const char* name;
    PixelFormat format;
  };
  for (const NamedFormat& format :
       {NamedFormat{"rgb24", PixelFormat::kRgb24}, {"nv12", PixelFormat::kNv12}}) {
    for (const Extent frame : kFrames) {
      for (const Extent map : kMaps) {
        PictureView picture{nullptr,       0,
                            frame.width,   frame.height,
                            format.format, video_depth::row_bytes(format.format, frame.width)};
        picture.length = video_depth::picture_bytes(picture);
        const size_t out = 3 * area(map) * sizeof(uint16_t);
        // In a far larger picture only four rows are read for each row of the result.
        const double looked_at = std::min(1.0, 4.0 * map.height / frame.height);
        const double bytes = static_cast<double>(picture.length) * looked_at + static_cast<double>(out);
        const Copies memory(bytes, {picture.length, out});
        bench.measure(std::string("preprocess ") + format.name, text(frame) + " -> " + text(map) + " float16",
                      bytes, memory.count(), [&](int copy, cudaStream_t stream) {
                        picture.data = memory.at<uint8_t>(0, copy);
                        return launch_preprocess(picture, memory.at<void>(1, copy), Element::kFloat16, map,
                                                 stream);
                      });
      }
    }
  }
}

void bench_frames(Bench& bench) {
  for (const Extent frame : kFrames) {
    for (const Extent map : kMaps) {
      const double map_bytes = 4.0 * static_cast<double>(area(map));
      const double frame_bytes = 4.0 * static_cast<double>(area(frame));
      const Copies memory(map_bytes + 2 * frame_bytes,
                          {4 * area(map), 4 * area(frame), 4 * area(frame), sizeof(DeviceFit)});
      const std::string size = text(map) + " -> " + text(frame);
      const auto run = [&](const char* name, double bytes, bool is_blended) {
        bench.measure(name, size, bytes, memory.count(), [&, is_blended](int copy, cudaStream_t stream) {
          const FrameJob job{memory.at<float>(0, copy), is_blended ? memory.at<float>(1, copy) : nullptr,
                             memory.at<float>(2, copy), 0.25};
          return launch_write_frames(&job, 1, map, frame, memory.at<DeviceFit>(3, copy), stream);
        });
      };
      run("write frame, new", map_bytes + frame_bytes, false);
      run("write frame, blended", map_bytes + 2 * frame_bytes, true);
      const double fit_bytes = map_bytes + frame_bytes;
      const Copies scratch(fit_bytes, {fit_scratch_bytes(frame), sizeof(DeviceFit)});
      bench.measure("fit, 2 pairs", size, 2 * fit_bytes, memory.count(), [&](int copy, cudaStream_t stream) {
        const FitPair pairs[] = {{memory.at<float>(0, copy), memory.at<float>(1, copy)},
                                 {memory.at<float>(0, copy), memory.at<float>(2, copy)}};
        return launch_fit(pairs, 2, map, frame, scratch.at<void>(0, 0), scratch.at<DeviceFit>(1, 0), stream);
      });
    }
  }
}

void bench_maps(Bench& bench) {
  for (const Extent map : kMaps) {
    const size_t values = area(map);
    const double bytes = 4.0 * static_cast<double>(values);
    const Copies batch(32 * bytes, {32 * 4 * values, 32 * sizeof(MapHealth)});
    bench.measure(
        "health, 32 maps", text(map), 32 * bytes, batch.count(), [&](int copy, cudaStream_t stream) {
          return launch_health(batch.at<float>(0, copy), 32, values, batch.at<MapHealth>(1, copy), stream);
        });
    const Copies pair(2 * bytes, {4 * values, 4 * values, fit_scratch_bytes(map), sizeof(DeviceFit)});
    bench.measure("map fit, 2 passes", text(map), 4 * bytes, pair.count(),
                  [&](int copy, cudaStream_t stream) {
                    return launch_map_fit(pair.at<float>(0, copy), pair.at<float>(1, copy), values,
                                          pair.at<void>(2, copy), pair.at<DeviceFit>(3, copy), stream);
                  });
  }
}

void bench_convert(Bench& bench) {
  struct NamedType {
    const char* name;
    OutputType type;
    size_t bytes;
  };
  for (const NamedType& type : {NamedType{"convert to float32", OutputType::kFloat32, 4},
                                {"convert to float16", OutputType::kFloat16, 2},
                                {"convert to uint16", OutputType::kUint16, 2}}) {
    for (const Extent frame : kFrames) {
      const size_t values = area(frame);
      const double bytes = static_cast<double>(values * (4 + type.bytes));
      const Copies memory(bytes, {4 * values, type.bytes * values});
      bench.measure(type.name, text(frame), bytes, memory.count(), [&](int copy, cudaStream_t stream) {
        return launch_convert(memory.at<float>(0, copy), memory.at<void>(1, copy), type.type, values, 1, 0,
                              stream);
      });
    }
  }
}

void bench_blocks(Bench& bench) {
  // A window's gather: 32 slots of the 37 x 37 x 384 float16 map of the S network.
  const size_t block = size_t{37} * 37 * 384 * 2;
  const double bytes = 2.0 * 32 * static_cast<double>(block);
  const Copies memory(bytes, {32 * block, 32 * block});
  bench.measure("copy blocks, 32", std::to_string(block) + " bytes each", bytes, memory.count(),
                [&](int copy, cudaStream_t stream) {
                  BlockCopy copies[32];
                  for (size_t i = 0; i < 32; i++) {
                    copies[i] = {memory.at<char>(0, copy) + i * block, memory.at<char>(1, copy) + i * block};
                  }
                  return launch_copy_blocks(copies, 32, block, stream);
                });
  constexpr int pixels = 74 * 74, slots = 32, width = 64;
  constexpr size_t state = size_t{pixels} * width * 2;
  for (const int written : {1, 31}) {
    const double moved = static_cast<double>(state) * (1 + written);
    const Copies states(moved, {state, state * slots});
    bench.measure("write state", "74x74x64 float16, " + std::to_string(written) + " slots", moved,
                  states.count(), [&](int copy, cudaStream_t stream) {
                    return launch_write_state(states.at<void>(0, copy), states.at<void>(1, copy),
                                              Element::kFloat16, pixels, slots, width, 1, 1, written, nullptr,
                                              stream);
                  });
  }
}

bench::Machine machine() {
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, 0), "reading the device's properties");
  bench::Machine machine{properties.name,
                         std::to_string(properties.major) + "." + std::to_string(properties.minor),
                         0,
                         0,
                         properties.multiProcessorCount,
                         static_cast<size_t>(properties.l2CacheSize)};
  check(cudaDriverGetVersion(&machine.driver), "reading the driver's version");
  check(cudaRuntimeGetVersion(&machine.runtime), "reading the runtime's version");
  return machine;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 1 && (argc != 3 || std::strcmp(argv[1], "--json") != 0)) {
    std::fprintf(stderr, "Expected nothing or --json FILE for the arguments, received others\n");
    return 2;
  }
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::printf("SKIP: no CUDA device, so nothing was measured\n");
    return kSkipped;
  }
  try {
    Bench bench;
    bench_copy(bench);
    bench_preprocess(bench);
    bench_frames(bench);
    bench_maps(bench);
    bench_convert(bench);
    bench_blocks(bench);
    bench::print_table(machine(), bench.figures);
    if (argc == 3) bench::write_json(argv[2], machine(), bench.figures);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}

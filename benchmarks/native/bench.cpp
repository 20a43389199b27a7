// Owns: timing the core's CPU kernels at the sizes of a 720p video: median and 95th percentile of warm runs.
// Must not know: the network, Node.js.
//
// cmake -S . -B build-native -DVIDEO_DEPTH_ADDON=OFF -DVIDEO_DEPTH_BENCHMARKS=ON
// cmake --build build-native && build-native/benchmarks/native/video_depth_bench [threads] [runs]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "image/bilinear.h"
#include "image/preprocess.h"
#include "parallel.h"
#include "stitch/stitcher.h"

namespace {

using video_depth::FrameView;
using video_depth::MapView;

constexpr int kFrameWidth = 1280, kFrameHeight = 720;
constexpr int kMapWidth = 924, kMapHeight = 518;
constexpr size_t kFrameValues = size_t{kFrameWidth} * kFrameHeight;
constexpr size_t kMapValues = size_t{kMapWidth} * kMapHeight;

struct Settings {
  int threads = 1;
  int runs = 25;
};

/// `bytes`: what one run must at least read and write; the rate is theirs.
void report(const char* name, double bytes, const Settings& settings, const std::function<void()>& run) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (int i = -2; i < settings.runs; i++) {
    const auto start = Clock::now();
    run();
    if (i >= 0) times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  const double best = times.front();
  const double p50 = times[times.size() / 2];
  const double p95 = times[times.size() * 95 / 100];
  std::printf("%-44s threads %d  best %7.2f ms  p50 %7.2f ms  p95 %7.2f ms  %6.2f GB/s\n", name,
              settings.threads, best, p50, p95, bytes / p50 / 1e6);
}

std::vector<float> noise(size_t count, uint32_t seed) {
  std::vector<float> values(count);
  for (float& value : values)
    value = static_cast<float>((seed = seed * 1664525u + 1013904223u) >> 8) / 16777216.0f;
  return values;
}

void bench_preprocess(const Settings& settings) {
  std::vector<uint8_t> frame(kFrameValues * 3);
  for (size_t i = 0; i < frame.size(); i++) frame[i] = static_cast<uint8_t>(i * 2654435761u >> 24);
  std::vector<float> out(kMapValues * 3);
  const double bytes = static_cast<double>(frame.size() + out.size() * sizeof(float));
  report("preprocess 1280x720 -> 924x518", bytes, settings, [&] {
    video_depth::preprocess({frame.data(), frame.size(), kFrameWidth, kFrameHeight, size_t{kFrameWidth} * 3},
                            {out.data(), out.size(), kMapWidth, kMapHeight}, settings.threads);
  });
}

void bench_upsample(const Settings& settings) {
  const video_depth::BilinearGeometry geometry(kMapWidth, kMapHeight, kFrameWidth, kFrameHeight);
  const std::vector<float> map = noise(kMapValues, 1);
  std::vector<float> out(kFrameValues);
  const double bytes = static_cast<double>((map.size() + out.size()) * sizeof(float));
  report("upsample 924x518 -> 1280x720", bytes, settings, [&] {
    video_depth::parallel_rows(kFrameHeight, settings.threads, [&](const video_depth::RowChunk& chunk) {
      std::vector<float> scratch(video_depth::UpsampledRows::scratch_size(geometry));
      video_depth::UpsampledRows rows(geometry, map.data(), scratch.data());
      for (int y = chunk.begin; y < chunk.end; y++) {
        video_depth::write_scaled(rows.row(y), 1, 0,
                                  out.data() + size_t{kFrameWidth} * static_cast<size_t>(y), kFrameWidth);
      }
    });
  });
}

void bench_sums(const Settings& settings) {
  const std::vector<float> low = noise(kFrameWidth, 1), high = noise(kFrameWidth, 2),
                           target = noise(kFrameValues, 3);
  video_depth::FitSums sums;
  const double bytes = static_cast<double>(2 * kFrameValues * sizeof(float));
  report("alignment sums, 2 frames of 1280x720", bytes, settings, [&] {
    for (int pair = 0; pair < 2; pair++) {
      for (size_t y = 0; y < kFrameHeight; y++) {
        sums += video_depth::sum_row({low.data(), high.data(), 0.25f, 0.75f}, target.data() + y * kFrameWidth,
                                     kFrameWidth);
      }
    }
  });
  if (!(sums.pp > 0)) std::abort();
}

/// A window in the middle of a video: 2 aligned, 8 blended, 22 appended, 8 held back, 1 remembered.
void bench_window(const Settings& settings) {
  video_depth::Stitcher stitcher({kMapWidth, kMapHeight, kFrameWidth, kFrameHeight, settings.threads});
  std::vector<std::vector<float>> maps, frames;
  for (uint32_t i = 0; i < 32; i++) maps.push_back(noise(kMapValues, i));
  for (int i = 0; i < 24; i++) frames.emplace_back(kFrameValues);
  std::vector<MapView> map_views;
  for (const auto& map : maps) map_views.push_back({map.data(), map.size()});
  std::vector<FrameView> all, out;
  for (auto& frame : frames) all.push_back({frame.data(), frame.size()});
  out.assign(all.begin(), all.begin() + 22);

  video_depth::StitchStep first;
  first.append = {0, 32};
  first.hold = 8;
  first.remember = {{0, 0}, {12, 12}};
  stitcher.stitch(map_views, first, all);
  int64_t key = 12;
  const double bytes = static_cast<double>(sizeof(float)) *
                       (34.0 * kMapValues + (2 + 8 + 8 + 22 + 1) * static_cast<double>(kFrameValues));
  report("stitch a window of 32 to 1280x720", bytes, settings, [&] {
    video_depth::StitchStep step;
    step.align = {{0, 0}, {1, key}};
    step.blend = {2, 8};
    step.append = {10, 22};
    step.hold = 8;
    step.forget = {key};
    step.remember = {{12, key += 22}};
    stitcher.stitch(map_views, step, out);
  });
}

} // namespace

int main(int argc, char** argv) {
  Settings settings;
  if (argc > 1) settings.threads = std::max(1, std::atoi(argv[1]));
  if (argc > 2) settings.runs = std::max(1, std::atoi(argv[2]));
  bench_preprocess(settings);
  bench_upsample(settings);
  bench_sums(settings);
  bench_window(settings);
  return 0;
}

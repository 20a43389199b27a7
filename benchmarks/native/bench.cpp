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
#include <string>
#include <vector>

#include "image/content.h"
#include "image/pixel_format.h"
#include "image/preprocess.h"
#include "image/upsample.h"
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

/// Noise in a frame's layout.
struct Picture {
  Picture(video_depth::PixelFormat format, uint32_t seed)
      : view{nullptr, 0, kFrameWidth, kFrameHeight, format, video_depth::row_bytes(format, kFrameWidth)} {
    for (const float value : noise(video_depth::picture_bytes(view), seed)) {
      data.push_back(static_cast<uint8_t>(value * 256));
    }
    view.data = data.data();
    view.length = data.size();
  }

  std::vector<uint8_t> data;
  video_depth::PictureView view;
};

struct NamedFormat {
  const char* name;
  video_depth::PixelFormat format;
};

constexpr NamedFormat kFormats[] = {
    {"rgb24", video_depth::PixelFormat::kRgb24}, {"bgr24", video_depth::PixelFormat::kBgr24},
    {"rgba", video_depth::PixelFormat::kRgba},   {"gray8", video_depth::PixelFormat::kGray8},
    {"nv12", video_depth::PixelFormat::kNv12},   {"yuyv422", video_depth::PixelFormat::kYuyv422}};

void bench_preprocess(const Settings& settings) {
  std::vector<float> out(kMapValues * 3);
  for (const NamedFormat& format : {kFormats[0], kFormats[4]}) {
    const Picture picture(format.format, 1);
    const double bytes = static_cast<double>(picture.data.size() + out.size() * sizeof(float));
    const std::string name = std::string("preprocess 1280x720 ") + format.name + " -> 924x518";
    report(name.c_str(), bytes, settings, [&] {
      video_depth::preprocess(picture.view, {out.data(), out.size(), kMapWidth, kMapHeight},
                              settings.threads);
    });
  }
}

void bench_conversions(const Settings& settings) {
  std::vector<uint8_t> out(kFrameValues * 3);
  for (const NamedFormat& format : kFormats) {
    const Picture picture(format.format, 1);
    const double bytes = static_cast<double>(picture.data.size() + out.size());
    const std::string name = std::string("convert 1280x720 ") + format.name + " -> RGB";
    report(name.c_str(), bytes, settings,
           [&] { video_depth::to_rgb(picture.view, out.data(), out.size(), settings.threads); });
  }
}

/// On one thread, whatever the settings.
void bench_content(const Settings& settings) {
  for (const NamedFormat& format : {kFormats[0], kFormats[4]}) {
    const Picture pictures[] = {{format.format, 1}, {format.format, 2}};
    video_depth::ContentMeter meter;
    size_t turn = 0;
    const std::string name = std::string("content difference 1280x720 ") + format.name;
    report(name.c_str(), static_cast<double>(pictures[0].data.size()), {1, settings.runs},
           [&] { meter.measure(pictures[turn++ % 2].view); });
  }
}

void bench_upsample(const Settings& settings) {
  const std::vector<float> map = noise(kMapValues, 1);
  std::vector<float> out(kFrameValues);
  const double bytes = static_cast<double>((map.size() + out.size()) * sizeof(float));
  report("upsample 924x518 -> 1280x720", bytes, settings, [&] {
    video_depth::upsample({map.data(), map.size(), kMapWidth, kMapHeight},
                          {out.data(), out.size(), kFrameWidth, kFrameHeight}, 1, 0, settings.threads);
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
  bench_conversions(settings);
  bench_content(settings);
  bench_upsample(settings);
  bench_sums(settings);
  bench_window(settings);
  return 0;
}

// Owns: what tests of windows and of the engine share: a small video's session and its calls.
// Must not know: what is tested.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gpu_support.h"

namespace test {

using video_depth::FrameView;
using video_depth::StitchResult;
using video_depth::StitchStep;
using video_depth::gpu::DecodeResult;
using video_depth::gpu::WindowSession;

constexpr int kWindow = 4, kSlots = 6;
constexpr int kFrameWidth = 37, kFrameHeight = 23;
constexpr size_t kMapValues = size_t{kInputWidth} * kInputHeight;
constexpr size_t kFrameValues = size_t{kFrameWidth} * kFrameHeight;

using Windows = std::shared_ptr<Held<WindowSession>>;

struct Batches {
  int encoder = 3, decoder = 2;
};

inline Windows open_windows(Bench& bench, const SmallNetwork& network, Batches batches = {}) {
  const video_depth::gpu::WindowPlans plans{bench.plan(network.encoder(batches.encoder)),
                                            bench.plan(network.temporal_head(kWindow)),
                                            bench.plan(network.depth_decoder(batches.decoder))};
  return bench.open<WindowSession>([&bench, plans] {
    return std::make_shared<WindowSession>(
        bench.engine->lanes(), plans, video_depth::gpu::WindowOptions{{kFrameWidth, kFrameHeight}, kSlots});
  });
}

inline void encode(Bench& bench, const Windows& windows, uint8_t grey, int slot) {
  windows->get().fill(Grey(kFrameWidth, kFrameHeight, grey).view);
  bench
      .submit(windows,
              [slot](WindowSession& session) -> Epilogue {
                session.encode(slot);
                return nullptr;
              })
      .wait();
}

inline DecodeResult decode(Bench& bench, const Windows& windows, std::vector<int> slots,
                           std::vector<int> wanted) {
  DecodeResult result;
  bench.submit(windows, [&](WindowSession& session) { return session.decode(slots, wanted, result); }).wait();
  return result;
}

inline std::vector<std::vector<float>> read_maps(Bench& bench, const Windows& windows,
                                                 const std::vector<int>& positions) {
  std::vector<std::vector<float>> maps(positions.size(), std::vector<float>(kMapValues));
  std::vector<FrameView> views;
  for (std::vector<float>& map : maps) views.push_back({map.data(), map.size()});
  bench.submit(windows, [&](WindowSession& session) { return session.read_maps(positions, views); }).wait();
  return maps;
}

} // namespace test

// Owns: the runs of streams' plans: by batch, what they pass from plan to plan, and the memories of all rows
// that they read. Must not know: frames, which stream has which row.

#include "gpu/stream_runs.h"

#include <algorithm>
#include <string>

#include "cuda/failure.h"
#include "error.h"

namespace video_depth::gpu {

namespace {

/// Bytes; everything that TensorRT is bound to starts at a multiple of it.
constexpr size_t kAlignment = 256;

} // namespace

std::vector<std::pair<size_t, int>> plan_runs(const std::vector<int>& batches, const std::vector<int>& due,
                                              int rows) {
  std::vector<bool> is_due(static_cast<size_t>(rows));
  for (const int row : due) is_due[static_cast<size_t>(row)] = true;
  std::vector<std::pair<size_t, int>> runs;
  for (size_t index = batches.size(); index-- > 0;) {
    const int batch = batches[index];
    for (int base = 0; base + batch <= rows; base += batch) {
      const auto first = is_due.begin() + base;
      const auto count = std::count(first, first + batch, true);
      if (2 * count <= batch && batch > 1) continue;
      if (count == 0) continue;
      runs.emplace_back(index, base);
      std::fill(first, first + batch, false);
    }
  }
  return runs;
}

StreamRuns::StreamRuns(DeviceLanes& lanes, StreamPlans plans, int rows)
    : lanes_(lanes),
      plans_(std::move(plans)),
      ports_(network_ports(*plans_.encoders.front(), *plans_.steps.front(), *plans_.depth_decoders.front())),
      states_(state_ports(*plans_.steps.front())) {
  for (const StatePort& state : states_) {
    strides_.push_back((state.memory_bytes + kAlignment - 1) / kAlignment * kAlignment);
    if (strides_.back() != state.memory_bytes && plans_.batches.size() > 1) {
      throw Error("openStreams", "memories of multiples of 256 bytes for batches above 1",
                  "port " + state.remembered, std::to_string(state.memory_bytes));
    }
    memories_.emplace_back(strides_.back() * static_cast<size_t>(rows));
    memory_bytes_ += state.memory_bytes;
    // A row that is not due is computed along, and slots that are not seen are multiplied by 0: they must
    // hold numbers.
    cuda::check(cudaMemsetAsync(memories_.back().data(), 0, memories_.back().bytes(), lanes_.compute.get()),
                "clearing memory");
  }
  for (size_t i = 0; i < plans_.batches.size(); i++) {
    by_batch_.push_back(new_lane(i));
    Lane& lane = by_batch_.back();
    for (int base = 0; base + lane.batch <= rows; base += lane.batch) lane.steps[base] = new_step(i, base);
  }
  // When all of them are there, the scratch block has its size, and no recording is lost again.
  for (const Lane& lane : by_batch_) {
    lane.encoder->warm_up(lanes_.compute);
    for (const auto& [base, step] : lane.steps) step->warm_up(lanes_.compute);
    lane.decoder->warm_up(lanes_.compute);
  }
}

StreamRuns::Lane StreamRuns::new_lane(size_t index) const {
  Lane lane{};
  lane.batch = plans_.batches[index];
  const auto batch = static_cast<size_t>(lane.batch);
  const auto seen = static_cast<size_t>(states_.front().slots) + 1;
  lane.pixels = cuda::DeviceBuffer(ports_.pixels.item_bytes * batch);
  for (int i = 0; i < kLayers; i++) lane.layers[i] = cuda::DeviceBuffer(ports_.layers[i].item_bytes * batch);
  lane.path3 = cuda::DeviceBuffer(ports_.path3.item_bytes * batch);
  lane.depth = cuda::DeviceBuffer(ports_.depth.item_bytes * batch);
  lane.positions = cuda::DeviceBuffer(seen * sizeof(int64_t) * batch);
  lane.mask = cuda::DeviceBuffer(seen * sizeof(float) * batch);
  for (const StatePort& state : states_) lane.states.emplace_back(state.state_bytes * batch);
  for (const cuda::DeviceBuffer* buffer : {&lane.pixels, &lane.positions, &lane.mask}) {
    cuda::check(cudaMemsetAsync(buffer->data(), 0, buffer->bytes(), lanes_.compute.get()), "clearing memory");
  }
  std::vector<Binding> encoder{{"pixels", lane.pixels.data()}};
  for (int i = 0; i < kLayers; i++) encoder.push_back({ports_.layers[i].name, lane.layers[i].data()});
  lane.encoder = std::make_unique<PlanRun>(*plans_.encoders[index], lanes_.scratch, encoder);
  lane.decoder = std::make_unique<PlanRun>(*plans_.depth_decoders[index], lanes_.scratch,
                                           std::vector<Binding>{{"path3", lane.path3.data()},
                                                                {"layer1", lane.layers[0].data()},
                                                                {"layer2", lane.layers[1].data()},
                                                                {"depth", lane.depth.data()}});
  return lane;
}

std::unique_ptr<PlanRun> StreamRuns::new_step(size_t index, int base) const {
  const Lane& lane = by_batch_[index];
  std::vector<Binding> bindings{{"layer3", lane.layers[2].data()},
                                {"layer4", lane.layers[3].data()},
                                {"positions", lane.positions.data()},
                                {"mask", lane.mask.data()},
                                {"path3", lane.path3.data()}};
  for (size_t i = 0; i < states_.size(); i++) {
    bindings.push_back({states_[i].remembered, memory(i, base)});
    bindings.push_back({states_[i].state, lane.states[i].data()});
  }
  return std::make_unique<PlanRun>(*plans_.steps[index], lanes_.scratch, bindings);
}

void StreamRuns::run(size_t index, int base) {
  const Lane& lane = by_batch_[index];
  lane.encoder->run(lanes_.compute);
  lane.steps.at(base)->run(lanes_.compute);
  lane.decoder->run(lanes_.compute);
}

} // namespace video_depth::gpu

// Owns: the runs of streams' plans: by batch, what they pass from plan to plan, and the memories of all rows
// that they read. Must not know: frames, which stream has which row.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "gpu/device.h"
#include "gpu/ports.h"

namespace video_depth::gpu {

struct StreamPlans {
  /// Frames a run of each; ascending powers of 2 from 1.
  std::vector<int> batches;
  /// One for each batch.
  std::vector<std::shared_ptr<tensorrt::Plan>> encoders, steps, depth_decoders;
};

/// An item of a batch, or a row.
template <class T>
T* item_at(const cuda::DeviceBuffer& buffer, size_t item_bytes, int index) {
  return reinterpret_cast<T*>(buffer.as<char>() + item_bytes * static_cast<size_t>(index));
}

/// The memories of all rows lie one after another, so that a run over neighbouring rows reads them where they
/// are.
class StreamRuns {
 public:
  /// What runs of one batch pass from plan to plan.
  struct Lane {
    int batch;
    cuda::DeviceBuffer pixels, layers[kLayers], path3, depth, positions, mask;
    /// One for each temporal attention, [batch, pixels, width].
    std::vector<cuda::DeviceBuffer> states;
    std::unique_ptr<PlanRun> encoder, decoder;
    /// By first row: the memories are part of what a step's run is bound to.
    std::map<int, std::unique_ptr<PlanRun>> steps;
  };

  /// Makes every run that there can be, and warms it up. Throws Error where plans do not fit together,
  /// GpuFailure.
  StreamRuns(DeviceLanes& lanes, StreamPlans plans, int rows);

  const NetworkPorts& ports() const { return ports_; }
  const std::vector<StatePort>& states() const { return states_; }
  const std::vector<int>& batches() const { return plans_.batches; }
  const Lane& lane(size_t index) const { return by_batch_[index]; }

  /// Queues encoder, step and decoder of one batch for the rows from `base` on.
  void run(size_t index, int base);

  /// One attention's memory of a row, [pixels, slots, width].
  void* memory(size_t state, int row) const { return item_at<void>(memories_[state], strides_[state], row); }
  /// Bytes for all attentions of a row.
  size_t memory_bytes() const { return memory_bytes_; }

 private:
  Lane new_lane(size_t index) const;
  std::unique_ptr<PlanRun> new_step(size_t index, int base) const;

  DeviceLanes& lanes_;
  StreamPlans plans_;
  NetworkPorts ports_;
  std::vector<StatePort> states_;
  /// One for each temporal attention, [rows, pixels, slots, width], rows `strides_` bytes apart.
  std::vector<cuda::DeviceBuffer> memories_;
  std::vector<size_t> strides_;
  size_t memory_bytes_ = 0;
  std::vector<Lane> by_batch_;
};

/// Which runs serve these rows: (index of the batch, first row). A run of more rows than are due is taken
/// where more than half of its rows are.
std::vector<std::pair<size_t, int>> plan_runs(const std::vector<int>& batches, const std::vector<int>& due,
                                              int rows);

} // namespace video_depth::gpu

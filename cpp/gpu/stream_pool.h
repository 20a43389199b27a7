// Owns: several streams of one network size on the device: their memories, and how their steps run together.
// Must not know: which earlier frames a stream sees, when steps are due, Node.js. Everything but `fill` is
// for the device thread.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "gpu/device.h"
#include "gpu/download.h"
#include "gpu/ports.h"
#include "gpu/upload.h"
#include "stitch/map_fit.h"
#include "stitch/step.h"

namespace video_depth::gpu {

struct StreamPlans {
  /// Frames a run of each; ascending powers of 2 from 1.
  std::vector<int> batches;
  /// One for each batch.
  std::vector<std::shared_ptr<tensorrt::Plan>> encoders, steps, depth_decoders;
};

/// See NativeStepEntry in lib/native-gpu-types.ts.
struct StepEntry {
  int row;
  cuda::Extent frame;
  std::vector<int64_t> positions;
  /// 0 where the slot is seen, −infinity where not.
  std::vector<float> mask;
  std::vector<int> write;
  bool fit;
  /// No data: `finish` is called afterwards.
  FrameView out;
};

struct StepResult {
  uint64_t non_finite = 0;
  bool is_flat = false;
  MapFit fit{{}, 0};
  float preprocess_ms = 0, infer_ms = 0, post_ms = 0;
};

struct FinishOptions {
  double scale, shift;
  bool keep;
  cuda::Extent frame;
};

/// Rows of all buffers lie one after another, so that a run over neighbouring rows needs no copy. A row has
/// at most one call under way.
class StreamPool {
 public:
  StreamPool(DeviceLanes& lanes, StreamPlans plans, int rows);
  StreamPool(const StreamPool&) = delete;
  StreamPool& operator=(const StreamPool&) = delete;
  ~StreamPool();

  /// On the caller's thread.
  void fill(int row, const PictureView& picture) { rows_[static_cast<size_t>(row)].cell.fill(picture); }

  /// @param results of the entries, in their order; written by the epilogue
  Epilogue step(std::vector<StepEntry> entries, std::vector<StepResult>& results);
  Epilogue finish(int row, const FinishOptions& options, FrameView out, float& post_ms);
  /// @param memory memory_bytes of them; @param reference empty, or [input height, input width]
  Epilogue export_state(int row, char* memory, FrameView reference);
  Epilogue import_state(int row, const char* memory, const float* reference);

  int row_count() const { return static_cast<int>(rows_.size()); }
  size_t memory_bytes() const { return memory_bytes_; }
  size_t map_values() const { return ports_.depth.item_bytes / sizeof(float); }
  int slots() const { return states_.front().slots; }

 private:
  /// What only one stream has.
  struct Row {
    UploadCell cell;
    /// At the frame's size.
    cuda::DeviceBuffer frame;
    /// The last map, and the one that later maps are fitted to.
    cuda::DeviceBuffer map, reference;
    bool has_reference = false;
  };

  /// What runs of one batch pass from plan to plan.
  struct Lane {
    int batch;
    cuda::DeviceBuffer pixels, layers[kLayers], path3, depth, positions, mask;
    /// Of each temporal attention, [batch, pixels, width].
    std::vector<cuda::DeviceBuffer> states;
    std::unique_ptr<PlanRun> encoder, decoder;
    /// By first row: the memories are part of what a step's run is bound to.
    std::map<int, std::unique_ptr<PlanRun>> steps;
  };

  struct Marks;

  void warm_up();
  Lane new_lane(size_t index);
  PlanRun& step_run(size_t index, int base);
  void check(const std::vector<StepEntry>& entries) const;
  void check_row(int row, const char* operation) const;
  /// Everything that may need memory, before anything is queued. Throws NothingBegun.
  void reserve(const std::vector<StepEntry>& entries, const std::vector<std::pair<size_t, int>>& runs);
  void reserve_frame(int row, cuda::Extent frame);
  void run(size_t index, int base, const std::vector<const StepEntry*>& entries, Marks& marks);
  void prepare(Lane& lane, int position, const StepEntry& entry);
  void conclude(const Lane& lane, int position, const StepEntry& entry);
  void remember(const Lane& lane, int position, const StepEntry& entry);
  void write_frame(int row, cuda::Extent frame, const cuda::DeviceFit* fit, cuda::Stream& stream);

  template <class T>
  static T* at(const cuda::DeviceBuffer& buffer, size_t item_bytes, int index) {
    return reinterpret_cast<T*>(buffer.as<char>() + item_bytes * static_cast<size_t>(index));
  }

  DeviceLanes& lanes_;
  StreamPlans plans_;
  NetworkPorts ports_;
  std::vector<StatePort> states_;
  size_t memory_bytes_ = 0;

  std::vector<Row> rows_;
  std::vector<Lane> lanes_by_batch_;
  /// Of each temporal attention, [rows, pixels, slots, width], rows `strides_` bytes apart.
  std::vector<cuda::DeviceBuffer> memories_;
  std::vector<size_t> strides_;
  cuda::DeviceBuffer health_, fits_, finish_fits_, fit_scratch_;
  cuda::PinnedBuffer host_health_, host_fits_;
  Downloader downloader_;
  cuda::Event uploaded_;
};

/// Which runs serve these rows: (index of the batch, first row). A run of more rows than are due is taken
/// where more than half of its rows are.
std::vector<std::pair<size_t, int>> plan_runs(const std::vector<int>& batches, const std::vector<int>& due,
                                              int rows);

} // namespace video_depth::gpu

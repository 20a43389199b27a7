// Owns: several streams of one network size on the device: a step of some of them, what each has for itself.
// Must not know: which earlier frames a stream sees, when steps are due, Node.js. Everything but `fill` is
// for the device thread.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "gpu/device.h"
#include "gpu/download.h"
#include "gpu/ports.h"
#include "gpu/stream_runs.h"
#include "gpu/upload.h"
#include "stitch/map_fit.h"
#include "stitch/step.h"

namespace video_depth::gpu {

/// See NativeStepEntry in lib/native/gpu-types.ts.
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

/// A row has at most one call under way.
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
  /// Has read both when it returns.
  Epilogue import_state(int row, const char* memory, const float* reference);

  int row_count() const { return static_cast<int>(rows_.size()); }
  size_t memory_bytes() const { return runs_.memory_bytes(); }
  size_t map_values() const { return ports().depth.item_bytes / sizeof(float); }
  int slots() const { return states().front().slots; }

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

  using Lane = StreamRuns::Lane;
  struct Marks;

  const NetworkPorts& ports() const { return runs_.ports(); }
  const std::vector<StatePort>& states() const { return runs_.states(); }
  void check(const std::vector<StepEntry>& entries) const;
  void check_row(int row, const char* operation) const;
  /// Everything that may need memory, before anything is queued. Throws NothingBegun.
  void reserve(const std::vector<StepEntry>& entries);
  void reserve_frame(int row, cuda::Extent frame);
  void run(size_t index, int base, const std::vector<const StepEntry*>& entries, Marks& marks);
  void prepare(const Lane& lane, int position, const StepEntry& entry);
  void conclude(const Lane& lane, int position, const StepEntry& entry);
  void remember(const Lane& lane, int position, const StepEntry& entry);
  void write_frame(int row, cuda::Extent frame, const cuda::DeviceFit* fit, cuda::Stream& stream);

  DeviceLanes& lanes_;
  StreamRuns runs_;
  std::vector<Row> rows_;
  cuda::DeviceBuffer health_, fits_, finish_fits_, fit_scratch_;
  cuda::PinnedBuffer host_health_, host_fits_;
  Downloader downloader_;
  cuda::Event uploaded_;
};

} // namespace video_depth::gpu

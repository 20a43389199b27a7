// Owns: one video on the device: feature slots, a window's buffers, the order of its plans, its stitching.
// Must not know: which frames a window has, Node.js. Everything but `fill` and `times` is for the device
// thread.
#pragma once

#include <memory>
#include <vector>

#include "gpu/buffer_pool.h"
#include "gpu/device.h"
#include "gpu/device_stitcher.h"
#include "gpu/download.h"
#include "gpu/phase_clock.h"
#include "gpu/ports.h"
#include "gpu/upload.h"
#include "stitch/align.h"

namespace video_depth::gpu {

struct WindowPlans {
  std::shared_ptr<tensorrt::Plan> encoder, temporal_head, depth_decoder;
};

struct WindowOptions {
  cuda::Extent frame;
  int slots;
};

struct DecodeResult {
  uint64_t non_finite = 0;
  /// Positions.
  std::vector<int> flat;
};

class WindowSession {
 public:
  /// Throws Error where plans or options do not fit together, GpuFailure.
  WindowSession(DeviceLanes& lanes, WindowPlans plans, const WindowOptions& options);
  WindowSession(const WindowSession&) = delete;
  WindowSession& operator=(const WindowSession&) = delete;
  ~WindowSession();

  /// On the caller's thread: takes the picture into the cell that the last `encode` left free.
  void fill(const PictureView& picture) { cells_[next_cell_].cell.fill(picture); }

  /// Queues what `fill` took, and the encoder where its batch is full; returns when the next cell is free.
  void encode(int slot);

  // No two of decode and readMaps overlap, nor two of stitch: each begins after the last one's epilogue has
  // run.

  /// Queues the rest of the encoder's batch, the temporal head over `slots`, and the depth decoder for
  /// `wanted`.
  /// @returns tells the result; runs on the completing thread
  Epilogue decode(const std::vector<int>& slots, const std::vector<int>& wanted, DecodeResult& result);

  /// Queues a step. `out` belongs to the caller and is written by the epilogue.
  Epilogue stitch(const StitchStep& step, std::vector<FrameView> out, StitchResult& result);

  /// @param out [input height, input width] for each position
  Epilogue read_maps(const std::vector<int>& positions, std::vector<FrameView> out);

  int held() const { return stitcher_.held(); }
  PhaseTimes times() const { return clock_.times(); }
  int slots() const { return options_.slots; }
  int window() const { return window_; }
  size_t frame_values() const { return stitcher_.frame_values(); }
  size_t map_values() const;

 private:
  struct Cell {
    UploadCell cell;
    cuda::Event uploaded, read;
  };

  void run_encoder();
  void run_head(const std::vector<int>& slots);
  void run_decoder(const std::vector<int>& slots, const std::vector<int>& wanted);
  void copy_blocks(const std::vector<cuda::BlockCopy>& copies, size_t bytes);
  /// Throws Error unless all are slots that were filled.
  void check_slots(const std::vector<int>& slots) const;
  void check_positions(const std::vector<int>& positions, const char* parameter) const;

  char* slot(int layer, int index) const;
  float* map(int position) const;

  DeviceLanes& lanes_;
  WindowPlans plans_;
  WindowOptions options_;
  NetworkPorts ports_;
  int window_;

  std::vector<Cell> cells_;
  size_t next_cell_ = 0;

  // One encoder batch, and the slots of the frames in it so far.
  cuda::DeviceBuffer pixels_, encoded_[kLayers];
  std::vector<int> batch_;

  cuda::DeviceBuffer slots_[kLayers];
  std::vector<bool> is_filled_;

  // The temporal head's window, and one decoder batch.
  cuda::DeviceBuffer head_layer3_, head_layer4_, path3_;
  cuda::DeviceBuffer decoder_path3_, decoder_layer1_, decoder_layer2_, depth_;
  /// [window, input height, input width]
  cuda::DeviceBuffer maps_;
  cuda::DeviceBuffer health_, fit_;
  cuda::PinnedBuffer host_health_, host_fit_;
  /// By position.
  std::vector<bool> has_map_;
  /// Maps of the last decode, by position; filled by its epilogue.
  std::shared_ptr<std::vector<cuda::MapHealth>> map_health_;

  std::unique_ptr<PlanRun> encoder_, head_, decoder_;
  DeviceStitcher stitcher_;
  BufferPool leaving_;
  Downloader downloader_;
  PhaseClock clock_;
  cuda::Event decoded_{false, cuda::Wait::kSleep}, stitched_;
};

} // namespace video_depth::gpu

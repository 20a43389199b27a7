// Owns: what a thread does that writes frames: kColumns columns of kStripRows rows of one frame.
// Must not know: CUDA's headers, launches.
#pragma once

#include "cuda/bodies/pack.h"
#include "cuda/bodies/widened.h"
#include "cuda/kernel_types.h"
#include "host_device.h"

namespace video_depth::cuda {

constexpr int kFrameThreads = 128;
constexpr int kStripRows = 4;

struct FrameTask {
  FrameTask(const FrameJob* from, int count, Extent map, Extent frame, const DeviceFit* fit)
      : upsampling(map, frame), fit(fit) {
    for (int i = 0; i < count; i++) {
      const FrameJob& job = from[i];
      jobs[i] = {job.map,
                 job.held,
                 job.out,
                 job.scale,
                 static_cast<float>(1 - job.weight),
                 static_cast<float>(job.weight),
                 job.if_left_out};
      is_wide = is_wide && is_aligned(job.out, sizeof(float) * kWide) &&
                is_aligned(job.held, sizeof(float) * kWide);
    }
    is_wide = is_wide && frame.width % kWide == 0;
  }

  struct Job {
    const float* map;
    const float* held;
    float* out;
    double* scale;
    float held_weight, new_weight;
    int if_left_out;
  };

  VIDEO_DEPTH_HOST_DEVICE bool is_written(const Job& job) const {
    return job.if_left_out < 0 || (fit->left_out >> job.if_left_out & 1) != 0;
  }
  /// The map alone, whatever was held.
  VIDEO_DEPTH_HOST_DEVICE bool is_new(const Job& job) const {
    return job.held == nullptr || (fit != nullptr && fit->is_anew != 0);
  }

  Upsampling upsampling;
  const DeviceFit* fit;
  /// Rows of all frames can be read and written as packs.
  bool is_wide = true;
  Job jobs[kMostFrameJobs];
};

template <int kColumns>
VIDEO_DEPTH_HOST_DEVICE inline void write_new_frame(const FrameTask& task, const FrameTask::Job& job, int x,
                                                    int y_begin, int y_end,
                                                    const Pack<float, kColumns>* held) {
  const float scale = task.fit == nullptr ? 1.0f : static_cast<float>(task.fit->scale);
  const float shift = task.fit == nullptr ? 0.0f : static_cast<float>(task.fit->shift);
  const auto width = static_cast<size_t>(task.upsampling.frame.width);
  const bool is_new = task.is_new(job);
  WidenedColumns<kColumns> columns(task.upsampling, job.map, x);
  for (int r = 0; r < kStripRows; r++) {
    const int y = y_begin + r;
    if (y >= y_end) return;
    Pack<float, kColumns> out;
    columns.row(y, out.value);
    for (int i = 0; i < kColumns; i++) {
      const float scaled = out.value[i] * scale + shift;
      const float value = scaled < 0.0f ? 0.0f : scaled;
      out.value[i] = is_new ? value : job.held_weight * held[r].value[i] + job.new_weight * value;
    }
    store_pack<kColumns>(job.out + static_cast<size_t>(y) * width + static_cast<size_t>(x), out);
  }
}

template <int kColumns>
VIDEO_DEPTH_HOST_DEVICE inline void write_frame_strip(const FrameTask& task, int tile, int strip,
                                                      int job_index, int thread) {
  const Extent frame = task.upsampling.frame;
  const FrameTask::Job& job = task.jobs[job_index];
  const int x = (tile * kFrameThreads + thread) * kColumns;
  const int y_begin = strip * kStripRows;
  if (!task.is_written(job)) return;
  if (job.scale != nullptr && tile == 0 && strip == 0 && thread == 0) *job.scale = task.fit->scale;
  if (x >= frame.width || (job.map == nullptr && job.held == job.out)) return;
  const int y_end = y_begin + kStripRows < frame.height ? y_begin + kStripRows : frame.height;
  const auto at = [&](int r) {
    return static_cast<size_t>(y_begin + r) * static_cast<size_t>(frame.width) + static_cast<size_t>(x);
  };
  // All is read before anything is written, so that the reads overlap: out may be held, which a compiler must
  // heed.
  Pack<float, kColumns> held[kStripRows] = {};
  for (int r = 0; r < kStripRows; r++) {
    if (job.held != nullptr && y_begin + r < y_end) held[r] = load_pack<kColumns>(job.held + at(r));
  }
  if (job.map != nullptr) return write_new_frame(task, job, x, y_begin, y_end, held);
  for (int r = 0; r < kStripRows; r++) {
    if (y_begin + r < y_end) store_pack<kColumns>(job.out + at(r), held[r]);
  }
}

} // namespace video_depth::cuda

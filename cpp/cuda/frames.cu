// Owns: writing frames.
// Must not know: windows, streams of video.

#include "cuda/kernels.h"
#include "cuda/launch.cuh"
#include "cuda/launch_checks.h"
#include "cuda/widened.cuh"

namespace video_depth::cuda {

namespace {

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

  __device__ bool is_written(const Job& job) const {
    return job.if_left_out < 0 || (fit->left_out >> job.if_left_out & 1) != 0;
  }
  /// The map alone, whatever was held.
  __device__ bool is_new(const Job& job) const {
    return job.held == nullptr || (fit != nullptr && fit->is_anew != 0);
  }

  Upsampling upsampling;
  const DeviceFit* fit;
  /// Rows of all frames can be read and written as packs.
  bool is_wide = true;
  Job jobs[kMostFrameJobs];
};

template <int kColumns>
__device__ void write_new_frame(const FrameTask& task, const FrameTask::Job& job, int x, int y_begin,
                                int y_end, const Pack<float, kColumns>* held) {
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

/// A thread writes kColumns columns of kStripRows rows of one frame.
template <int kColumns>
__global__ void __launch_bounds__(kFrameThreads) frames_kernel(const FrameTask __grid_constant__ task) {
  const Extent frame = task.upsampling.frame;
  const FrameTask::Job& job = task.jobs[blockIdx.z];
  const auto x = static_cast<int>((blockIdx.x * kFrameThreads + threadIdx.x) * kColumns);
  const auto y_begin = static_cast<int>(blockIdx.y) * kStripRows;
  if (!task.is_written(job)) return;
  if (job.scale != nullptr && x == 0 && y_begin == 0) *job.scale = task.fit->scale;
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

template <int kColumns>
cudaError_t launch_frames(const FrameTask& task, int count, cudaStream_t stream) {
  const Extent frame = task.upsampling.frame;
  const dim3 blocks(grid_side(static_cast<size_t>(frame.width), kFrameThreads * kColumns),
                    grid_side(static_cast<size_t>(frame.height), kStripRows), static_cast<unsigned>(count));
  return launch(frames_kernel<kColumns>, {blocks, kFrameThreads}, stream, task);
}

} // namespace

cudaError_t launch_write_frames(const FrameJob* jobs, int count, Extent map, Extent frame,
                                const DeviceFit* fit, cudaStream_t stream) {
  if (!write_frames_fits(jobs, count, map, frame, fit)) return cudaErrorInvalidValue;
  if (count == 0) return cudaSuccess;
  const FrameTask task(jobs, count, map, frame, fit);
  return task.is_wide ? launch_frames<kWide>(task, count, stream) : launch_frames<1>(task, count, stream);
}

} // namespace video_depth::cuda

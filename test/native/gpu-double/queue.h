// Owns: what tests and the other doubles ask of the CUDA double: queueing work, and making things go wrong.
// Must not know: TensorRT, our kernels. Every function may be called from any thread.
#pragma once

#include <cuda_runtime_api.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace gpu_double {

/// Queues `work` as a kernel launch would be: it runs on the stream's own thread, or is recorded where the
/// stream is being captured. What it points to must live until then, as on a device. An error is also the
/// thread's last error.
cudaError_t enqueue(cudaStream_t stream, std::function<void()> work);

/// What has been made and not freed.
struct Live {
  size_t allocations = 0, pinned = 0, streams = 0, events = 0, graphs = 0, executables = 0;
};
Live live();
size_t total(const Live& live);

/// One healthy device, no faults, nothing counted. Frees what a lost context left; call it with no work under
/// way.
void reset();

/// The n-th allocation from now, of device or pinned memory, finds no memory. 1: the next.
void fail_allocation(int nth);
/// Memory of the device; allocations beyond it fail.
void set_memory(size_t bytes);
/// The n-th launch from now (enqueue or cudaGraphLaunch) returns `error`.
void fail_launch(cudaError_t error, int nth = 1);
/// The n-th asynchronous copy from now returns `error`.
void fail_copy(cudaError_t error, int nth = 1);
/// During the n-th capture from now another thread synchronizes the device, which ends the capture. 1: the
/// next.
void disturb_capture(int nth);
/// From now on every call returns `error`, and queued work is not carried out: the context is lost.
void lose_context(cudaError_t error);
/// 0: cudaErrorNoDevice.
void set_devices(int count);
/// CUDA's number; below 13000, and for 0 (no driver), every call returns cudaErrorInsufficientDriver.
void set_driver(int version);
/// Every launch takes this much longer on its stream.
void set_delay(std::chrono::milliseconds delay);

/// Launches carried out so far, those of graphs included.
size_t launches_done();

/// A misuse that the real thing would not report: tests expect none.
void report_fault(const std::string& fault);
std::vector<std::string> faults();

} // namespace gpu_double

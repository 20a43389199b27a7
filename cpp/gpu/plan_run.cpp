// Owns: running one plan on fixed addresses: the scratch memory that all runs share, and the CUDA graph of a
// run. Must not know: what the plan computes.

#include "gpu/plan_run.h"

#include "cuda/failure.h"

namespace video_depth::gpu {

void Scratch::require(size_t bytes) {
  if (bytes <= block_.bytes()) return;
  stream_.synchronize();
  const size_t before = block_.bytes();
  block_ = {}; // first: both at once may not fit
  generation_++;
  try {
    block_ = cuda::DeviceBuffer(bytes);
  } catch (const GpuFailure& failure) {
    if (before > 0 && !failure.is_lasting()) block_ = cuda::DeviceBuffer(before); // the other runs go on
    throw;
  }
}

PlanRun::PlanRun(tensorrt::Plan& plan, Scratch& scratch, const std::vector<Binding>& bindings)
    : scratch_(scratch), scratch_bytes_(plan.scratch_bytes()), execution_(plan.new_execution()) {
  for (const Binding& binding : bindings) execution_->bind(binding.port, binding.address);
  scratch_.require(scratch_bytes_);
}

PlanRun::~PlanRun() {
  forget_graph();
}

void PlanRun::run(cuda::Stream& stream) {
  if (!has_run_ || generation_ != scratch_.generation()) {
    forget_graph();
    scratch_.require(scratch_bytes_); // there again where it could not be had meanwhile
    execution_->set_scratch(scratch_.data(), scratch_.bytes());
    generation_ = scratch_.generation();
    has_run_ = true;
    return execution_->enqueue(stream.get());
  }
  if (graph_ == nullptr && (cannot_record_ || !record(stream))) return execution_->enqueue(stream.get());
  cuda::check(cudaGraphLaunch(graph_, stream.get()), "launching a CUDA graph");
}

void PlanRun::warm_up(cuda::Stream& stream) {
  run(stream);
  run(stream);
}

/// Nothing is run yet. Other threads' calls do not disturb a recording in thread-local mode.
bool PlanRun::record(cuda::Stream& stream) {
  cudaGraph_t recorded = nullptr;
  cuda::check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal),
              "recording a CUDA graph");
  bool is_queued = true;
  try {
    execution_->enqueue(stream.get());
  } catch (const GpuFailure&) {
    is_queued = false; // some tactics cannot be recorded
  }
  const cudaError_t ended = cudaStreamEndCapture(stream.get(), &recorded);
  const bool is_recorded = is_queued && ended == cudaSuccess && recorded != nullptr &&
                           cudaGraphInstantiate(&graph_, recorded, 0) == cudaSuccess;
  if (recorded != nullptr) cudaGraphDestroy(recorded);
  if (is_recorded) return true;
  graph_ = nullptr;
  cannot_record_ = true;
  cudaGetLastError(); // or the next check would find it
  return false;
}

void PlanRun::forget_graph() {
  if (graph_ != nullptr) cudaGraphExecDestroy(graph_);
  graph_ = nullptr;
}

} // namespace video_depth::gpu

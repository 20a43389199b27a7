// Owns: running one plan on fixed addresses: the scratch memory that all runs share, and the CUDA graph of a
// run. Must not know: what the plan computes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/memory.h"
#include "tensorrt/interface.h"

namespace video_depth::gpu {

/// One block for all runs on one stream: they never overlap there.
class Scratch {
 public:
  explicit Scratch(cuda::Stream& stream) : stream_(stream) {}

  /// Makes room; waits for the stream where the block must move.
  void require(size_t bytes);
  void* data() const { return block_.data(); }
  size_t bytes() const { return block_.bytes(); }
  /// Changes whenever the block moves.
  uint64_t generation() const { return generation_; }

 private:
  cuda::Stream& stream_;
  cuda::DeviceBuffer block_;
  uint64_t generation_ = 0;
};

/// Where a port's values lie.
struct Binding {
  std::string port;
  void* address;
};

/// The first run is queued call by call, the second is recorded as a CUDA graph, which all later ones launch.
/// Where recording fails, and after the scratch block moved, call by call again.
class PlanRun {
 public:
  /// @param bindings of every port
  PlanRun(tensorrt::Plan& plan, Scratch& scratch, const std::vector<Binding>& bindings);
  PlanRun(const PlanRun&) = delete;
  PlanRun& operator=(const PlanRun&) = delete;
  ~PlanRun();

  void run(cuda::Stream& stream);
  /// Two runs on whatever its inputs hold, so that neither a first run nor a recording falls into live work.
  void warm_up(cuda::Stream& stream);

 private:
  bool record(cuda::Stream& stream);
  void forget_graph();

  Scratch& scratch_;
  size_t scratch_bytes_;
  std::unique_ptr<tensorrt::Execution> execution_;
  cudaGraphExec_t graph_ = nullptr;
  uint64_t generation_ = 0;
  bool has_run_ = false;
  bool cannot_record_ = false;
};

} // namespace video_depth::gpu

// Owns: the state of the CUDA double.
// Must not know: TensorRT, our kernels.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include "queue.h"

namespace gpu_double {

struct Item {
  std::function<void()> run;
  /// Marks and waits are carried out even where the context is lost, so that nothing waits for ever.
  bool is_mark = false;
};

/// Streams that join it while it is recorded append to one list: the order of the calls is one that keeps
/// every dependency.
struct Capture {
  std::mutex mutex;
  std::vector<Item> items;
  std::vector<cudaStream_t> streams;
  std::thread::id thread;
  bool is_valid = true;
};

struct EventState {
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t recorded = 0, completed = 0;
  std::chrono::steady_clock::time_point when;
  /// Recorded last while this was captured: the event then says nothing of the device.
  std::shared_ptr<Capture> capture;
};

/// Counts down to a fault.
struct Fault {
  std::atomic<int> countdown{0};
  std::atomic<cudaError_t> error{cudaSuccess};
  /// cudaSuccess, or the error that is due now.
  cudaError_t take();
  void set(cudaError_t what, int nth);
};

struct State {
  std::mutex mutex;
  std::unordered_map<void*, size_t> allocations, pinned;
  /// Shared, as one thread may wait for a stream that another destroys.
  std::map<cudaStream_t, std::shared_ptr<CUstream_st>> streams;
  std::set<cudaEvent_t> events;
  std::set<cudaGraph_t> graphs;
  std::set<cudaGraphExec_t> executables;
  std::vector<std::string> faults;
  size_t memory = 0, memory_used = 0;

  Fault allocation, launch, copy;
  std::atomic<cudaError_t> lasting{cudaSuccess};
  std::atomic<int> devices{1}, driver{13000};
  std::atomic<int64_t> delay_ms{0};
  /// Captures until the one that is disturbed; 0: none is.
  std::atomic<int> captures_to_disturbed{0};
  std::atomic<size_t> launches_done{0};
  /// The context is lost with the launch of this number; 0: never.
  std::atomic<size_t> last_launch{0};
};

/// Never destroyed: threads may outlive main.
State& state();

/// What a process is started with: README.md lists the variables.
void read_environment(State& state);

/// Sets the thread's last error.
cudaError_t done(cudaError_t status);
/// What every call returns first: no driver, no device, or a lost context.
cudaError_t usable();
/// Also refuses calls that the capture of this thread forbids, and invalidates it, as CUDA does.
cudaError_t usable_outside_capture();

std::shared_ptr<EventState> event_state(cudaEvent_t event);
/// The capture that a stream is part of; null: none.
std::shared_ptr<Capture> capture_of(cudaStream_t stream);
void set_capture(cudaStream_t stream, std::shared_ptr<Capture> capture);
bool is_known(cudaStream_t stream);
/// Returns when all that was queued on any stream has ended, also where the context is lost.
void finish_all();
cudaError_t push(cudaStream_t stream, Item item);

} // namespace gpu_double

struct CUstream_st {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<gpu_double::Item> items;
  std::shared_ptr<gpu_double::Capture> capture;
  bool is_busy = false, is_ending = false;
  std::thread thread;
};

struct CUevent_st {
  bool is_timed = true;
  std::shared_ptr<gpu_double::EventState> state = std::make_shared<gpu_double::EventState>();
};

struct CUgraph_st {
  std::vector<gpu_double::Item> items;
};

struct CUgraphExec_st {
  std::shared_ptr<const std::vector<gpu_double::Item>> items;
};

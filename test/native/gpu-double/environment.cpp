// Owns: the CUDA double's controls for processes that have no hold of it: environment variables.
// Must not know: what is run.

#include <cstdio>
#include <cstdlib>

#include "state.h"

namespace gpu_double {
namespace {

long long number(const char* name, long long otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

void report() {
  const Live left = live();
  std::fprintf(stderr,
               "gpu double: %zu live (%zu allocations, %zu pinned, %zu streams, %zu events, %zu graphs, %zu "
               "executables), %zu faults\n",
               total(left), left.allocations, left.pinned, left.streams, left.events, left.graphs,
               left.executables, faults().size());
  for (const std::string& fault : faults()) std::fprintf(stderr, "gpu double: fault: %s\n", fault.c_str());
}

} // namespace

void read_environment(State& state) {
  state.devices = static_cast<int>(number("GPU_DOUBLE_DEVICES", 1));
  state.driver = static_cast<int>(number("GPU_DOUBLE_DRIVER", state.driver));
  state.memory = static_cast<size_t>(number("GPU_DOUBLE_MEMORY", static_cast<long long>(state.memory)));
  state.delay_ms = number("GPU_DOUBLE_DELAY_MS", 0);
  state.allocation.set(cudaErrorMemoryAllocation, static_cast<int>(number("GPU_DOUBLE_FAIL_ALLOCATION", 0)));
  state.captures_to_disturbed = static_cast<int>(number("GPU_DOUBLE_DISTURB_CAPTURE", 0));
  state.last_launch = static_cast<size_t>(number("GPU_DOUBLE_LOSE_CONTEXT_AFTER_LAUNCHES", 0));
  if (number("GPU_DOUBLE_REPORT", 0) != 0) std::atexit(report);
}

} // namespace gpu_double

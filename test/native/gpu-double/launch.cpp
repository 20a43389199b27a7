// Owns: kernels' launches on a processor: one grid at a time, one block after another.
// Must not know: kernels, how a block's threads take turns.

#include "launch.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <random>

#include "cuda/launch.cuh"
#include "fibres.h"
#include "state.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace video_depth::cuda {

/// All that a launch may ask for without asking for more.
uint4 dynamic_words[3072];

} // namespace video_depth::cuda

// The linker's; absent where no variable lies there.
extern "C" {
extern char __start_gpu_double_shared[] __attribute__((weak, visibility("hidden")));
extern char __stop_gpu_double_shared[] __attribute__((weak, visibility("hidden")));
}

namespace gpu_double {
namespace {

using video_depth::cuda::dynamic_words;

constexpr unsigned kMostBlockThreads = 1024;
constexpr unsigned kMostSide = 65535;

struct Grids {
  /// Held while a grid runs.
  std::mutex mutex;
  std::atomic<Order> order{Order::kForward};
  std::mt19937 random;
  Launched launched;
};

Grids& grids() {
  static auto* const all = new Grids;
  return *all;
}

size_t product(const dim3& sides) {
  return size_t{sides.x} * sides.y * sides.z;
}

/// The limits of every architecture that kernels are built for. Our blocks have one side.
bool is_possible(const cudaLaunchConfig_t& config) {
  const dim3 &grid = config.gridDim, &block = config.blockDim;
  return product(grid) > 0 && grid.x <= INT32_MAX && grid.y <= kMostSide && grid.z <= kMostSide &&
         block.x >= 1 && block.x <= kMostBlockThreads && block.y == 1 && block.z == 1 &&
         config.dynamicSmemBytes <= sizeof dynamic_words;
}

template <class Number>
void put_in_order(Order order, std::vector<Number>& numbers) {
  if (order == Order::kReverse) std::reverse(numbers.begin(), numbers.end());
  if (order == Order::kRandom) std::shuffle(numbers.begin(), numbers.end(), grids().random);
}

/// A block finds NaN where it has not written, and nothing behind what it asked for.
void spoil_shared_memory([[maybe_unused]] size_t dynamic_bytes) {
  const auto section = static_cast<size_t>(__stop_gpu_double_shared - __start_gpu_double_shared);
  if (section > 0) std::memset(__start_gpu_double_shared, 0xff, section);
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(dynamic_words, sizeof dynamic_words);
#endif
  std::memset(dynamic_words, 0xff, dynamic_bytes);
#if defined(__SANITIZE_ADDRESS__)
  auto* const all = reinterpret_cast<char*>(dynamic_words);
  __asan_poison_memory_region(all + dynamic_bytes, sizeof dynamic_words - dynamic_bytes);
#endif
}

void run_grid(const cudaLaunchConfig_t& config, Order order, const std::function<void()>& thread) {
  const std::lock_guard<std::mutex> lock(grids().mutex);
  const dim3 grid = config.gridDim;
  gridDim = grid;
  blockDim = config.blockDim;
  Team team;
  team.order = [order](std::vector<unsigned>& threads) { put_in_order(order, threads); };
  team.enter = [](unsigned number) { threadIdx = {number, 0, 0}; };
  team.run = thread;
  std::vector<size_t> blocks(product(grid));
  std::iota(blocks.begin(), blocks.end(), size_t{0});
  put_in_order(order, blocks);
  for (const size_t block : blocks) {
    const size_t row = block / grid.x;
    blockIdx = {static_cast<unsigned>(block % grid.x), static_cast<unsigned>(row % grid.y),
                static_cast<unsigned>(row / grid.y)};
    spoil_shared_memory(config.dynamicSmemBytes);
    if (!run_team(team, blockDim.x)) report_fault("some threads of a block ended before a barrier of others");
  }
  grids().launched.grids++;
  grids().launched.threads += blocks.size() * blockDim.x;
}

} // namespace

void set_order(Order order) {
  const std::lock_guard<std::mutex> lock(grids().mutex);
  grids().order = order;
  grids().random.seed(1);
}

Launched launched() {
  const std::lock_guard<std::mutex> lock(grids().mutex);
  return grids().launched;
}

cudaError_t launch(const cudaLaunchConfig_t& config, std::function<void()> thread) {
  if (!is_possible(config)) return done(cudaErrorInvalidConfiguration);
  return enqueue(config.stream, [config, order = grids().order.load(), thread = std::move(thread)] {
    run_grid(config, order, thread);
  });
}

} // namespace gpu_double

void __syncthreads() {
  gpu_double::wait_for_team();
}

// Owns: running the kernel tests with real launches on the double, with blocks and threads in several orders.
// Must not know: a kernel.

#include "gpu-double/launch.h"
#include "kernels/harness.h"
#include "tensorrt_support.h"

using namespace video_depth;

namespace {

void run_all_in(gpu_double::Order order) {
  const test::Device device;
  gpu_double::set_order(order);
  for (const kernel_test::Group& group : kernel_test::groups()) {
    CAPTURE(group.name);
    kernel_test::Tally tally;
    group.run(tally);
    CHECK(tally.checks() > 0);
    CHECK(tally.failures() == 0);
  }
  gpu_double::set_order(gpu_double::Order::kForward);
}

} // namespace

TEST_CASE("kernels do what their CPU references do: threads in order") {
  run_all_in(gpu_double::Order::kForward);
}

TEST_CASE("kernels do what their CPU references do: threads in reverse order") {
  run_all_in(gpu_double::Order::kReverse);
}

TEST_CASE("kernels do what their CPU references do: threads in random order") {
  run_all_in(gpu_double::Order::kRandom);
}

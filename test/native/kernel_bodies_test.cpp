// Owns: running the kernel tests on what kernels' threads do, with the threads one after another on the CPU.
// Must not know: CUDA's headers, a kernel.

#include <doctest/doctest.h>

#include "kernels/harness.h"

TEST_CASE("kernels' threads do what the CPU references do") {
  for (const kernel_test::Group& group : kernel_test::groups()) {
    CAPTURE(group.name);
    kernel_test::Tally tally;
    group.run(tally);
    CHECK(tally.checks() > 0);
    CHECK(tally.failures() == 0);
  }
}

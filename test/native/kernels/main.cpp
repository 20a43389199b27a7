// Owns: the kernel tests' entry point: 0 where all held, 1 where not, 77 where there is no CUDA device.
// Must not know: what is tested.

#include <cuda_runtime_api.h>

#include <cstdio>
#include <stdexcept>

#include "kernels/harness.h"

namespace {

constexpr int kSkipped = 77;

} // namespace

int main() {
  int devices = 0;
  const cudaError_t status = cudaGetDeviceCount(&devices);
  if (status != cudaSuccess || devices == 0) {
    std::printf("SKIP: no CUDA device, so no kernel ran (%s)\n",
                status == cudaSuccess ? "none found" : cudaGetErrorString(status));
    return kSkipped;
  }
  try {
    return kernel_test::run_groups() == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::printf("FAILED %s\n", error.what());
    return 1;
  }
}

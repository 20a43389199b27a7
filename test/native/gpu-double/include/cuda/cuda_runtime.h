// Owns: as much of CUDA's language as our kernels use, for an ordinary C++ compiler: a .cu file compiles as
// it is, and its launches run on a processor (launch.h). Must not know: a kernel. CUDA's own header has this
// and much more.
#pragma once

#include <cuda_runtime_api.h>
#include <math.h>

#include <cstring>
#include <functional>
#include <tuple>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)
/// One for all threads of a grid.
#define __grid_constant__ &
/// Of a variable that is static: one for all threads of a block, as only one block runs at a time. Where the
/// address sanitizer does not watch what lies beside it, it lies where it is found and spoilt before each
/// block.
#if defined(__SANITIZE_ADDRESS__)
#define __shared__
#else
#define __shared__ __attribute__((section("gpu_double_shared")))
#endif

struct alignas(16) uint4 {
  unsigned x, y, z, w;
};

struct dim3 {
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
  unsigned x, y, z;
};

/// The thread that runs, as one runs at a time.
extern dim3 threadIdx, blockIdx, blockDim, gridDim;

/// For all threads of a block.
void __syncthreads();

inline int __float_as_int(float value) {
  int bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline unsigned __float_as_uint(float value) {
  return static_cast<unsigned>(__float_as_int(value));
}

template <class T>
T atomicMin(T* at, T value) {
  const T before = *at;
  if (value < before) *at = value;
  return before;
}

template <class T>
T atomicMax(T* at, T value) {
  const T before = *at;
  if (before < value) *at = value;
  return before;
}

inline unsigned long long atomicAdd(unsigned long long* at, unsigned long long value) {
  const unsigned long long before = *at;
  *at += value;
  return before;
}

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
};

namespace gpu_double {

/// Checks the sizes as a device would, and queues the grid. @param thread what each of its threads does
cudaError_t launch(const cudaLaunchConfig_t& config, std::function<void()> thread);

} // namespace gpu_double

/// Arguments are copied, as a real launch does.
template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  const std::tuple<std::decay_t<Parameters>...> kept(arguments...);
  return gpu_double::launch(*config, [kernel, kept] { std::apply(kernel, kept); });
}

// Owns: how the GPU parts report what went wrong.
// Must not know: how a caller shows it.

#include "cuda/failure.h"

namespace video_depth::cuda {

namespace {

/// After these CUDA answers every further call in the process, or on the context, with the same error.
bool is_lasting(cudaError_t status) {
  switch (status) {
    case cudaErrorDevicesUnavailable:
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorContextIsDestroyed:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorMpsClientTerminated:
    case cudaErrorExternalDevice:
    case cudaErrorUnknown:
#if CUDART_VERSION >= 13000
    case cudaErrorContained:
    case cudaErrorTensorMemoryLeak:
#endif
      return true;
    default:
      return false;
  }
}

} // namespace

void check(cudaError_t status, const char* operation) {
  if (status == cudaSuccess) return;
  // Whoever asks for the last error next must not be told this one again.
  cudaGetLastError();
  const std::string message = std::string("CUDA failed at ") + operation + ": " + cudaGetErrorString(status) +
                              " (" + cudaGetErrorName(status) + ")";
  if (status == cudaErrorMemoryAllocation) throw GpuFailure("GPU_OUT_OF_MEMORY", message);
  throw GpuFailure("GPU_FAILED", message, is_lasting(status));
}

} // namespace video_depth::cuda

// Owns: marking functions that the CPU's code and CUDA kernels share.
// Must not know: CUDA's headers.
#pragma once

#if defined(__CUDACC__)
#define VIDEO_DEPTH_HOST_DEVICE __host__ __device__
#else
#define VIDEO_DEPTH_HOST_DEVICE
#endif

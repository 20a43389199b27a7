// Owns: the names of the compiled tables, and the one question to the processor that compilers' built-ins do
// not answer. Must not know: what the tables hold.
#pragma once

#include <cpuid.h>

#include "cpu/kernels.h"

namespace video_depth {

namespace avx2 {
extern const cpu::Kernels kernels;
}
namespace avx_vnni {
extern const cpu::Kernels kernels;
}
namespace avx512_vnni {
extern const cpu::Kernels kernels;
}
namespace avx512_bf16 {
extern const cpu::Kernels kernels;
}

namespace cpu {

/// CPUID leaf 7, sub-leaf 1, EAX bit 4. Where the system keeps the registers of AVX2 it keeps these.
inline bool has_avx_vnni() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & (1U << 4)) != 0;
}

} // namespace cpu
} // namespace video_depth

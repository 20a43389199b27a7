// Owns: which tables of kernels this build has and this processor runs.
// Must not know: what the kernels do.

#include "cpu/kernels.h"

#include <cpuid.h>

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

namespace {

bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/// CPUID's leaf 7, sub-leaf 1, EAX bit 4. The registers are AVX2's, so the system keeps them where it keeps
/// those.
[[maybe_unused]] bool has_avx_vnni() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return has_avx2() && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & (1U << 4)) != 0;
}

[[maybe_unused]] bool has_avx512_vnni() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}

std::vector<const Kernels*> find() {
  std::vector<const Kernels*> found;
  __builtin_cpu_init();
#ifdef VIDEO_DEPTH_HAS_avx512_bf16
  if (has_avx512_vnni() && __builtin_cpu_supports("avx512bf16")) found.push_back(&avx512_bf16::kernels);
#endif
#ifdef VIDEO_DEPTH_HAS_avx512_vnni
  if (has_avx512_vnni()) found.push_back(&avx512_vnni::kernels);
#endif
#ifdef VIDEO_DEPTH_HAS_avx_vnni
  if (has_avx_vnni()) found.push_back(&avx_vnni::kernels);
#endif
#ifdef VIDEO_DEPTH_HAS_avx2
  if (has_avx2()) found.push_back(&avx2::kernels);
#endif
  return found;
}

} // namespace

const std::vector<const Kernels*>& available_kernels() {
  static const std::vector<const Kernels*> available = find();
  return available;
}

} // namespace cpu
} // namespace video_depth

// Owns: which tables of kernels this build has and this processor runs.
// Must not know: what the kernels do.

#include "cpu/kernels.h"

#include "cpu/kernels/sets.h"

namespace video_depth::cpu {

const std::vector<const Kernels*>& available_kernels() {
  static const std::vector<const Kernels*> available = [] {
    std::vector<const Kernels*> found;
    __builtin_cpu_init();
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512vnni");
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (avx512 && __builtin_cpu_supports("avx512bf16")) found.push_back(&avx512_bf16::kernels);
    if (avx512) found.push_back(&avx512_vnni::kernels);
    if (avx2 && has_avx_vnni()) found.push_back(&avx_vnni::kernels);
    if (avx2) found.push_back(&avx2::kernels);
    return found;
  }();
  return available;
}

} // namespace video_depth::cpu

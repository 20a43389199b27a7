// Owns: which tables of kernels this build has and this processor runs.
// Must not know: what the kernels do.

#include "cpu/kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace video_depth {

namespace avx512_bf16 {
extern const cpu::Kernels kernels;
}
namespace avx512_vnni {
extern const cpu::Kernels kernels;
}
namespace avx_vnni {
extern const cpu::Kernels kernels;
}
namespace avx2 {
extern const cpu::Kernels kernels;
}
namespace neon_i8mm {
extern const cpu::Kernels kernels;
}
namespace neon_dotprod {
extern const cpu::Kernels kernels;
}
namespace neon {
extern const cpu::Kernels kernels;
}
namespace portable {
extern const cpu::Kernels kernels;
}

namespace cpu {

namespace {

#if defined(__x86_64__)

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

#elif defined(__aarch64__)

/// Arm's dot products of bytes; its products of signed by unsigned bytes, and bfloat16.
struct Features {
  bool dot_products = false;
  bool mixed_bytes = false;
  bool bfloat16 = false;
};

Features features() {
#if defined(__linux__)
  // Bits of the kernel's ABI (asm/hwcap.h), whose names older headers lack.
  const unsigned long first = getauxval(AT_HWCAP);
  const unsigned long second = getauxval(AT_HWCAP2);
  return {(first & (1UL << 20)) != 0, (second & (1UL << 13)) != 0, (second & (1UL << 14)) != 0};
#elif defined(__APPLE__)
  const auto has = [](const char* name) {
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
  };
  return {has("hw.optional.arm.FEAT_DotProd"), has("hw.optional.arm.FEAT_I8MM"),
          has("hw.optional.arm.FEAT_BF16")};
#else
  return {};
#endif
}

#endif

std::vector<const Kernels*> find() {
  std::vector<const Kernels*> found;
#if defined(__x86_64__)
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
#elif defined(__aarch64__)
  [[maybe_unused]] const Features has = features();
#ifdef VIDEO_DEPTH_HAS_neon_i8mm
  if (has.dot_products && has.mixed_bytes && has.bfloat16) found.push_back(&neon_i8mm::kernels);
#endif
#ifdef VIDEO_DEPTH_HAS_neon_dotprod
  if (has.dot_products) found.push_back(&neon_dotprod::kernels);
#endif
#ifdef VIDEO_DEPTH_HAS_neon
  found.push_back(&neon::kernels);
#endif
#endif
  found.push_back(&portable::kernels);
  return found;
}

} // namespace

const std::vector<const Kernels*>& available_kernels() {
  static const std::vector<const Kernels*> available = find();
  return available;
}

} // namespace cpu
} // namespace video_depth

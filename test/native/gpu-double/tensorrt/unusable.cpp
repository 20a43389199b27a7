// Owns: libnvinfer doubles that nobody can use: of a version that is refused, or with a function missing.
// Must not know: TensorRT's interfaces.

#include <cstdint>

#define ENTRY extern "C" __attribute__((visibility("default")))

ENTRY int32_t getInferLibVersion() noexcept {
  return GPU_DOUBLE_TENSORRT;
}

ENTRY void* createInferBuilder_INTERNAL(void*, int32_t) noexcept {
  return nullptr;
}

#if !defined(GPU_DOUBLE_WITHOUT_RUNTIME)
ENTRY void* createInferRuntime_INTERNAL(void*, int32_t) noexcept {
  return nullptr;
}
#endif

// Owns: the checks that several parts of the core make of their arguments.
// Must not know: whose arguments they are.

#include "checks.h"

#include <cstdint>
#include <string>

#include "bounds.h"
#include "error.h"

namespace video_depth {

namespace {

void check_integer(const char* operation, int value, int most, const char* parameter) {
  if (value >= 1 && value <= most) return;
  throw Error(operation, "an integer from 1 to " + std::to_string(most), parameter, std::to_string(value));
}

} // namespace

void check_side(const char* operation, int value, const char* parameter) {
  check_integer(operation, value, kMaxSide, parameter);
}

void check_threads(const char* operation, int threads, const char* parameter) {
  check_integer(operation, threads, kMaxThreads, parameter);
}

bool overlap(const void* a, size_t a_bytes, const void* b, size_t b_bytes) {
  const auto a_begin = reinterpret_cast<uintptr_t>(a);
  const auto b_begin = reinterpret_cast<uintptr_t>(b);
  return a_begin < b_begin + b_bytes && b_begin < a_begin + a_bytes;
}

} // namespace video_depth

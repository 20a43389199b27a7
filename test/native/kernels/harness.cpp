// Owns: what kernel tests share.
// Must not know: a kernel.

#include "kernels/harness.h"

#include <cmath>

namespace kernel_test {

std::vector<float> noise(size_t count, uint32_t seed) {
  std::vector<float> values(count);
  seed = seed * 2654435761u + 1;
  for (float& value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 8) / 16777216.0f;
  }
  return values;
}

std::vector<uint8_t> noise_bytes(size_t count, uint32_t seed) {
  std::vector<uint8_t> bytes;
  for (const float value : noise(count, seed)) bytes.push_back(static_cast<uint8_t>(value * 256));
  return bytes;
}

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); i++) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0) return false;
  }
  return true;
}

int run_groups() {
  int checks = 0, failures = 0;
  for (const Group& group : groups()) {
    Tally tally;
    group.run(tally);
    std::printf("%-56s %6d checks, %d failed\n", group.name, tally.checks(), tally.failures());
    std::fflush(stdout);
    if (tally.checks() == 0) failures++; // a group that checks nothing
    checks += tally.checks();
    failures += tally.failures();
  }
  std::printf("kernel tests: %d checks, %d failed\n", checks, failures);
  return failures;
}

} // namespace kernel_test

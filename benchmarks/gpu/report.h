// Owns: bandwidth figures as a table for people and as JSON.
// Must not know: how they were measured.
#pragma once

#include <string>
#include <vector>

namespace bench {

struct Machine {
  std::string device;
  std::string compute_capability;
  int driver, runtime;
  int multiprocessors;
  size_t l2_bytes;
};

struct Figure {
  std::string kernel, size;
  /// What one run must at least read and write.
  double bytes;
  /// Microseconds of one run.
  double p50, p95;

  double gigabytes_per_second() const { return bytes / p50 / 1e3; }
  /// A spread that says little about the kernel.
  bool is_doubtful() const { return p95 > 1.2 * p50; }
};

/// @param figures the first one is the copy that the others are compared with
void print_table(const Machine& machine, const std::vector<Figure>& figures);

/// Throws std::runtime_error where the file cannot be written.
void write_json(const std::string& path, const Machine& machine, const std::vector<Figure>& figures);

} // namespace bench

// Owns: bandwidth figures as a table for people and as JSON.
// Must not know: how they were measured.

#include "report.h"

#include <cstdio>
#include <stdexcept>

namespace bench {

namespace {

double percent_of_copy(const Figure& figure, const std::vector<Figure>& figures) {
  return 100 * figure.gigabytes_per_second() / figures.front().gigabytes_per_second();
}

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

/// A JSON string; `text` holds no control characters.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

} // namespace

void print_table(const Machine& machine, const std::vector<Figure>& figures) {
  std::printf("%s, compute capability %s, %d multiprocessors, %zu MiB L2, driver for CUDA %s, runtime %s\n\n",
              machine.device.c_str(), machine.compute_capability.c_str(), machine.multiprocessors,
              machine.l2_bytes >> 20, version_text(machine.driver).c_str(),
              version_text(machine.runtime).c_str());
  std::printf("%-26s %-34s %9s %10s %10s %8s %7s\n", "kernel", "size", "MB", "p50 us", "p95 us", "GB/s",
              "% copy");
  for (const Figure& figure : figures) {
    std::printf("%-26s %-34s %9.2f %10.2f %10.2f %8.1f %6.1f%%%s\n", figure.kernel.c_str(),
                figure.size.c_str(), figure.bytes / 1e6, figure.p50, figure.p95,
                figure.gigabytes_per_second(), percent_of_copy(figure, figures),
                figure.is_doubtful() ? "  wide spread: do not rely on it" : "");
  }
}

void write_json(const std::string& path, const Machine& machine, const std::vector<Figure>& figures) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr)
    throw std::runtime_error("Expected a file that can be written for --json, received " + path);
  std::fprintf(file, "{\n  \"device\": %s,\n  \"computeCapability\": %s,\n", quoted(machine.device).c_str(),
               quoted(machine.compute_capability).c_str());
  std::fprintf(file, "  \"multiprocessors\": %d,\n  \"l2Bytes\": %zu,\n  \"driverCuda\": \"%s\",\n",
               machine.multiprocessors, machine.l2_bytes, version_text(machine.driver).c_str());
  std::fprintf(file, "  \"runtimeCuda\": \"%s\",\n  \"kernels\": [", version_text(machine.runtime).c_str());
  const char* separator = "\n";
  for (const Figure& figure : figures) {
    std::fprintf(file,
                 "%s    {\"kernel\": %s, \"size\": %s, \"bytes\": %.0f, \"p50Us\": %.3f, \"p95Us\": %.3f, "
                 "\"gigabytesPerSecond\": %.2f, \"percentOfCopy\": %.2f, \"doubtful\": %s}",
                 separator, quoted(figure.kernel).c_str(), quoted(figure.size).c_str(), figure.bytes,
                 figure.p50, figure.p95, figure.gigabytes_per_second(), percent_of_copy(figure, figures),
                 figure.is_doubtful() ? "true" : "false");
    separator = ",\n";
  }
  std::fprintf(file, "\n  ]\n}\n");
  const bool failed = std::ferror(file) != 0;
  if (std::fclose(file) != 0 || failed) throw std::runtime_error("Writing " + path + " failed");
}

} // namespace bench

// Owns: what the compiler's library takes from newer C libraries than a prebuilt addon may ask for.
// Must not know: who calls it. Only prebuilt addons have it (scripts/shared/glibc-baseline.mjs).

#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

extern "C" {

/** glibc 2.32. Zero: there may be more threads, so reference counts are atomic. */
char __libc_single_threaded = 0;

/** glibc 2.33; an inline function of the headers before. */
int fstat(int file, struct stat* status) noexcept {
  return static_cast<int>(syscall(SYS_fstat, file, status));
}

/** glibc 2.36: how std::random_device gets its numbers. */
std::uint32_t arc4random() noexcept {
  std::uint32_t number = 0;
  while (getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) continue;
  return number;
}
}

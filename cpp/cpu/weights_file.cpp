// Owns: reading named float32 tensors of a weights file, without keeping them in memory.
// Must not know: what the tensors are for.

#include "cpu/weights_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "error.h"

namespace video_depth::cpu {

namespace {

constexpr const char* kOperation = "load weights";

[[noreturn]] void unreadable(const std::string& path, int code) {
  // Nothing is wrong with the file then.
  if (code == ENOMEM || code == EMFILE || code == ENFILE || code == EAGAIN) {
    throw std::system_error(code, std::generic_category(), "reading weights " + path);
  }
  throw Error(kOperation, "a file that can be read", "weights", path + ": " + std::strerror(code));
}

} // namespace

WeightsFile::WeightsFile(const std::string& path, TensorPlaces tensors)
    : path_(path), tensors_(std::move(tensors)) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) unreadable(path, errno);
  struct stat status {};
  const bool known = fstat(file, &status) == 0 && status.st_size > 0;
  bytes_ = known ? static_cast<size_t>(status.st_size) : 0;
  map_ = known ? mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
  const int code = errno;
  close(file);
  if (!known) throw Error(kOperation, "a file with weights", "weights", path + ": it is empty");
  if (map_ == MAP_FAILED) unreadable(path, code);
}

WeightsFile::~WeightsFile() {
  munmap(map_, bytes_);
}

const float* WeightsFile::tensor(const std::string& name, int64_t count) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw Error(kOperation, "a place for " + name, "tensors", "none");
  if (elements(name) != count) {
    throw Error(kOperation, std::to_string(count) + " elements", "tensor " + name,
                std::to_string(elements(name)));
  }
  const uint64_t size = static_cast<uint64_t>(count) * sizeof(float);
  const uint64_t offset = found->second.offset;
  if (offset % sizeof(float) != 0 || offset > bytes_ || size > bytes_ - offset) {
    throw Error(kOperation, "a place inside " + path_, "tensor " + name, std::to_string(offset));
  }
  return reinterpret_cast<const float*>(static_cast<const char*>(map_) + offset);
}

int64_t WeightsFile::elements(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return 0;
  int64_t elements = 1;
  for (const int64_t extent : found->second.shape) {
    elements *= extent;
    if (elements > static_cast<int64_t>(bytes_)) break; // more than there can be, and never an overflow
  }
  return elements;
}

} // namespace video_depth::cpu

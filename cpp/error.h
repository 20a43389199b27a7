// Owns: how the core reports what it cannot do.
// Must not know: how a caller shows it.
#pragma once

#include <stdexcept>
#include <string>

namespace video_depth {

/// Thrown before anything was changed. `what()` has the house's wording.
class Error : public std::runtime_error {
 public:
  Error(std::string operation, std::string expected, std::string parameter, std::string received)
      : std::runtime_error("Expected " + expected + " for " + parameter + ", received " + received),
        operation_(std::move(operation)),
        expected_(std::move(expected)),
        parameter_(std::move(parameter)),
        received_(std::move(received)) {}

  const std::string& operation() const { return operation_; }
  const std::string& expected() const { return expected_; }
  const std::string& parameter() const { return parameter_; }
  const std::string& received() const { return received_; }

 private:
  std::string operation_;
  std::string expected_;
  std::string parameter_;
  std::string received_;
};

} // namespace video_depth

// Owns: the text that stands for an ONNX file here and lies in a plan: README.md describes it.
// Must not know: TensorRT's interfaces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace gpu_double {

enum class Type { kFloat32, kFloat16, kInt64 };

struct Tensor {
  std::string name;
  bool is_input;
  Type type;
  std::vector<int64_t> shape;

  /// Number of all elements; 0 where a size is dynamic.
  size_t elements() const;
  size_t bytes() const;
  /// Elements of one entry of the first dimension.
  size_t stride() const {
    return shape.empty() || shape[0] <= 0 ? 1 : elements() / static_cast<size_t>(shape[0]);
  }
};

struct Model {
  std::string graph;
  std::vector<Tensor> tensors;
  size_t scratch_bytes = 0;
  /// "parse", "build", "memory", "resource" or "enqueue"
  std::string fail;
  int slow_ms = 0, delay_ms = 0;
  float wrong = 1;
  /// What multiplies outputs of some runs: see is_off.
  float flaky = 1;
  /// The entry of a batch whose outputs are multiplied; none: no entry has this number.
  size_t wrong_slot = SIZE_MAX;
  float slot_wrong = 1;
  bool is_nan = false;
  /// A build ends only when it is cancelled.
  bool is_endless = false;
  /// A build neither ends nor asks whether it is cancelled.
  bool hangs = false;
  /// A build ends the process.
  bool crashes = false;

  const Tensor* find(const std::string& name) const;
};

/// Throws std::runtime_error that names the line.
Model read_model(const std::string& text);

float load(const Tensor& tensor, const void* data, size_t index);
void store(const Tensor& tensor, void* data, size_t index, float value);

/// Whether a flaky plan's run of this number, from 1, goes wrong: about one in four, as if at random.
bool is_off(unsigned run);

/// Everything that `model` computes. @param addresses in the order of model.tensors
/// @param gain multiplies all outputs
void compute(const Model& model, const std::vector<void*>& addresses, float gain);

} // namespace gpu_double

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
  /// "parse", "build", "memory" or "enqueue"
  std::string fail;
  int slow_ms = 0, delay_ms = 0;
  float wrong = 1;
  bool is_nan = false;
  /// A build ends only when it is cancelled.
  bool is_endless = false;

  const Tensor* find(const std::string& name) const;
};

/// Throws std::runtime_error that names the line.
Model read_model(const std::string& text);

float load(const Tensor& tensor, const void* data, size_t index);
void store(const Tensor& tensor, void* data, size_t index, float value);

/// Everything that `model` computes. @param addresses in the order of model.tensors
void compute(const Model& model, const std::vector<void*>& addresses);

} // namespace gpu_double

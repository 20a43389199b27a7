// Owns: see model.h.
// Must not know: TensorRT's interfaces.

#include "model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>
#include <stdexcept>

namespace gpu_double {
namespace {

std::vector<int64_t> read_shape(const std::string& text) {
  std::vector<int64_t> shape;
  std::istringstream in(text);
  for (std::string size; std::getline(in, size, 'x');) shape.push_back(std::stoll(size));
  return shape;
}

Type read_type(const std::string& text) {
  if (text == "float16") return Type::kFloat16;
  if (text == "float32") return Type::kFloat32;
  if (text == "int64") return Type::kInt64;
  throw std::invalid_argument("type");
}

void read_line(Model& model, const std::string& word, std::istringstream& line) {
  if (word == "input" || word == "output") {
    std::string name, type, shape;
    line >> name >> type >> shape;
    model.tensors.push_back({name, word == "input", read_type(type), read_shape(shape)});
  } else if (word == "graph") {
    line >> model.graph;
  } else if (word == "workspace") {
    line >> model.scratch_bytes;
  } else if (word == "fail") {
    line >> model.fail;
  } else if (word == "slow") {
    line >> model.slow_ms;
  } else if (word == "delay") {
    line >> model.delay_ms;
  } else if (word == "wrong") {
    line >> model.wrong;
  } else if (word == "wrong-slot") {
    line >> model.wrong_slot >> model.slot_wrong;
  } else if (word == "flaky") {
    line >> model.flaky;
  } else if (word == "nan") {
    model.is_nan = true;
    return;
  } else if (word == "endless") {
    model.is_endless = true;
    return;
  } else if (word == "hangs") {
    model.hangs = true;
    return;
  } else if (word == "crash") {
    model.crashes = true;
    return;
  } else {
    throw std::invalid_argument("word");
  }
  if (line.fail()) throw std::invalid_argument("value");
}

float from_half(uint16_t half) {
  const int exponent = half >> 10 & 0x1f, mantissa = half & 0x3ff;
  float value;
  if (exponent == 31) {
    value = mantissa == 0 ? HUGE_VALF : NAN;
  } else {
    value = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                          : std::ldexp(static_cast<float>(mantissa | 0x400), exponent - 25);
  }
  return (half & 0x8000) != 0 ? -value : value;
}

/// Rounded to nearest, ties to even.
uint16_t to_half(float value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const float size = std::fabs(value);
  if (std::isnan(value)) return 0x7e00;
  if (size >= 65520.0f) return static_cast<uint16_t>(sign | 0x7c00);
  int exponent;
  std::frexp(size, &exponent);
  // Units in the last place; subnormal below 2^-14.
  const int unit = std::max(exponent - 11, -24);
  const auto steps = static_cast<uint32_t>(std::nearbyint(std::ldexp(size, -unit)));
  const uint32_t base = unit == -24 ? 0 : static_cast<uint32_t>(unit + 24) << 10;
  return static_cast<uint16_t>(sign | (base + steps));
}

} // namespace

size_t Tensor::elements() const {
  size_t count = 1;
  for (const int64_t size : shape) count *= size < 0 ? 0 : static_cast<size_t>(size);
  return count;
}

size_t Tensor::bytes() const {
  return elements() * (type == Type::kFloat16 ? 2 : type == Type::kFloat32 ? 4 : 8);
}

const Tensor* Model::find(const std::string& name) const {
  for (const Tensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

Model read_model(const std::string& text) {
  Model model;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    if (!(words >> word)) continue;
    try {
      read_line(model, word, words);
    } catch (const std::exception&) {
      throw std::runtime_error("cannot read the line '" + line + "'");
    }
  }
  if (model.graph.empty()) throw std::runtime_error("no line says which graph this is");
  return model;
}

float load(const Tensor& tensor, const void* data, size_t index) {
  const auto* const at = static_cast<const char*>(data) + index * (tensor.bytes() / tensor.elements());
  if (tensor.type == Type::kFloat32) {
    float value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  if (tensor.type == Type::kFloat16) {
    uint16_t value;
    std::memcpy(&value, at, sizeof value);
    return from_half(value);
  }
  int64_t value;
  std::memcpy(&value, at, sizeof value);
  return static_cast<float>(value);
}

void store(const Tensor& tensor, void* data, size_t index, float value) {
  auto* const at = static_cast<char*>(data) + index * (tensor.bytes() / tensor.elements());
  if (tensor.type == Type::kFloat32) {
    std::memcpy(at, &value, sizeof value);
  } else if (tensor.type == Type::kFloat16) {
    const uint16_t half = to_half(value);
    std::memcpy(at, &half, sizeof half);
  } else {
    const auto whole = static_cast<int64_t>(value);
    std::memcpy(at, &whole, sizeof whole);
  }
}

} // namespace gpu_double

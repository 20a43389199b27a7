// Owns: the double of libnvonnxparser: it reads a text instead of ONNX.
// Must not know: what is built of it.

#include <NvOnnxParser.h>

#include <fstream>
#include <memory>
#include <sstream>

#include "common.h"

namespace gpu_double {
namespace {

class ParserError final : public nvonnxparser::IParserError {
 public:
  ParserError(std::string description, std::string node, std::string op)
      : description_(std::move(description)), node_(std::move(node)), op_(std::move(op)) {}
  const char* desc() const override { return description_.c_str(); }
  const char* nodeName() const override { return node_.c_str(); }
  const char* nodeOperator() const override { return op_.c_str(); }

 private:
  const std::string description_, node_, op_;
};

class Parser final : public nvonnxparser::IParser {
 public:
  explicit Parser(Network& network) : network_(network) {}

  bool parseFromFile(const char* path, int) noexcept override {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) return refuse("Failed to open the file", "", "");
    network_.text = text.str();
    try {
      if (read_model(network_.text).fail != "parse") return true;
      refuse("Expected two inputs of one type", "/blocks.0/Add", "Add");
      return refuse("No importer is registered", "/blocks.1/Odd", "Odd");
    } catch (const std::exception& error) {
      return refuse(error.what(), "", "");
    }
  }
  int getNbErrors() const noexcept override { return static_cast<int>(errors_.size()); }
  const nvonnxparser::IParserError* getError(int index) const noexcept override {
    return &errors_[static_cast<size_t>(index)];
  }

 private:
  bool refuse(std::string description, std::string node, std::string op) {
    errors_.emplace_back(std::move(description), std::move(node), std::move(op));
    return false;
  }

  Network& network_;
  std::vector<ParserError> errors_;
};

} // namespace
} // namespace gpu_double

extern "C" __attribute__((visibility("default"))) void* createNvOnnxParser_INTERNAL(void* network, void*,
                                                                                    int) noexcept {
  auto* const definition = static_cast<nvinfer1::INetworkDefinition*>(network);
  return new gpu_double::Parser(static_cast<gpu_double::Network&>(*definition));
}

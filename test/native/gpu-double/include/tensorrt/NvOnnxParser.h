// Owns: declarations of what this project calls of TensorRT's ONNX parser; see NvInfer.h.
// Must not know: what carries them out.
#pragma once

#include "NvInfer.h"

#define NV_ONNX_PARSER_VERSION 1

namespace nvonnxparser {

class IParserError {
 public:
  virtual ~IParserError() = default;
  virtual const char* desc() const = 0;
  virtual const char* nodeName() const = 0;
  virtual const char* nodeOperator() const = 0;
};

class IParser {
 public:
  virtual ~IParser() = default;
  virtual bool parseFromFile(const char* path, int verbosity) noexcept = 0;
  virtual int getNbErrors() const noexcept = 0;
  virtual const IParserError* getError(int index) const noexcept = 0;
};

} // namespace nvonnxparser

// Owns: what the registry knows of the code that is compiled for each TensorRT major version.
// Must not know: TensorRT's types.
#pragma once

#include <memory>

#include "tensorrt/interface.h"
#include "tensorrt/library.h"

namespace video_depth::tensorrt {

namespace trt10 {
int header_version();
std::unique_ptr<Api> make_api(const Library& library);
} // namespace trt10

namespace trt11 {
int header_version();
std::unique_ptr<Api> make_api(const Library& library);
} // namespace trt11

} // namespace video_depth::tensorrt

// Owns: a program that opens one TensorRT major version and prints as JSON what came of that.
// Must not know: TensorRT's headers.

#include <cstdio>
#include <cstdlib>

#include "tensorrt/library.h"
#if defined(WITH_CUDA)
#include "cuda/failure.h"
#include "tensorrt/interface.h"
#endif

using namespace video_depth;

namespace {

void print(const char* key, const std::string& value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  std::printf("\"%s\": \"%s\", ", key, escaped.c_str());
}

} // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const auto library = tensorrt::open_library(std::atoi(arguments[1]), {arguments[2]});
  std::printf("{");
  print("problem", library.report.problem);
  print("inferPath", library.report.infer_path);
  print("parserPath", library.report.parser_path);
#if defined(WITH_CUDA)
  try {
    tensorrt::open_api(library);
  } catch (const GpuFailure& failure) {
    print("code", failure.code());
    print("message", failure.what());
  }
#endif
  print("version", tensorrt::version_text(library.report.version));
  std::printf("\"major\": %d}\n", library.report.major);
  return 0;
}

// Owns: tests of finding and opening TensorRT's libraries, with doubles of them.
// Must not know: the adapter, real libraries.

#include "tensorrt/library.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "tensorrt_support.h"

using namespace video_depth;
using namespace video_depth::tensorrt;

namespace {

/// The problem of the double in `folder`, which is where the search finds its first library.
std::string problem_of(const std::string& folder) {
  const Library library = open_library(10, {test::double_folder(folder)});
  return library.report.problem;
}

} // namespace

TEST_CASE("library: opens both libraries of a folder and tells their version and files") {
  for (const int major : {10, 11}) {
    const std::string folder = test::double_folder("trt" + std::to_string(major));
    const Library library = open_library(major, {"", "/nowhere", folder});
    CHECK(library.report.problem == "");
    CHECK(library.report.major == major);
    CHECK(library.report.version == (major == 10 ? 100600 : 110100));
    CHECK(library.report.infer_path == folder + "/libnvinfer.so." + std::to_string(major));
    CHECK(library.report.parser_path == folder + "/libnvonnxparser.so." + std::to_string(major));
    CHECK(library.create_builder != nullptr);
    CHECK(library.create_runtime != nullptr);
    CHECK(library.create_parser != nullptr);
  }
}

TEST_CASE("library: an environment variable names a root") {
  REQUIRE(setenv("TENSORRT11_ROOT", test::double_folder("trt11").c_str(), 1) == 0);
  const Library library = open_library(11, {});
  unsetenv("TENSORRT11_ROOT");
  CHECK(library.report.problem == "");
  CHECK(library.report.version == 110100);
}

TEST_CASE("library: says which version was expected") {
  CHECK(problem_of("too-old") == "Expected TensorRT 10.3.0 or newer in " + test::double_folder("too-old") +
                                     "/libnvinfer.so.10, received 10.2.0");
  CHECK(problem_of("wrong-major") == "Expected TensorRT 10 in " + test::double_folder("wrong-major") +
                                         "/libnvinfer.so.10, received 11.1.0");
}

TEST_CASE("library: says what is missing") {
  CHECK(problem_of("no-runtime") == "Expected the function createInferRuntime_INTERNAL in " +
                                        test::double_folder("no-runtime") +
                                        "/libnvinfer.so.10, which lacks it");
  CHECK(test::contains(problem_of("no-parser"), "Expected the ONNX parser beside " +
                                                    test::double_folder("no-parser") +
                                                    "/libnvinfer.so.10, received: "));
  const Library none = open_library(97, {"/nowhere"});
  CHECK(test::contains(none.report.problem, "Expected libnvinfer.so.97 in one of /nowhere, "));
  CHECK(none.report.version == 0);
  CHECK(none.create_builder == nullptr);
}

TEST_CASE("library: a file that is no library is reported with the system's reason") {
  const std::string folder = test::double_folder("not-a-library");
  REQUIRE(std::system(("mkdir -p " + folder + " && echo text > " + folder + "/libnvinfer.so.10").c_str()) ==
          0);
  CHECK(test::contains(problem_of("not-a-library"), "Expected a library that can be opened at " + folder +
                                                        "/libnvinfer.so.10, received: "));
}

TEST_CASE("library: the search goes on after one that cannot be used") {
  const Library library = open_library(10, {test::double_folder("too-old"), test::double_folder("trt10")});
  CHECK(library.report.problem == "");
  CHECK(library.report.version == 100600);
}

TEST_CASE("library: versions as text") {
  CHECK(version_text(100600) == "10.6.0");
  CHECK(version_text(101501) == "10.15.1");
  CHECK(version_text(110201) == "11.2.1");
}

TEST_CASE("library: nothing of TensorRT is called where no device is there") {
  const test::Device device;
  const Library library = open_library(10, {test::double_folder("trt10")});
  gpu_double::set_devices(0);
  GpuFailure failure = test::failure_of([&] { open_api(library); });
  CHECK(failure.code() == std::string("GPU_UNAVAILABLE"));
  CHECK(failure.what() ==
        std::string("Expected a CUDA device for TensorRT: no CUDA-capable device is detected"));
  gpu_double::set_driver(0);
  failure = test::failure_of([&] { open_api(library); });
  CHECK(test::contains(failure.what(), "CUDA driver version is insufficient"));
}

TEST_CASE("library: one that was not opened is refused with its problem") {
  const test::Device device;
  const GpuFailure failure =
      test::failure_of([] { open_api(open_library(10, {test::double_folder("too-old")})); });
  CHECK(failure.code() == std::string("TENSORRT_UNAVAILABLE"));
  CHECK(test::contains(failure.what(), "10.3.0 or newer"));
  Library other;
  other.report.major = 12;
  CHECK(test::failure_of([&] { open_api(other); }).what() == std::string("TensorRT 12 was not compiled in"));
}

TEST_CASE("library: both major versions are compiled in, newest first") {
  const auto majors = compiled_majors();
  REQUIRE(majors.size() == 2);
  CHECK(majors[0].major == 11);
  CHECK(majors[0].header_version == 110100);
  CHECK(majors[1].major == 10);
  CHECK(majors[1].header_version == 100600);
}

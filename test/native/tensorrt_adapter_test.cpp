// Owns: tests of loading and running plans through the adapter, on the double.
// Must not know: what the plans are for.

#include "tensorrt_support.h"

using namespace video_depth;
using namespace video_depth::tensorrt;
using test::code_of;
using test::contains;
using test::failure_of;

namespace {

std::vector<uint16_t> halves(size_t count, uint16_t bits) {
  return std::vector<uint16_t>(count, bits);
}

constexpr uint16_t kHalfOne = 0x3c00, kHalfTwo = 0x4000;

} // namespace

TEST_CASE("plan: built, loaded and run by both major versions") {
  for (const int major : {10, 11}) {
    const test::Device device;
    const auto api = test::open_double(major);
    const auto plan = test::load(*api, test::kDecoder);
    CHECK(plan->scratch_bytes() == 4096);
    REQUIRE(plan->ports().size() == 3);
    const Port& path3 = plan->ports()[0];
    CHECK(path3.name == "path3");
    CHECK(path3.is_input);
    CHECK(path3.type == ElementType::kFloat16);
    CHECK(path3.shape == std::vector<int64_t>{2, 4, 3, 5});
    CHECK(path3.bytes == 240);
    CHECK_FALSE(plan->ports()[2].is_input);
    CHECK(plan->ports()[2].bytes == 480);
    CHECK(contains(plan->layers(), "depth-decoder"));

    test::Ports ports(*plan);
    cuda::Stream stream;
    const auto execution = plan->new_execution();
    ports.bind_to(*execution);
    ports.write("path3", halves(120, kHalfOne));
    ports.write("layer1", halves(480, kHalfTwo));
    execution->enqueue(stream.get());
    stream.synchronize();
    const auto depth = ports.read<float>("depth");
    CHECK(depth[0] == 2.0f);
    CHECK(depth[119] == doctest::Approx(2.09f));
  }
}

TEST_CASE("plan: a run captured into a graph runs again with new contents") {
  const test::Device device;
  const auto api = test::open_double();
  const auto plan = test::load(*api, test::kDecoder);
  test::Ports ports(*plan);
  cuda::Stream stream;
  const auto execution = plan->new_execution();
  ports.bind_to(*execution);
  ports.write("path3", halves(120, kHalfOne));
  ports.write("layer1", halves(480, kHalfTwo));
  execution->enqueue(stream.get());
  stream.synchronize();

  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  REQUIRE(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  execution->enqueue(stream.get());
  REQUIRE(cudaStreamEndCapture(stream.get(), &graph) == cudaSuccess);
  REQUIRE(cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess);
  cudaGraphDestroy(graph);
  ports.write("path3", halves(120, kHalfTwo));
  REQUIRE(cudaGraphLaunch(executable, stream.get()) == cudaSuccess);
  stream.synchronize();
  CHECK(ports.read<float>("depth")[0] == 3.0f);
  cudaGraphExecDestroy(executable);
}

TEST_CASE("plan: executions of one plan have addresses of their own") {
  const test::Device device;
  const auto api = test::open_double();
  const auto plan = test::load(*api, test::kDecoder);
  test::Ports first(*plan), second(*plan);
  cuda::Stream stream;
  const auto one = plan->new_execution(), two = plan->new_execution();
  first.bind_to(*one);
  second.bind_to(*two);
  first.write("path3", halves(120, kHalfOne));
  second.write("path3", halves(120, kHalfTwo));
  for (test::Ports* ports : {&first, &second}) ports->write("layer1", halves(480, 0));
  one->enqueue(stream.get());
  two->enqueue(stream.get());
  stream.synchronize();
  CHECK(first.read<float>("depth")[0] == 1.0f);
  CHECK(second.read<float>("depth")[0] == 2.0f);
}

TEST_CASE("plan: a plan outlives the Api that loaded it") {
  const test::Device device;
  auto api = test::open_double();
  const auto plan = test::load(*api, test::kDecoder);
  api.reset();
  CHECK(contains(plan->layers(), "depth-decoder"));
  CHECK(plan->new_execution() != nullptr);
}

TEST_CASE("plan: every port needs a usable address") {
  const test::Device device;
  const auto api = test::open_double();
  const auto plan = test::load(*api, test::kDecoder);
  test::Ports ports(*plan);
  cuda::Stream stream;
  const auto execution = plan->new_execution();
  ports.bind_to(*execution, "layer1");
  GpuFailure failure = failure_of([&] { execution->enqueue(stream.get()); });
  CHECK(code_of(failure) == "PLAN_FAILED");
  CHECK(failure.what() == std::string("Expected an address for port layer1, received none"));

  cuda::DeviceBuffer buffer(1024);
  failure = failure_of([&] { execution->bind("layer1", buffer.as<char>() + 16); });
  CHECK(contains(failure.what(), "aligned to 256 bytes for port layer1"));
  failure = failure_of([&] { execution->bind("layer9", buffer.data()); });
  CHECK(contains(failure.what(), "'layer9'"));
  failure = failure_of([&] { execution->set_scratch(buffer.data(), 1024); });
  CHECK(failure.what() == std::string("Expected at least 4096 bytes of scratch memory, received 1024"));
  execution->bind("layer1", buffer.data());
  const auto without_scratch = plan->new_execution();
  for (const Port& port : plan->ports()) without_scratch->bind(port.name, buffer.data());
  failure = failure_of([&] { without_scratch->enqueue(stream.get()); });
  CHECK(failure.what() == std::string("Expected scratch memory, received none"));
}

TEST_CASE("plan: a run that cannot be queued says why") {
  const test::Device device;
  const auto api = test::open_double();
  const auto plan = test::load(*api, std::string(test::kDecoder) + "fail enqueue\n");
  test::Ports ports(*plan);
  cuda::Stream stream;
  const auto execution = plan->new_execution();
  ports.bind_to(*execution);
  const GpuFailure failure = failure_of([&] { execution->enqueue(stream.get()); });
  CHECK(code_of(failure) == "PLAN_FAILED");
  CHECK_FALSE(failure.is_lasting());
  CHECK(failure.what() == std::string("Queueing a run of a plan failed:\nthe launch failed"));
}

TEST_CASE("plan: a lost context is a lasting failure") {
  const test::Device device;
  const auto api = test::open_double();
  const auto plan = test::load(*api, test::kDecoder);
  test::Ports ports(*plan);
  cuda::Stream stream;
  const auto execution = plan->new_execution();
  ports.bind_to(*execution);
  gpu_double::lose_context(cudaErrorIllegalAddress);
  const GpuFailure failure = failure_of([&] { execution->enqueue(stream.get()); });
  CHECK(code_of(failure) == "GPU_FAILED");
  CHECK(failure.is_lasting());
  CHECK(contains(failure.what(), "illegal memory access"));
}

TEST_CASE("plan: a damaged one, or another version's, is refused") {
  const test::Device device;
  const auto api = test::open_double();
  auto built = test::build(*api, test::kDecoder);
  const auto newer = test::open_double(11);
  GpuFailure failure = failure_of([&] { newer->load(built.plan.data(), built.plan.size()); });
  CHECK(code_of(failure) == "PLAN_FAILED");
  CHECK(failure.what() ==
        std::string("Loading a plan failed:\nthe plan was built with another version of TensorRT"));
  built.plan.back() ^= 1;
  failure = failure_of([&] { api->load(built.plan.data(), built.plan.size()); });
  CHECK(failure.what() == std::string("Loading a plan failed:\nthe plan is damaged"));
}

TEST_CASE("plan: dynamic shapes are refused") {
  const test::Device device;
  const auto api = test::open_double();
  const GpuFailure failure =
      failure_of([&] { test::load(*api, "graph encoder\ninput pixels float16 -1x3x14x14\n"); });
  CHECK(failure.what() == std::string("Expected a static shape for port pixels, received a dynamic one"));
}

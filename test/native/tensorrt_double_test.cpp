// Owns: tests of what the TensorRT double computes for each graph, which tests of engines build on.
// Must not know: engines.

#include <algorithm>
#include <cmath>

#include "tensorrt_support.h"

using namespace video_depth;

namespace {

/// Inputs by name, float32 or int64 as the model says.
class Run {
 public:
  explicit Run(const std::string& model)
      : api_(test::open_double()), plan_(test::load(*api_, model)), ports_(*plan_) {}

  template <class T>
  Run& with(const std::string& port, const std::vector<T>& values) {
    ports_.write(port, values);
    return *this;
  }
  Run& go() {
    cuda::Stream stream;
    const auto execution = plan_->new_execution();
    ports_.bind_to(*execution);
    execution->enqueue(stream.get());
    stream.synchronize();
    return *this;
  }
  std::vector<float> read(const std::string& port) const { return ports_.read<float>(port); }

 private:
  std::unique_ptr<tensorrt::Api> api_;
  std::unique_ptr<tensorrt::Plan> plan_;
  test::Ports ports_;
};

void check_near(const std::vector<float>& values, const std::vector<float>& expected) {
  REQUIRE(values.size() == expected.size());
  for (size_t i = 0; i < values.size(); i++) CHECK(values[i] == doctest::Approx(expected[i]));
}

} // namespace

TEST_CASE("double's encoder: the mean of each frame, and the layer's number") {
  const test::Device device;
  Run run(
      "graph encoder\ninput pixels float32 2x1x1x2\noutput layer1 float32 2x2\noutput layer2 float32 2x1\n"
      "output layer3 float32 2x1\noutput layer4 float32 2x1\nworkspace 1\n");
  run.with<float>("pixels", {1, 2, 3, 5}).go();
  check_near(run.read("layer1"), {1.625f, 1.625f, 4.125f, 4.125f});
  check_near(run.read("layer4"), {2, 4.5f});
}

TEST_CASE("double's temporal head: each frame's features, and a little of all") {
  const test::Device device;
  Run run(
      "graph temporal-head\ninput layer3 float32 2x2\ninput layer4 float32 2x1\noutput path3 float32 2x2\n");
  run.with<float>("layer3", {1, 9, 3, 9}).with<float>("layer4", {0, 0}).go();
  check_near(run.read("path3"), {1.002f, 1.002f, 3.002f, 3.002f});
}

TEST_CASE("double's depth decoder: a ramp, never below 0, wrong or NaN on request") {
  const test::Device device;
  const std::string model =
      "graph depth-decoder\ninput path3 float32 2x1\ninput layer1 float32 2x1\noutput depth float32 2x2x2\n";
  Run run(model);
  run.with<float>("path3", {1, -5}).with<float>("layer1", {2, 2}).go();
  check_near(run.read("depth"), {2, 2.01f, 2, 2.01f, 0, 0, 0, 0});
  Run wrong(model + "wrong 2\n");
  wrong.with<float>("path3", {1, -5}).with<float>("layer1", {2, 2}).go();
  check_near(wrong.read("depth"), {4, 4.02f, 4, 4.02f, 0, 0, 0, 0});
  Run nan(model + "nan\n");
  nan.with<float>("path3", {1, 1}).with<float>("layer1", {2, 2}).go();
  for (const float value : nan.read("depth")) CHECK(std::isnan(value));
}

TEST_CASE("double: one entry of a batch is wrong, or all of some runs") {
  const test::Device device;
  const std::string model =
      "graph depth-decoder\ninput path3 float32 2x1\ninput layer1 float32 2x1\noutput depth float32 2x1x2\n";
  Run slot(model + "wrong-slot 1 2\n");
  slot.with<float>("path3", {1, 1}).with<float>("layer1", {2, 2}).go();
  check_near(slot.read("depth"), {2, 2.01f, 4, 4.02f});

  std::vector<std::vector<float>> found;
  for (int plan = 0; plan < 2; plan++) {
    Run flaky(model + "flaky 1.02\n");
    flaky.with<float>("path3", {1, 1}).with<float>("layer1", {2, 2});
    std::vector<float> depths;
    for (int turn = 0; turn < 32; turn++) depths.push_back(flaky.go().read("depth")[2]);
    found.push_back(depths);
  }
  CHECK(found[0] == found[1]);
  const auto right = std::count(found[0].begin(), found[0].end(), 2.0f);
  CHECK(std::count(found[0].begin(), found[0].end(), 2.04f) == 32 - right);
  CHECK(right > 16);
  CHECK(right < 32);
}

TEST_CASE("double's stream step: what is visible counts, by its position") {
  const test::Device device;
  Run run(
      "graph stream-step\ninput layer3 float32 1x2\ninput layer4 float32 1x1\ninput positions int64 1x3\n"
      "input mask float32 1x3\ninput remembered0.0 float32 1x1x2x2\noutput path3 float32 1x2\n"
      "output state0.0 float32 1x1x2\noutput state0.1 float32 1x1x2\n");
  run.with<float>("layer3", {4, 9}).with<float>("layer4", {0}).with<int64_t>("positions", {0, 5, 1});
  run.with<float>("mask", {-INFINITY, 0, 0}).with<float>("remembered0.0", {10, 0, 20, 0}).go();
  check_near(run.read("path3"), {5.2f, 5.2f});
  check_near(run.read("state0.0"), {4, 4});
  check_near(run.read("state0.1"), {4, 4});
}

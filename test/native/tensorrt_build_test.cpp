// Owns: tests of building plans through the adapter, on the double.
// Must not know: what the plans are for.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include "tensorrt_support.h"

using namespace video_depth;
using namespace video_depth::tensorrt;
using test::code_of;
using test::contains;
using test::failure_of;

namespace {

class RecordingMonitor final : public BuildMonitor {
 public:
  void progress(const std::string& phase, double fraction) noexcept override {
    phases.push_back(phase);
    fractions.push_back(fraction);
    if (fractions.size() == cancel_after) is_cancelled = true;
  }
  bool cancelled() noexcept override { return is_cancelled; }

  std::vector<std::string> phases;
  std::vector<double> fractions;
  size_t cancel_after = 0;
  std::atomic<bool> is_cancelled{false};
};

GpuFailure build_failure(const std::string& model) {
  const auto api = test::open_double();
  return failure_of([&] { test::build(*api, model); });
}

/// Writes a byte when the build has begun, which it cancels.
class BegunMonitor final : public BuildMonitor {
 public:
  explicit BegunMonitor(int pipe) : pipe_(pipe) {}
  void progress(const std::string&, double) noexcept override {
    if (write(pipe_, "x", 1) != 1) _exit(1);
    has_begun_ = true;
  }
  bool cancelled() noexcept override { return has_begun_; }

 private:
  const int pipe_;
  bool has_begun_ = false;
};

/// A process that builds a model. A build that returns ends it, whatever came of it.
class BuildProcess {
 public:
  explicit BuildProcess(const std::string& model) : file_(std::string(test::kDecoder) + model) {
    const auto api = test::open_double();
    REQUIRE(pipe(pipe_) == 0);
    id_ = fork();
    REQUIRE(id_ >= 0);
    if (id_ > 0) return;
    std::signal(SIGABRT, SIG_DFL); // not this program's tests fail
    BegunMonitor monitor(pipe_[1]);
    try {
      api->build({file_.path(), 1024, 3, {}}, monitor);
    } catch (const GpuFailure&) {
    }
    _exit(0);
  }
  BuildProcess(const BuildProcess&) = delete;
  BuildProcess& operator=(const BuildProcess&) = delete;
  ~BuildProcess() {
    for (const int end : pipe_) close(end);
  }

  void wait_for_begin() {
    char byte = 0;
    CHECK(read(pipe_[0], &byte, 1) == 1);
  }
  bool is_running() const { return waitpid(id_, nullptr, WNOHANG) == 0; }
  void kill_it() const { kill(id_, SIGKILL); }
  /// The signal that ended it; 0: none did.
  int ending_signal() const {
    int status = 0;
    CHECK(waitpid(id_, &status, 0) == id_);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

 private:
  const test::ModelFile file_;
  int pipe_[2] = {-1, -1};
  pid_t id_ = -1;
};

} // namespace

TEST_CASE("build: the outermost phase is reported, from 0 to 1") {
  const test::Device device;
  const auto api = test::open_double();
  const test::ModelFile file(test::kDecoder);
  RecordingMonitor monitor;
  api->build({file.path(), 1024, 3, {}}, monitor);
  CHECK(monitor.fractions.size() == 18);
  for (const std::string& phase : monitor.phases) CHECK(phase == "Building engine");
  CHECK(std::is_sorted(monitor.fractions.begin(), monitor.fractions.end()));
  CHECK(monitor.fractions.front() == 0);
  CHECK(monitor.fractions[4] == 0.25);
  CHECK(monitor.fractions.back() == 1);
}

TEST_CASE("build: cancelled between two steps, or before it begins") {
  const test::Device device;
  const auto api = test::open_double();
  const test::ModelFile file(std::string(test::kDecoder) + "slow 1\n");
  RecordingMonitor monitor;
  monitor.cancel_after = 6;
  GpuFailure failure = failure_of([&] { api->build({file.path(), 1024, 3, {}}, monitor); });
  CHECK(code_of(failure) == "ABORTED");
  // The step that was cancelled in, and the end of the phase.
  CHECK(monitor.fractions.size() == 7);
  RecordingMonitor other;
  other.is_cancelled = true;
  failure = failure_of([&] { api->build({file.path(), 1024, 3, {}}, other); });
  CHECK(code_of(failure) == "ABORTED");
  CHECK(other.fractions.empty());
  CHECK(test::build(*api, test::kDecoder).plan.size() > 0);
}

TEST_CASE("build: cancelled from another thread") {
  const test::Device device;
  const auto api = test::open_double();
  const test::ModelFile file(std::string(test::kDecoder) + "slow 20\n");
  RecordingMonitor monitor;
  std::thread other([&] { monitor.is_cancelled = true; });
  const GpuFailure failure = failure_of([&] { api->build({file.path(), 1024, 3, {}}, monitor); });
  other.join();
  CHECK(code_of(failure) == "ABORTED");
}

TEST_CASE("build: one that crashes, or does not answer any more, ends with its process") {
  const test::Device device;
  const BuildProcess crash("crash\n");
  CHECK(crash.ending_signal() == SIGABRT);
  BuildProcess hang("hangs\n");
  hang.wait_for_begin();
  CHECK(hang.is_running());
  hang.kill_it();
  CHECK(hang.ending_signal() == SIGKILL);
}

TEST_CASE("build: all of the parser's errors are told, with their nodes") {
  const test::Device device;
  const GpuFailure failure = build_failure(std::string(test::kDecoder) + "fail parse\n");
  CHECK(code_of(failure) == "PLAN_FAILED");
  CHECK(contains(failure.what(), "\nAdd '/blocks.0/Add': Expected two inputs of one type"));
  CHECK(contains(failure.what(), "\nOdd '/blocks.1/Odd': No importer is registered"));

  const auto api = test::open_double();
  test::QuietMonitor monitor;
  const GpuFailure missing = failure_of([&] { api->build({"/nowhere.onnx", 1024, 3, {}}, monitor); });
  CHECK(
      contains(missing.what(), "TensorRT's parser refused /nowhere.onnx\nnode '': Failed to open the file"));
}

TEST_CASE("build: failures carry TensorRT's words once, and memory that ran out has its own code") {
  const test::Device device;
  const GpuFailure failure = build_failure(std::string(test::kDecoder) + "fail build\n");
  CHECK(code_of(failure) == "PLAN_FAILED");
  const std::string text = failure.what(), reason = "Could not find any implementation for node /fused";
  const size_t at = text.find(reason);
  REQUIRE(at != std::string::npos);
  CHECK(text.find(reason, at + 1) == std::string::npos);
  CHECK(code_of(build_failure(std::string(test::kDecoder) + "fail memory\n")) == "GPU_OUT_OF_MEMORY");
}

TEST_CASE("build: a builder resource that is not found comes with the way to mend it") {
  const test::Device device;
  const GpuFailure failure = build_failure(std::string(test::kDecoder) + "fail resource\n");
  CHECK(contains(failure.what(), "LD_LIBRARY_PATH=" + test::double_folder("trt10")));
}

TEST_CASE("build: a timing cache goes on, and an unusable one is left aside") {
  const test::Device device;
  const auto api = test::open_double();
  const auto first = test::build(*api, test::kDecoder).timing_cache;
  REQUIRE_FALSE(first.empty());
  const auto second = test::build(*api, test::kDecoder, first).timing_cache;
  CHECK(second.size() == first.size() + 1);

  auto damaged = second;
  damaged[0] ^= 1;
  CHECK(test::build(*api, test::kDecoder, damaged).timing_cache == first);
  const auto others = test::build(*test::open_double(11), test::kDecoder).timing_cache;
  CHECK(others != first);
  CHECK(test::build(*api, test::kDecoder, others).timing_cache == first);
}

TEST_CASE("build: engines on threads of their own do not mix, whichever ends first") {
  const test::Device device;
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&good, i] {
      for (int turn = 0; turn < 3; turn++) {
        const auto library =
            open_library(10 + i % 2, {test::double_folder("trt" + std::to_string(10 + i % 2))});
        const auto api = open_api(library);
        const auto built = test::build(*api, test::kDecoder);
        if (api->load(built.plan.data(), built.plan.size())->ports().size() == 3) good++;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 12);
}

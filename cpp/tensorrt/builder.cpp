// Owns: from an ONNX file to a serialized plan.
// Must not know: how plans are kept or run.

#include <algorithm>
#include <thread>

#include "cuda/failure.h"
#include "tensorrt/host.h"

namespace video_depth::tensorrt::VIDEO_DEPTH_TENSORRT_NAMESPACE {
namespace {

/// The most threads that TensorRT may use besides the GPU; more bring nothing, as tactics are timed one by
/// one.
constexpr unsigned kMostThreads = 8;

/// TensorRT 11 has nothing but strong typing, and there bit 0 says so; on a 10 library bit 0 would silently
/// mean weak.
nvinfer1::NetworkDefinitionCreationFlags strongly_typed() {
#if NV_TENSORRT_MAJOR >= 11
  return 0;
#else
  return 1U << static_cast<uint32_t>(nvinfer1::NetworkDefinitionCreationFlag::kSTRONGLY_TYPED);
#endif
}

std::string text_or(const char* text, const char* otherwise) {
  return text == nullptr || *text == '\0' ? otherwise : text;
}

void parse(Host& host, nvonnxparser::IParser& parser, const std::string& path) {
  if (parser.parseFromFile(path.c_str(), static_cast<int>(nvinfer1::ILogger::Severity::kWARNING))) return;
  std::string errors;
  for (int i = 0; i < parser.getNbErrors(); i++) {
    const nvonnxparser::IParserError* error = parser.getError(i);
    if (error == nullptr) continue;
    errors += "\n" + text_or(error->nodeOperator(), "node") + " '" + text_or(error->nodeName(), "") +
              "': " + text_or(error->desc(), "no description");
  }
  host.messages.fail("TensorRT's parser refused " + path + errors);
}

bool use_cache(nvinfer1::IBuilderConfig& config, std::unique_ptr<nvinfer1::ITimingCache>& cache,
               const std::vector<uint8_t>& bytes) {
  cache.reset(config.createTimingCache(bytes.empty() ? nullptr : bytes.data(), bytes.size()));
  return cache != nullptr && config.setTimingCache(*cache, false);
}

void configure(nvinfer1::IBuilderConfig& config, const BuildRequest& request, ProgressMonitor& progress) {
  config.setMemoryPoolLimit(nvinfer1::MemoryPoolType::kWORKSPACE, request.workspace_bytes);
  config.setBuilderOptimizationLevel(request.optimization_level);
  config.setProfilingVerbosity(nvinfer1::ProfilingVerbosity::kDETAILED);
  config.setProgressMonitor(&progress);
  // Float32 islands are there for their precision; TF32 is on by default and would halve their mantissa.
  config.clearFlag(nvinfer1::BuilderFlag::kTF32);
  // One stream: a captured graph and scratch memory that several plans share both rely on it.
  config.setMaxAuxStreams(0);
}

std::vector<uint8_t> bytes_of(const nvinfer1::IHostMemory& memory) {
  const auto* const first = static_cast<const uint8_t*>(memory.data());
  return std::vector<uint8_t>(first, first + memory.size());
}

[[noreturn]] void fail_build(Host& host, const std::string& path) {
  const std::string said = host.messages.text();
  const size_t slash = host.library.report.infer_path.rfind('/');
  std::string hint;
  // 10.6 looks for it by its bare name; a copy in the folder of libnvinfer, even one that is open already, is
  // not found.
  if (said.find("nvinfer_builder_resource") != std::string::npos && slash != std::string::npos)
    hint = " (start the process with LD_LIBRARY_PATH=" + host.library.report.infer_path.substr(0, slash) +
           " if the builder resource lies there)";
  host.messages.fail("Building the plan of " + path + " failed" + hint);
}

[[noreturn]] void abort_build(const std::string& path) {
  throw GpuFailure("ABORTED", "Building the plan of " + path + " was cancelled");
}

} // namespace

BuildResult build_plan(Host& host, const BuildRequest& request, BuildMonitor& monitor) {
  if (monitor.cancelled()) abort_build(request.onnx_path);
  ProgressMonitor progress(monitor);
  const auto builder = host.new_builder();
  builder->setMaxThreads(
      static_cast<int32_t>(std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads)));
  const auto network = host.owned<nvinfer1::INetworkDefinition>(builder->createNetworkV2(strongly_typed()),
                                                                "Creating a strongly typed network");
  // The network borrows the parser's weights until it is built.
  const auto parser = host.new_parser(*network);
  parse(host, *parser, request.onnx_path);

  const auto config = host.owned<nvinfer1::IBuilderConfig>(builder->createBuilderConfig(),
                                                           "Creating a builder configuration");
  configure(*config, request, progress);
  std::unique_ptr<nvinfer1::ITimingCache> cache;
  if (!use_cache(*config, cache, request.timing_cache) && !request.timing_cache.empty()) {
    use_cache(*config, cache, {});
  }

  if (monitor.cancelled()) abort_build(request.onnx_path);
  const std::unique_ptr<nvinfer1::IHostMemory> plan(builder->buildSerializedNetwork(*network, *config));
  if (progress.was_cancelled()) abort_build(request.onnx_path);
  if (plan == nullptr) fail_build(host, request.onnx_path);

  BuildResult result;
  result.plan = bytes_of(*plan);
  if (const nvinfer1::ITimingCache* filled = config->getTimingCache()) {
    const std::unique_ptr<nvinfer1::IHostMemory> bytes(filled->serialize());
    if (bytes != nullptr) result.timing_cache = bytes_of(*bytes);
  }
  return result;
}

} // namespace video_depth::tensorrt::VIDEO_DEPTH_TENSORRT_NAMESPACE

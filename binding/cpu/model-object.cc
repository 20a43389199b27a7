// Owns: the JavaScript class of a model's packed weights (NativeCpuModel in lib/native/cpu-types.ts).
// Must not know: what networks compute.

#include "cpu/model-object.h"

#include <string>
#include <utility>

#include "arguments.h"
#include "bounds.h"
#include "cpu/network-object.h"
#include "cpu/weights_file.h"

namespace video_depth_binding {

namespace {

using video_depth::cpu::Dimensions;

constexpr int kMostBlocks = 1024;
constexpr int kMostChannels = 1 << 16;
constexpr uint32_t kMostExtents = 8;

std::string read_text(const Napi::Object& options, const char* name) {
  const Napi::Value value = member(options, name);
  if (!value.IsString()) throw unexpected("a string", std::string("options.") + name, value);
  return value.As<Napi::String>().Utf8Value();
}

int read_number(const Napi::Object& options, const char* name, int most) {
  return static_cast<int>(read_integer(member(options, name), std::string("options.") + name, 1, most));
}

std::array<int, 4> read_four(const Napi::Object& options, const char* name, int least, int most) {
  const std::string parameter = std::string("options.") + name;
  const Napi::Array array = read_array(member(options, name), parameter, 4);
  if (array.Length() != 4) throw unexpected("four numbers", parameter, array);
  std::array<int, 4> four{};
  for (uint32_t i = 0; i < 4; i++) {
    four[i] = static_cast<int>(read_integer(element(array, i), item(parameter, i), least, most));
  }
  return four;
}

video_depth::cpu::TensorPlaces read_tensors(const Napi::Object& tensors) {
  video_depth::cpu::TensorPlaces places;
  const Napi::Array names = tensors.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); i++) {
    const std::string name = element(names, i).ToString().Utf8Value();
    const std::string parameter = "options.tensors." + name;
    const Napi::Object tensor = read_object(tensors.Get(name), parameter);
    const Napi::Array shape = read_array(member(tensor, "shape"), parameter + ".shape", kMostExtents);
    video_depth::cpu::TensorPlace place;
    place.offset = static_cast<uint64_t>(
        read_integer(member(tensor, "offset"), parameter + ".offset", 0, kMaxSafeInteger));
    for (uint32_t axis = 0; axis < shape.Length(); axis++) {
      place.shape.push_back(read_integer(element(shape, axis), item(parameter + ".shape", axis), 1, 1 << 20));
    }
    places.emplace(name, std::move(place));
  }
  return places;
}

const video_depth::cpu::Kernels* find_kernels(const Napi::Object& options) {
  const std::string name = read_text(options, "kernels");
  std::string names;
  for (const auto* kernels : video_depth::cpu::available_kernels()) {
    if (name == kernels->name) return kernels;
    names += (names.empty() ? "" : ", ") + std::string(kernels->name);
  }
  throw unexpected(names.empty() ? "a processor with AVX2" : "one of " + names, "options.kernels",
                   member(options, "kernels"));
}

video_depth::cpu::Precision read_precision(const Napi::Object& options) {
  const std::string name = read_text(options, "precision");
  if (name == "fp32") return video_depth::cpu::Precision::fp32;
  if (name == "int8") return video_depth::cpu::Precision::int8;
  throw unexpected("fp32 or int8", "options.precision", member(options, "precision"));
}

video_depth::cpu::ModelOptions read_options(const Napi::Object& options) {
  Dimensions dimensions;
  dimensions.embed_width = read_number(options, "embedWidth", kMostChannels);
  dimensions.depth = read_number(options, "depth", kMostBlocks);
  dimensions.features = read_number(options, "features", kMostChannels);
  dimensions.out_channels = read_four(options, "outChannels", 1, kMostChannels);
  dimensions.temporal_length = read_number(options, "temporalLength", kMostChannels);
  dimensions.taps = read_four(options, "taps", 0, kMostBlocks);
  return {find_kernels(options), read_precision(options),
          read_number(options, "threads", video_depth::kMaxThreads), dimensions};
}

} // namespace

Napi::Function ModelObject::define(Napi::Env env, const Napi::Function& network) {
  auto* constructor = new Napi::FunctionReference(Napi::Persistent(network));
  env.AddCleanupHook([constructor] { delete constructor; }); // as long as the environment
  return DefineClass(
      env, "NativeCpuModel",
      {InstanceMethod<&ModelObject::network>("network"), InstanceMethod<&ModelObject::release>("release")},
      constructor);
}

ModelObject::ModelObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ModelObject>(info),
      network_(static_cast<const Napi::FunctionReference*>(info.Data())) {
  const Napi::Object object = read_object(info[0], "options");
  const video_depth::cpu::ModelOptions options = read_options(object);
  const std::string path = read_text(object, "weights");
  auto tensors = read_tensors(read_object(member(object, "tensors"), "options.tensors"));
  try {
    const video_depth::cpu::WeightsFile file(path, std::move(tensors));
    model_ = std::make_shared<const video_depth::cpu::Model>(options, file);
  } catch (...) {
    throw Napi::Error(info.Env(), to_js_error(info.Env(), std::current_exception()));
  }
  reported_ = static_cast<int64_t>(model_->weight_bytes());
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), reported_);
  // A value and no accessor: Node.js does not check whose accessor is called on what.
  info.This().As<Napi::Object>().DefineProperty(Napi::PropertyDescriptor::Value(
      "weightBytes", Napi::Number::New(info.Env(), static_cast<double>(reported_)), napi_enumerable));
}

ModelObject::~ModelObject() {
  let_go();
}

void ModelObject::let_go() {
  if (reported_ != 0) Napi::MemoryManagement::AdjustExternalMemory(Env(), -reported_);
  reported_ = 0;
  model_.reset();
}

void ModelObject::release(const Napi::CallbackInfo&) {
  let_go();
}

Napi::Value ModelObject::network(const Napi::CallbackInfo& info) {
  if (!model_) {
    throw Napi::TypeError::New(info.Env(), "Expected a model that was not released, received one that was");
  }
  constexpr int kMostPatches = video_depth::kMaxSide / video_depth::cpu::kPatch;
  const auto rows = static_cast<int>(read_integer(info[0], "rows", 1, kMostPatches));
  const auto cols = static_cast<int>(read_integer(info[1], "cols", 1, kMostPatches));
  const float* positions = nullptr;
  if (!info[2].IsNull()) {
    const Napi::Float32Array given = read_floats(info[2], "positions");
    const size_t values = static_cast<size_t>(rows) * static_cast<size_t>(cols) *
                          static_cast<size_t>(model_->dimensions().embed_width);
    if (given.ElementLength() != values)
      throw unexpected(std::to_string(values) + " values", "positions", given);
    positions = given.Data();
  }
  try {
    auto network = std::make_unique<video_depth::cpu::Network>(*model_, rows, cols, positions);
    return NetworkObject::make(network_->Value(), model_, std::move(network));
  } catch (...) {
    throw Napi::Error(info.Env(), to_js_error(info.Env(), std::current_exception()));
  }
}

} // namespace video_depth_binding

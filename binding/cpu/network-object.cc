// Owns: the JavaScript class of a network at one size (NativeCpuNetwork in lib/native/cpu-types.ts).
// Must not know: what a network computes.

#include "cpu/network-object.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "cpu/memory-object.h"

namespace video_depth_binding {

namespace {

/// The most slots of a memory, the new frame's place included.
constexpr int kMostSlots = 4096;
constexpr uint32_t kMostFrames = 256;
constexpr uint32_t kTables = video_depth::cpu::kTemporalModules * video_depth::cpu::kAttentions;

/// What the core throws becomes JavaScript's.
template <class Body>
void guarded(Napi::Env env, const Body& body) {
  try {
    body();
  } catch (...) {
    throw Napi::Error(env, to_js_error(env, std::current_exception()));
  }
}

float* values_in(const Napi::Value& value, const std::string& parameter, size_t values) {
  Napi::Uint8Array bytes = read_bytes(value, parameter);
  if (bytes.ByteLength() != values * sizeof(float)) {
    throw unexpected(std::to_string(values * sizeof(float)) + " bytes", parameter, value);
  }
  if (reinterpret_cast<uintptr_t>(bytes.Data()) % alignof(float) != 0) {
    throw unexpected("bytes that begin at a multiple of 4", parameter, value);
  }
  return reinterpret_cast<float*>(bytes.Data());
}

float* floats_in(const Napi::Value& value, const std::string& parameter, size_t values) {
  Napi::Float32Array floats = read_floats(value, parameter);
  if (floats.ElementLength() != values)
    throw unexpected(std::to_string(values) + " values", parameter, value);
  return floats.Data();
}

/// A copy: what was checked must not change while threads read it, and the array's memory may be shared.
template <class T>
std::vector<T> copied(const Napi::TypedArrayOf<T>& array) {
  return std::vector<T>(array.Data(), array.Data() + array.ElementLength());
}

/// As many as there are slots, or one more.
std::vector<int32_t> read_integers(const Napi::Value& value, const std::string& parameter, size_t least) {
  const std::string expected =
      "an Int32Array of " + std::to_string(least) + " to " + std::to_string(kMostSlots) + " values";
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
    throw unexpected(expected, parameter, value);
  }
  const auto array = value.As<Napi::Int32Array>();
  if (array.ElementLength() < least || array.ElementLength() > kMostSlots)
    throw unexpected(expected, parameter, value);
  return copied(array);
}

} // namespace

Napi::Function NetworkObject::define(Napi::Env env, const Napi::Function& memory) {
  auto* constructor = new Napi::FunctionReference(Napi::Persistent(memory));
  env.AddCleanupHook([constructor] { delete constructor; }); // as long as the environment
  return DefineClass(
      env, "NativeCpuNetwork",
      {InstanceMethod<&NetworkObject::new_memory>("newMemory"),
       InstanceMethod<&NetworkObject::encode>("encode"), InstanceMethod<&NetworkObject::head>("head"),
       InstanceMethod<&NetworkObject::step>("step"), InstanceMethod<&NetworkObject::remember>("remember"),
       InstanceMethod<&NetworkObject::decode>("decode"), InstanceMethod<&NetworkObject::release>("release")},
      constructor);
}

/// Without a network: `make` brings it.
NetworkObject::NetworkObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<NetworkObject>(info),
      memory_(static_cast<const Napi::FunctionReference*>(info.Data())) {
}

Napi::Value NetworkObject::make(const Napi::Function& constructor,
                                std::shared_ptr<const video_depth::cpu::Model> model,
                                std::unique_ptr<video_depth::cpu::Network> network) {
  const Napi::Object object = constructor.New({});
  NetworkObject* self = Unwrap(object);
  self->model_ = std::move(model);
  self->network_ = std::move(network);
  // A value and no accessor: Node.js does not check whose accessor is called on what.
  const auto bytes = static_cast<double>(self->network_->feature_values() * sizeof(float));
  object.DefineProperty(Napi::PropertyDescriptor::Value(
      "featureBytes", Napi::Number::New(object.Env(), bytes), napi_enumerable));
  return object;
}

video_depth::cpu::Network& NetworkObject::network(Napi::Env env) const {
  if (!network_)
    throw Napi::TypeError::New(env, "Expected a network that was not released, received one that was");
  return *network_;
}

float* NetworkObject::features(const Napi::Value& value, const std::string& parameter) const {
  return values_in(value, parameter, network(value.Env()).feature_values());
}

video_depth::cpu::StreamMemory& NetworkObject::memory(const Napi::Value& value) const {
  video_depth::cpu::StreamMemory& memory = MemoryObject::read(value, "memory");
  const size_t own = network(value.Env()).state_bytes();
  if (memory.frame_bytes() != own)
    throw unexpected("a memory of frames of " + std::to_string(own) + " bytes", "memory", value);
  return memory;
}

Napi::Value NetworkObject::new_memory(const Napi::CallbackInfo& info) {
  const auto slots = static_cast<int>(read_integer(info[0], "slots", 1, kMostSlots - 1));
  return MemoryObject::make(memory_->Value(), network(info.Env()).new_memory(slots));
}

void NetworkObject::encode(const Napi::CallbackInfo& info) {
  video_depth::cpu::Network& net = network(info.Env());
  constexpr size_t kPatch = video_depth::cpu::kPatch;
  const size_t pixels =
      3 * kPatch * kPatch * static_cast<size_t>(net.rows()) * static_cast<size_t>(net.cols());
  const float* in = floats_in(info[0], "pixels", pixels);
  float* out = features(info[1], "features");
  guarded(info.Env(), [&] { net.encode(in, out); });
}

void NetworkObject::head(const Napi::CallbackInfo& info) {
  video_depth::cpu::Network& net = network(info.Env());
  const Napi::Array array = read_array(info[0], "window", kMostFrames);
  if (array.Length() == 0) throw unexpected("one frame or more", "window", array);
  // Read twice: a getter could detach what was read before it.
  std::vector<Napi::Value> frames;
  std::vector<Napi::Value> given;
  const uint32_t count = array.Length(); // getters could add to it
  for (uint32_t i = 0; i < count; i++) frames.push_back(element(array, i));
  if (!info[1].IsNull()) {
    const Napi::Array tables = read_array(info[1], "tables", kTables);
    if (tables.Length() != kTables) throw unexpected(std::to_string(kTables) + " tables", "tables", tables);
    for (uint32_t i = 0; i < kTables; i++) given.push_back(element(tables, i));
  }
  std::vector<const float*> window;
  std::vector<const float*> tables;
  for (uint32_t i = 0; i < frames.size(); i++) window.push_back(features(frames[i], item("window", i)));
  const video_depth::cpu::Dimensions& dimensions = model_->dimensions();
  for (uint32_t i = 0; i < given.size(); i++) {
    const auto width =
        static_cast<size_t>(dimensions.temporal_width(static_cast<int>(i) / video_depth::cpu::kAttentions));
    tables.push_back(floats_in(given[i], item("tables", i), frames.size() * width));
  }
  if (tables.empty() && frames.size() > static_cast<size_t>(dimensions.temporal_length)) {
    throw unexpected("tables for windows longer than " + std::to_string(dimensions.temporal_length), "tables",
                     info[1]);
  }
  guarded(info.Env(), [&] { net.head(window, tables); });
}

void NetworkObject::step(const Napi::CallbackInfo& info) {
  video_depth::cpu::Network& net = network(info.Env());
  const float* in = features(info[0], "features");
  const std::vector<int32_t> positions = read_integers(info[2], "positions", 2);
  const Napi::Uint8Array seen = read_bytes(info[3], "visible");
  if (seen.ElementLength() != positions.size()) {
    throw unexpected(std::to_string(positions.size()) + " values", "visible", seen);
  }
  const std::vector<uint8_t> visible = copied(seen);
  for (const int32_t position : positions) {
    if (position >= 0 && position < model_->dimensions().temporal_length) continue;
    throw Napi::RangeError::New(info.Env(), "Expected rows of the position table for positions, received " +
                                                std::to_string(position));
  }
  const bool sees = std::any_of(visible.begin(), visible.end(), [](uint8_t value) { return value != 0; });
  if (!sees) throw unexpected("at least one slot that is seen", "visible", seen);
  video_depth::cpu::StreamMemory& remembered = memory(info[1]);
  if (positions.size() != static_cast<size_t>(remembered.slots()) + 1)
    throw unexpected(std::to_string(remembered.slots() + 1) + " values", "positions", info[2]);
  guarded(info.Env(), [&] { net.step(in, remembered, positions.data(), visible.data()); });
}

void NetworkObject::remember(const Napi::CallbackInfo& info) {
  video_depth::cpu::Network& net = network(info.Env());
  video_depth::cpu::StreamMemory& remembered = memory(info[0]);
  const std::vector<int32_t> slots = read_integers(info[1], "slots", 0);
  guarded(info.Env(), [&] { net.remember(remembered, slots.data(), static_cast<int>(slots.size())); });
}

void NetworkObject::decode(const Napi::CallbackInfo& info) {
  video_depth::cpu::Network& net = network(info.Env());
  const auto position = static_cast<int>(read_integer(info[0], "position", 0, kMostFrames));
  const float* in = features(info[1], "features");
  constexpr size_t kPatch = video_depth::cpu::kPatch;
  float* map = floats_in(info[2], "map",
                         kPatch * kPatch * static_cast<size_t>(net.rows()) * static_cast<size_t>(net.cols()));
  guarded(info.Env(), [&] { net.decode(position, in, map); });
}

void NetworkObject::release(const Napi::CallbackInfo&) {
  network_.reset();
  model_.reset();
}

} // namespace video_depth_binding

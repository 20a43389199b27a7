// Owns: reading a StitchStep (lib/native/types.ts) and the lists of arrays around it; telling a StitchResult.
// Must not know: where stitching runs.

#include "stitch-arguments.h"

#include "arguments.h"

namespace video_depth_binding {

namespace {

int read_int(const Napi::Value& value, const std::string& parameter, int64_t least, int64_t most) {
  return static_cast<int>(read_integer(value, parameter, least, most));
}

video_depth::SlotRange read_range(const Napi::Object& step, const char* name) {
  const std::string parameter = std::string("step.") + name;
  const Napi::Object range = read_object(member(step, name), parameter);
  return {read_int(member(range, "slot"), parameter + ".slot", 0, kMaxItems),
          read_int(member(range, "count"), parameter + ".count", 0, kMaxItems)};
}

std::vector<video_depth::SlotFrame> read_pairs(const Napi::Object& step, const char* name) {
  const std::string parameter = std::string("step.") + name;
  const Napi::Array array = read_array(member(step, name), parameter, kMaxItems);
  const uint32_t length = array.Length();
  std::vector<video_depth::SlotFrame> pairs;
  for (uint32_t i = 0; i < length; i++) {
    const std::string at = item(parameter, i);
    const Napi::Object pair = read_object(element(array, i), at);
    pairs.push_back({read_int(member(pair, "slot"), at + ".slot", 0, kMaxItems),
                     read_integer(member(pair, "frame"), at + ".frame", 0, kMaxSafeInteger)});
  }
  return pairs;
}

std::vector<int64_t> read_frames(const Napi::Object& step, const char* name) {
  const std::string parameter = std::string("step.") + name;
  const Napi::Array array = read_array(member(step, name), parameter, kMaxItems);
  const uint32_t length = array.Length();
  std::vector<int64_t> frames;
  for (uint32_t i = 0; i < length; i++) {
    frames.push_back(read_integer(element(array, i), item(parameter, i), 0, kMaxSafeInteger));
  }
  return frames;
}

} // namespace

video_depth::StitchStep read_step(const Napi::Value& value) {
  const Napi::Object object = read_object(value, "step");
  video_depth::StitchStep step;
  step.align = read_pairs(object, "align");
  step.blend = read_range(object, "blend");
  step.append = read_range(object, "append");
  step.remember = read_pairs(object, "remember");
  step.forget = read_frames(object, "forget");
  step.hold = read_int(member(object, "hold"), "step.hold", 0, kMaxItems);
  return step;
}

size_t leaving_frames(const video_depth::StitchStep& step, int held, size_t slots) {
  const int leaving = held + step.append.count - step.hold;
  const bool is_sound = static_cast<size_t>(step.append.count) <= slots && leaving >= 0;
  return is_sound ? static_cast<size_t>(leaving) : 0;
}

Napi::Object to_js(Napi::Env env, const video_depth::StitchResult& result) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("scale", result.scale);
  object.Set("shift", result.shift);
  object.Set("degenerate", result.degenerate);
  object.Set("anew", result.is_anew);
  object.Set("leftOut", result.left_out);
  object.Set("nonFinite", static_cast<double>(result.non_finite));
  return object;
}

std::vector<Napi::Value> read_values(const Napi::Value& value, const std::string& parameter) {
  const Napi::Array array = read_array(value, parameter, kMaxItems);
  const uint32_t length = array.Length();
  std::vector<Napi::Value> values;
  for (uint32_t i = 0; i < length; i++) values.push_back(element(array, i));
  return values;
}

} // namespace video_depth_binding

// Owns: reading a NativeStepEntry (lib/native/gpu-types.ts).
// Must not know: how steps are run.

#include "gpu/step-arguments.h"

#include <limits>
#include <vector>

#include "arguments.h"
#include "picture.h"
#include "stitch-arguments.h"

namespace video_depth_binding {

namespace {

constexpr int kMostPositions = 4096;

std::vector<float> read_mask(const Napi::Value& value, const std::string& parameter) {
  const std::vector<Napi::Value> values = read_values(value, parameter);
  std::vector<float> mask;
  for (uint32_t i = 0; i < values.size(); i++) {
    mask.push_back(read_flag(values[i], item(parameter, i)) ? 0.0f : -std::numeric_limits<float>::infinity());
  }
  return mask;
}

} // namespace

bool read_flag(const Napi::Value& value, const std::string& parameter) {
  if (!value.IsBoolean()) throw unexpected("true or false", parameter, value);
  return value.As<Napi::Boolean>().Value();
}

ReadEntry read_entry(const Napi::Value& value, const std::string& at, int row) {
  const Napi::Object object = read_object(value, at);
  ReadEntry read{};
  read.entry.row = row;
  const std::vector<Napi::Value> positions = read_values(member(object, "positions"), at + ".positions");
  for (uint32_t i = 0; i < positions.size(); i++) {
    read.entry.positions.push_back(read_integer(positions[i], item(at + ".positions", i), 0, kMostPositions));
  }
  read.entry.mask = read_mask(member(object, "visible"), at + ".visible");
  const std::vector<Napi::Value> write = read_values(member(object, "write"), at + ".write");
  for (uint32_t i = 0; i < write.size(); i++) {
    const int64_t slot = read_integer(write[i], item(at + ".write", i), 0, kMostPositions);
    read.entry.write.push_back(static_cast<int>(slot));
  }
  read.entry.fit = read_flag(member(object, "fit"), at + ".fit");
  read.wants_depth = read_flag(member(object, "wantsDepth"), at + ".wantsDepth");
  const PictureArgument picture = read_picture(member(object, "picture"), at + ".picture");
  read.picture = picture.view;
  read.data = picture.data;
  read.entry.frame = {picture.view.width, picture.view.height};
  return read;
}

} // namespace video_depth_binding

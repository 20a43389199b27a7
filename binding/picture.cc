// Owns: reading a NativePicture (lib/native/types.ts).
// Must not know: what is done with pictures.

#include "picture.h"

#include <initializer_list>
#include <utility>

#include "arguments.h"
#include "bounds.h"
#include "job-arrays.h"

namespace video_depth_binding {

namespace {

using video_depth::ColorMatrix;
using video_depth::ColorRange;
using video_depth::PixelFormat;

template <typename Choice>
Choice read_choice(const Napi::Value& value, const std::string& parameter,
                   std::initializer_list<std::pair<const char*, Choice>> choices) {
  std::string names;
  for (const auto& [name, choice] : choices) {
    if (value.IsString() && value.As<Napi::String>().Utf8Value() == name) return choice;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  throw unexpected("one of " + names, parameter, value);
}

PixelFormat read_format(const Napi::Value& value, const std::string& parameter) {
  return read_choice<PixelFormat>(value, parameter,
                                  {{"rgb24", PixelFormat::kRgb24},
                                   {"bgr24", PixelFormat::kBgr24},
                                   {"rgba", PixelFormat::kRgba},
                                   {"bgra", PixelFormat::kBgra},
                                   {"gray8", PixelFormat::kGray8},
                                   {"nv12", PixelFormat::kNv12},
                                   {"yuyv422", PixelFormat::kYuyv422}});
}

} // namespace

OwnedPicture::OwnedPicture(const char* operation, const video_depth::PictureView& borrowed) : view(borrowed) {
  video_depth::check_picture(operation, borrowed);
  view.length = video_depth::picture_bytes(borrowed);
  bytes = copied(borrowed.data, view.length);
  view.data = bytes.get();
}

PictureArgument read_picture(const Napi::Value& value, const std::string& parameter) {
  const Napi::Object picture = read_object(value, parameter);
  const auto name_of = [&](const char* name) { return parameter + "." + name; };
  const auto read_number = [&](const char* name, int64_t most) {
    return read_integer(member(picture, name), name_of(name), 1, most);
  };
  video_depth::PictureView view{};
  view.width = static_cast<int>(read_number("width", video_depth::kMaxSide));
  view.height = static_cast<int>(read_number("height", video_depth::kMaxSide));
  view.stride_bytes = static_cast<size_t>(read_number("strideBytes", INT32_MAX));
  view.format = read_format(member(picture, "pixelFormat"), name_of("pixelFormat"));
  view.matrix = read_choice<ColorMatrix>(member(picture, "colorMatrix"), name_of("colorMatrix"),
                                         {{"bt601", ColorMatrix::kBt601}, {"bt709", ColorMatrix::kBt709}});
  view.range = read_choice<ColorRange>(member(picture, "colorRange"), name_of("colorRange"),
                                       {{"limited", ColorRange::kLimited}, {"full", ColorRange::kFull}});
  // Last: a getter could detach an array that was read before it.
  const Napi::Uint8Array data = read_bytes(member(picture, "data"), name_of("data"));
  view.data = data.Data();
  view.length = data.ByteLength();
  return {view, data};
}

} // namespace video_depth_binding

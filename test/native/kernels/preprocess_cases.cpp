// Owns: cases of the preprocessing kernel.
// Must not know: where kernels run.

#include <cmath>

#include "cuda/float16.h"
#include "cuda/reference.h"
#include "kernels/cases.h"

namespace kernel_test {

namespace {

using video_depth::ColorMatrix;
using video_depth::ColorRange;
using video_depth::PixelFormat;

constexpr PixelFormat kFormats[] = {PixelFormat::kRgb24,  PixelFormat::kBgr24, PixelFormat::kRgba,
                                    PixelFormat::kBgra,   PixelFormat::kGray8, PixelFormat::kNv12,
                                    PixelFormat::kYuyv422};

/// The kernel normalises with pairs of float32, within 2 roundings of float64's result: 5e-7 at the values
/// that occur.
constexpr float kTolerance = 1e-6f;
/// One step of float16, where two float32 results round to different sides.
constexpr float kHalfStep = 0x1p-10f;

bool is_close(float found, float expected, float tolerance) {
  return std::abs(found - expected) <= tolerance * std::max(1.0f, std::abs(expected));
}

std::vector<float> widened(const std::vector<uint16_t>& values) {
  std::vector<float> wide;
  for (const uint16_t value : values) wide.push_back(float16_value(value));
  return wide;
}

struct PictureCase {
  Extent in, out;
  PixelFormat format = PixelFormat::kRgb24;
  ColorMatrix matrix = ColorMatrix::kBt601;
  ColorRange range = ColorRange::kLimited;
  size_t padding = 0;
  /// Bytes that the picture lies off an aligned address.
  size_t offset = 0;
};

template <class T>
std::vector<float> run_twice(Tally& tally, const PictureView& picture, Extent size, size_t offset,
                             const std::string& name) {
  const Element element = sizeof(T) == 2 ? Element::kFloat16 : Element::kFloat32;
  std::vector<T> results[2];
  for (std::vector<T>& result : results) {
    Output<T> out(3 * area(size), offset);
    tally.check(run_preprocess(picture, out.data(), element, size), name + ": launched");
    tally.check(out.guards_intact(), name + ": sentinels");
    result = out.values();
  }
  tally.check(std::memcmp(results[0].data(), results[1].data(), results[0].size() * sizeof(T)) == 0,
              name + ": the same bits twice");
  if constexpr (sizeof(T) == 2) {
    return widened(results[0]);
  } else {
    return results[0];
  }
}

void check_picture_case(Tally& tally, const PictureCase& c) {
  PictureView view{nullptr, 0, c.in.width, c.in.height, c.format, 0, c.matrix, c.range};
  view.stride_bytes = video_depth::row_bytes(c.format, c.in.width) + c.padding;
  const std::vector<uint8_t> bytes = noise_bytes(video_depth::picture_bytes(view), 7);
  view.length = bytes.size();
  view.data = bytes.data();
  std::vector<float> expected(3 * area(c.out));
  const bool given = reference::preprocess(view, expected.data(), Element::kFloat32, c.out);
  const std::string name =
      text("picture", c.in, c.out) + " format " + std::to_string(static_cast<int>(c.format));
  tally.check(given, name + ": reference");

  const Input<uint8_t> picture(bytes, c.offset);
  view.data = picture.data();
  const std::vector<float> wide = run_twice<float>(tally, view, c.out, c.offset, name);
  const std::vector<float> narrow = run_twice<uint16_t>(tally, view, c.out, c.offset, name + " float16");
  float worst = 0;
  size_t wrong = 0;
  for (size_t i = 0; i < expected.size(); i++) {
    worst = std::max(worst, std::abs(wide[i] - expected[i]));
    if (!is_close(wide[i], expected[i], kTolerance)) wrong++;
    if (!is_close(narrow[i], float16_value(float16_bits(expected[i])), kHalfStep)) wrong++;
  }
  tally.check(wrong == 0,
              name + ": " + std::to_string(wrong) + " values are off, by up to " + std::to_string(worst));
}

} // namespace

void preprocess_formats(Tally& tally) {
  for (const PixelFormat format : kFormats) {
    for (const ColorMatrix matrix : {ColorMatrix::kBt601, ColorMatrix::kBt709}) {
      for (const ColorRange range : {ColorRange::kLimited, ColorRange::kFull}) {
        for (const Extent in : {Extent{1, 1}, {3, 1}, {1, 3}, {37, 23}, {66, 31}}) {
          check_picture_case(tally, {in, {42, 28}, format, matrix, range, 0, 0});
        }
        check_picture_case(tally, {{67, 33}, {28, 42}, format, matrix, range, 5, 3});
      }
    }
  }
}

void preprocess_sizes(Tally& tally) {
  const PictureCase cases[] = {
      {{1, 1}, {1, 1}},
      {{1, 97}, {14, 28}},
      {{9, 1}, {28, 14}},
      {{131, 97}, {154, 113}},
      {{31, 17}, {300, 201}},
      {{300, 200}, {129, 1}},
      {{2, 2}, {127, 3}},
      {{128, 9}, {128, 9}},
      // about four source columns for each: as they follow one another, or tap by tap
      {{517, 31}, {130, 31}},
      {{641, 37}, {129, 14}},
      {{512, 20}, {128, 5}},
      {{516, 20}, {128, 5}},
      // far smaller
      {{1000, 700}, {98, 70}},
      {{4096, 16}, {129, 14}},
      {{3000, 5}, {1, 1}},
      {{32768, 1}, {257, 2}}};
  for (PictureCase c : cases) {
    for (const size_t offset : {0, 1, 2, 3}) {
      c.offset = offset;
      c.padding = 7 * offset;
      check_picture_case(tally, c);
    }
  }
  check_picture_case(tally, {{1920, 1080}, {924, 518}, PixelFormat::kNv12});
  check_picture_case(tally, {{1280, 720}, {518, 518}, PixelFormat::kRgb24});
}

void preprocess_refusals(Tally& tally) {
  const Input<uint8_t> bytes(noise_bytes(64, 1));
  Output<float> out(3 * 4 * 4);
  const PictureView fine{bytes.data(), 64, 4, 4, PixelFormat::kRgb24, 12};
  const auto refused = [&](const PictureView& picture, void* to, Extent size, const char* what) {
    tally.check(!run_preprocess(picture, to, Element::kFloat32, size), what);
  };
  refused(fine, nullptr, {4, 4}, "no result");
  refused(fine, out.data(), {0, 4}, "width 0");
  refused(fine, out.data(), {4, -1}, "height -1");
  refused(fine, out.data(), {32769, 1}, "too wide");
  refused(fine, reinterpret_cast<char*>(out.data()) + 2, {4, 4}, "float32 at an odd address");
  PictureView bad = fine;
  bad.data = nullptr;
  refused(bad, out.data(), {4, 4}, "no picture");
  bad = fine;
  bad.stride_bytes = 11;
  refused(bad, out.data(), {4, 4}, "rows that overlap");
  tally.check(out.values() == Output<float>::untouched(3 * 4 * 4), "nothing written");
  tally.check(run_preprocess(fine, out.data(), Element::kFloat32, {4, 4}), "what fits is launched");
}

} // namespace kernel_test

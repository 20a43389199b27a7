// Owns: what every kernel does, on the CPU and on the CPU's memory.
// Must not know: CUDA's headers, how kernels do it.

#include "cuda/reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "cuda/float16.h"
#include "cuda/launch_checks.h"
#include "image/bilinear.h"
#include "image/preprocess.h"
#include "stitch/align.h"
#include "stitch/map_fit.h"

namespace video_depth::cuda::reference {

namespace {

size_t area(Extent size) {
  return static_cast<size_t>(size.width) * static_cast<size_t>(size.height);
}

BilinearGeometry geometry_of(Extent map, Extent frame) {
  return {map.width, map.height, frame.width, frame.height};
}

void write_frame(const FrameJob& job, const BilinearGeometry& geometry, int height, const DeviceFit& fit) {
  if (job.if_left_out >= 0 && (fit.left_out >> job.if_left_out & 1) == 0) return;
  if (job.scale != nullptr) *job.scale = fit.scale;
  const auto scale = static_cast<float>(fit.scale);
  const auto shift = static_cast<float>(fit.shift);
  const auto width = static_cast<size_t>(geometry.out_width);
  const size_t row_bytes = width * sizeof(float);
  std::vector<float> scratch(UpsampledRows::scratch_size(geometry)), held(width);
  UpsampledRows rows(geometry, job.map, scratch.data());
  for (int y = 0; y < height; y++) {
    const size_t at = static_cast<size_t>(y) * width;
    if (job.held != nullptr) std::memcpy(held.data(), job.held + at, row_bytes);
    if (job.map == nullptr) {
      std::memcpy(job.out + at, held.data(), row_bytes);
    } else if (job.held == nullptr || fit.is_anew != 0) {
      write_scaled(rows.row(y), scale, shift, job.out + at, geometry.out_width);
    } else {
      write_blended(rows.row(y), scale, shift, held.data(), job.weight, job.out + at, geometry.out_width);
    }
  }
}

uint16_t rounded_to_16_bits(float value) {
  if (std::isnan(value)) return 0;
  return static_cast<uint16_t>(std::nearbyint(std::clamp(value, 0.0f, 65535.0f)));
}

} // namespace

bool preprocess(const PictureView& picture, void* out, Element element, Extent size) {
  if (!preprocess_fits(picture, out, element, size)) return false;
  const size_t values = 3 * area(size);
  if (element == Element::kFloat32) {
    video_depth::preprocess(picture, {static_cast<float*>(out), values, size.width, size.height}, 1);
    return true;
  }
  std::vector<float> wide(values);
  video_depth::preprocess(picture, {wide.data(), values, size.width, size.height}, 1);
  std::transform(wide.begin(), wide.end(), static_cast<uint16_t*>(out), float16_bits);
  return true;
}

bool fit(const FitPair* pairs, int count, Extent map, Extent frame, DeviceFit* fit) {
  if (!fit_fits(pairs, count, map, frame, fit, fit)) return false;
  const BilinearGeometry geometry = geometry_of(map, frame);
  std::vector<float> scratch(UpsampledRows::scratch_size(geometry));
  FitSums all;
  ReferenceSums references[kMostFitPairs];
  for (int i = 0; i < count; i++) {
    if (pairs[i].scale != nullptr) references[i].scale = *pairs[i].scale;
    UpsampledRows rows(geometry, pairs[i].map, scratch.data());
    for (int y = 0; y < frame.height; y++) {
      const float* target = pairs[i].target + static_cast<size_t>(y) * static_cast<size_t>(frame.width);
      const FitSums row = sum_row(rows.row(y), target, frame.width);
      all += row;
      references[i].sums += row;
    }
  }
  *fit = device_fit(solve_window(all, references, count));
  return true;
}

bool map_fit(const float* prediction, const float* target, size_t count, DeviceFit* fit) {
  if (!map_fit_fits(prediction, target, count, fit, fit)) return false;
  const MapFit found = fit_map(prediction, count, target, count);
  *fit = {found.fit.scale, found.fit.shift, found.correlation, found.fit.degenerate ? 1 : 0};
  return true;
}

bool write_frames(const FrameJob* jobs, int count, Extent map, Extent frame, const DeviceFit* fit) {
  if (!write_frames_fits(jobs, count, map, frame, fit)) return false;
  const BilinearGeometry geometry = geometry_of(map, frame);
  for (int i = 0; i < count; i++) {
    write_frame(jobs[i], geometry, frame.height, fit == nullptr ? kUnscaled : *fit);
  }
  return true;
}

bool health(const float* maps, int count, size_t values, MapHealth* health) {
  if (!health_fits(maps, count, values, health)) return false;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (size_t map = 0; map < static_cast<size_t>(count); map++) {
    MapHealth found{0, infinity, -infinity};
    for (size_t i = 0; i < values; i++) {
      const float value = maps[map * values + i];
      if (!std::isfinite(value)) {
        found.non_finite++;
      } else {
        found.least = std::min(found.least, value);
        found.most = std::max(found.most, value);
      }
    }
    health[map] = found;
  }
  return true;
}

bool convert(const float* in, void* out, OutputType type, size_t count, float scale, float offset) {
  if (!convert_fits(in, out, type, count)) return false;
  for (size_t i = 0; i < count; i++) {
    const float value = in[i] * scale + offset;
    if (type == OutputType::kFloat32) static_cast<float*>(out)[i] = value;
    if (type == OutputType::kFloat16) static_cast<uint16_t*>(out)[i] = float16_bits(value);
    if (type == OutputType::kUint16) static_cast<uint16_t*>(out)[i] = rounded_to_16_bits(value);
  }
  return true;
}

bool copy_blocks(const BlockCopy* copies, int count, size_t bytes) {
  if (!copy_blocks_fits(copies, count, bytes)) return false;
  for (int i = 0; i < count; i++) {
    if (bytes > 0) std::memcpy(copies[i].to, copies[i].from, bytes);
  }
  return true;
}

bool write_state(const void* state, void* memory, Element element, int pixels, int slots, int width,
                 int first, int stride, int written, const MapHealth* gate) {
  if (!write_state_fits(state, memory, element, pixels, slots, width, first, stride, written)) return false;
  if (gate != nullptr && gate->non_finite != 0) return true;
  const size_t bytes = static_cast<size_t>(width) * (element == Element::kFloat32 ? 4 : 2);
  for (size_t pixel = 0; pixel < static_cast<size_t>(pixels); pixel++) {
    const char* from = static_cast<const char*>(state) + pixel * bytes;
    char* to = static_cast<char*>(memory) + pixel * static_cast<size_t>(slots) * bytes;
    for (int i = 0; i < written; i++) {
      std::memcpy(
          to + (static_cast<size_t>(first) + static_cast<size_t>(i) * static_cast<size_t>(stride)) * bytes,
          from, bytes);
    }
  }
  return true;
}

} // namespace video_depth::cuda::reference

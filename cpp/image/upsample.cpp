// Owns: one map at another size: bilinear, scaled, shifted and clamped.
// Must not know: stitching.

#include "image/upsample.h"

#include <string>
#include <vector>

#include "checks.h"
#include "error.h"
#include "image/bilinear.h"
#include "image/non_finite.h"
#include "parallel.h"

namespace video_depth {

namespace {

void check_values(const void* data, size_t length, int width, int height, const char* parameter) {
  const size_t values = static_cast<size_t>(width) * static_cast<size_t>(height);
  if (data != nullptr && length == values) return;
  throw Error("upsample", std::to_string(values) + " values", parameter, std::to_string(length));
}

void check(const SourceMap& map, const TargetMap& out, int threads) {
  check_side("upsample", map.width, "mapWidth");
  check_side("upsample", map.height, "mapHeight");
  check_side("upsample", out.width, "outWidth");
  check_side("upsample", out.height, "outHeight");
  check_threads("upsample", threads);
  check_values(map.data, map.length, map.width, map.height, "map");
  check_values(out.data, out.length, out.width, out.height, "out");
  if (overlap(map.data, map.length * sizeof(float), out.data, out.length * sizeof(float))) {
    throw Error("upsample", "memory apart from the map's", "out", "memory that overlaps it");
  }
}

} // namespace

uint64_t upsample(const SourceMap& map, const TargetMap& out, float scale, float shift, int threads) {
  check(map, out, threads);
  const BilinearGeometry geometry(map.width, map.height, out.width, out.height);
  const size_t scratch_size = UpsampledRows::scratch_size(geometry);
  std::vector<float> scratch(scratch_size * static_cast<size_t>(threads));
  parallel_rows(out.height, threads, [&](const RowChunk& chunk) {
    UpsampledRows rows(geometry, map.data, scratch.data() + scratch_size * static_cast<size_t>(chunk.worker));
    for (int y = chunk.begin; y < chunk.end; y++) {
      const size_t at = static_cast<size_t>(y) * static_cast<size_t>(out.width);
      write_scaled(rows.row(y), scale, shift, out.data + at, out.width);
    }
  });
  uint64_t non_finite = 0;
  for (size_t at = 0; at < map.length; at += static_cast<size_t>(map.width)) {
    non_finite += count_non_finite(map.data + at, map.width);
  }
  return non_finite;
}

} // namespace video_depth

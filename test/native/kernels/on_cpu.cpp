// Owns: running what a kernel's threads do on the CPU: block by block, and of a block thread by thread.
// Must not know: CUDA's headers, what is tested.

#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "cuda/bodies/blocks.h"
#include "cuda/bodies/fit.h"
#include "cuda/bodies/frames.h"
#include "cuda/bodies/preprocess.h"
#include "cuda/bodies/reduce.h"
#include "cuda/bodies/values.h"
#include "cuda/launch_checks.h"
#include "kernels/device.h"

namespace kernel_test {

namespace {

using video_depth::PixelFormat;

constexpr std::align_val_t kAlignment{256};

size_t blocks_for(size_t work, size_t per_block) {
  return (work + per_block - 1) / per_block;
}

int sides(int length, int per_block) {
  return (length + per_block - 1) / per_block;
}

/// See reduce_block; `find` gives a thread's part.
template <class T, class Find>
T reduced(int threads, const Find& find) {
  std::vector<T> shared;
  for (int thread = 0; thread < threads; thread++) shared.push_back(find(thread));
  for (int half = threads / 2; half > 0; half /= 2) {
    for (int thread = 0; thread < threads; thread++) merge_half(shared.data(), half, thread);
  }
  return shared[0];
}

template <PixelFormat kFormat>
void preprocess_tiles(const PreprocessTask& task, const video_depth::YuvTables& tables) {
  for (int tile_y = 0; tile_y < sides(task.size.height, kTileRows); tile_y++) {
    for (int tile_x = 0; tile_x < sides(task.size.width, kTileColumns); tile_x++) {
      PreprocessTile tile{};
      // Each tile has its own, no larger than a block gets, so that a sanitizer sees what leaves it.
      std::vector<float> mixed(task.mixed_bytes() / sizeof(float));
      for (int thread = 0; thread < kTileColumns; thread++)
        preprocess_taps(task, tile, tile_x, tile_y, thread);
      for (int thread = 0; thread < kTileColumns; thread++) {
        preprocess_mix<kFormat>(task, tile, tables, mixed.data(), tile_x, tile_y, thread);
      }
      for (int thread = 0; thread < kTileColumns; thread++) {
        preprocess_write(task, tile, mixed.data(), tile_x, tile_y, thread);
      }
    }
  }
}

template <int kColumns>
void write_strips(const FrameTask& task, int count) {
  const Extent frame = task.upsampling.frame;
  for (int job = 0; job < count; job++) {
    for (int strip = 0; strip < sides(frame.height, kStripRows); strip++) {
      for (int tile = 0; tile < sides(frame.width, kFrameThreads * kColumns); tile++) {
        for (int thread = 0; thread < kFrameThreads; thread++) {
          write_frame_strip<kColumns>(task, tile, strip, job, thread);
        }
      }
    }
  }
}

FitParts finished(const FitParts* parts, size_t count) {
  return reduced<FitParts>(kFinishThreads, [&](int thread) { return share_of(parts, count, thread); });
}

template <int kPack>
MapHealth map_health(const float* map, size_t values) {
  MapHealth health = no_health();
  for (size_t block = 0; block < blocks_for(values, size_t{kValueThreads} * kHealthPacks * kPack); block++) {
    merge(health, reduced<MapHealth>(kValueThreads, [&](int thread) {
            return health_of<kPack>(map, values, block, thread);
          }));
  }
  return health;
}

template <OutputType kType>
void convert_all(const ConvertTask& task) {
  const bool is_wide = task.is_wide<kType>();
  const size_t packs = blocks_for(task.count, (is_wide ? kWide : 1) * kValueThreads) * kValueThreads;
  for (size_t pack = 0; pack < packs; pack++) {
    if (is_wide) {
      convert_pack<kType, kWide>(task, pack);
    } else {
      convert_pack<kType, 1>(task, pack);
    }
  }
}

template <class Word>
void copy_all(const CopyTask& task, int count) {
  const size_t blocks = blocks_for(task.bytes / sizeof(Word), kBlockThreads * kCopyWords);
  for (int copy = 0; copy < count; copy++) {
    for (size_t block = 0; block < blocks; block++) {
      for (int thread = 0; thread < kBlockThreads; thread++) copy_words<Word>(task, copy, block, thread);
    }
  }
}

template <class Word>
void write_all(const StateTask& task) {
  const size_t words = task.width_bytes / sizeof(Word) * task.pixels;
  const auto threads = static_cast<unsigned>(blocks_for(words, kBlockThreads) * kBlockThreads);
  for (unsigned index = 0; index < threads; index++) write_state_word<Word>(task, index);
}

} // namespace

void* allocate(size_t bytes) {
  return ::operator new(bytes, kAlignment);
}

void release(void* data) {
  ::operator delete(data, kAlignment);
}

void upload(void* to, const void* from, size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

void download(void* to, const void* from, size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

bool run_preprocess(const PictureView& picture, void* out, Element element, Extent size) {
  if (!preprocess_fits(picture, out, element, size)) return false;
  const PreprocessTask task(picture, out, element, size);
  const auto tables = video_depth::YuvTables::of(picture.matrix, picture.range);
  switch (picture.format) {
    case PixelFormat::kRgb24:
      preprocess_tiles<PixelFormat::kRgb24>(task, tables);
      break;
    case PixelFormat::kBgr24:
      preprocess_tiles<PixelFormat::kBgr24>(task, tables);
      break;
    case PixelFormat::kRgba:
      preprocess_tiles<PixelFormat::kRgba>(task, tables);
      break;
    case PixelFormat::kBgra:
      preprocess_tiles<PixelFormat::kBgra>(task, tables);
      break;
    case PixelFormat::kGray8:
      preprocess_tiles<PixelFormat::kGray8>(task, tables);
      break;
    case PixelFormat::kNv12:
      preprocess_tiles<PixelFormat::kNv12>(task, tables);
      break;
    case PixelFormat::kYuyv422:
      preprocess_tiles<PixelFormat::kYuyv422>(task, tables);
      break;
  }
  return true;
}

bool run_fit(const FitPair* pairs, int count, Extent map, Extent frame, void* scratch, DeviceFit* fit) {
  if (!fit_fits(pairs, count, map, frame, scratch, fit)) return false;
  FitParts* parts = parts_in(scratch);
  const FitTask task(pairs, count, map, frame);
  const int tiles = fit_tiles(frame), strips = fit_strips(frame);
  size_t at = 0;
  for (int pair = 0; pair < count; pair++) {
    for (int strip = 0; strip < strips; strip++) {
      for (int tile = 0; tile < tiles; tile++) {
        parts[at++] = reduced<FitParts>(kFitThreads, [&](int thread) {
          return fit_strip(task, task.is_wide(count), tile, strip, pair, thread);
        });
      }
    }
  }
  const auto pair_parts = static_cast<size_t>(tiles) * static_cast<size_t>(strips);
  std::vector<FitParts> each;
  for (int pair = 0; pair < count; pair++) {
    each.push_back(finished(parts + static_cast<size_t>(pair) * pair_parts, pair_parts));
  }
  *fit = window_fit_from(finished(parts, at), each.data(), FitScales(pairs, count), count, values_of(frame));
  return true;
}

bool run_map_fit(const float* prediction, const float* target, size_t count, void* scratch, DeviceFit* fit) {
  if (!map_fit_fits(prediction, target, count, scratch, fit)) return false;
  FitParts* parts = parts_in(scratch);
  const size_t blocks = map_fit_blocks(count);
  const auto values = static_cast<double>(count);
  for (size_t block = 0; block < blocks; block++) {
    parts[block] = reduced<FitParts>(
        kFitThreads, [&](int thread) { return map_sums(prediction, target, count, block, thread); });
  }
  const MapFitState state = state_from(finished(parts, blocks), values);
  for (size_t block = 0; block < blocks; block++) {
    parts[block] = reduced<FitParts>(kFitThreads, [&](int thread) {
      return map_moments(prediction, target, count, state, block, thread);
    });
  }
  *fit = map_fit_from(state, finished(parts, blocks), values);
  return true;
}

bool run_write_frames(const FrameJob* jobs, int count, Extent map, Extent frame, const DeviceFit* fit) {
  if (!write_frames_fits(jobs, count, map, frame, fit)) return false;
  const FrameTask task(jobs, count, map, frame, fit);
  if (task.is_wide) {
    write_strips<kWide>(task, count);
  } else {
    write_strips<1>(task, count);
  }
  return true;
}

bool run_health(const float* maps, int count, size_t values, MapHealth* health) {
  if (!health_fits(maps, count, values, health)) return false;
  for (size_t i = 0; i < static_cast<size_t>(count); i++) {
    health[i] = is_health_wide(maps, values) ? map_health<kWide>(maps + i * values, values)
                                             : map_health<1>(maps + i * values, values);
  }
  return true;
}

bool run_convert(const float* in, void* out, OutputType type, size_t count, float scale, float offset) {
  if (!convert_fits(in, out, type, count)) return false;
  const ConvertTask task{in, out, count, scale, offset};
  if (type == OutputType::kFloat32) convert_all<OutputType::kFloat32>(task);
  if (type == OutputType::kFloat16) convert_all<OutputType::kFloat16>(task);
  if (type == OutputType::kUint16) convert_all<OutputType::kUint16>(task);
  return true;
}

bool run_copy_blocks(const BlockCopy* copies, int count, size_t bytes) {
  if (!copy_blocks_fits(copies, count, bytes)) return false;
  const CopyTask task(copies, count, bytes);
  if (task.is_wide) {
    copy_all<WideWord>(task, count);
  } else {
    copy_all<uint32_t>(task, count);
  }
  return true;
}

bool run_write_state(const void* state, void* memory, Element element, int pixels, int slots, int width,
                     int first, int stride, int written, const MapHealth* gate) {
  if (!write_state_fits(state, memory, element, pixels, slots, width, first, stride, written)) return false;
  const StateTask task(state, memory, element, pixels, slots, width, first, stride, written, gate);
  if (task.word_bytes() == sizeof(WideWord)) {
    write_all<WideWord>(task);
  } else if (task.word_bytes() == sizeof(uint32_t)) {
    write_all<uint32_t>(task);
  } else {
    write_all<uint16_t>(task);
  }
  return true;
}

size_t scratch_bytes(Extent frame) {
  return scratch_bytes_of(frame);
}

} // namespace kernel_test

// Owns: the whole network at one size: features of frames, the head over windows and streams.
// Must not know: files, videos, who keeps features and memories.

#include "cpu/network.h"

#include <algorithm>

#include "error.h"

namespace video_depth::cpu {

namespace {

Buffer<float> position_grid(const Model& model, int rows, int cols, const float* given) {
  if (given == nullptr && (rows != model.grid_side || cols != model.grid_side)) {
    const std::string side = std::to_string(model.grid_side);
    throw Error("make network", "a grid of " + side + "×" + side + " patches without positions",
                "rows and cols", std::to_string(rows) + "×" + std::to_string(cols));
  }
  Buffer<float> grid(static_cast<size_t>(rows) * static_cast<size_t>(cols) *
                     static_cast<size_t>(model.dimensions().embed_width));
  std::copy_n(given == nullptr ? model.positions.data() : given, grid.size(), grid.data());
  return grid;
}

} // namespace

Network::Network(const Model& model, int rows, int cols, const float* positions)
    : model_(model),
      rows_(rows),
      cols_(cols),
      sizes_(model.dimensions(), rows, cols),
      encoder_(model, rows, cols, position_grid(model, rows, cols, positions)),
      maps_(model.kernels(), model.team()),
      temporal_(model),
      bands_(static_cast<size_t>(model.team().size())) {
}

StreamMemory Network::new_memory(int slots) const {
  return {model_.state_pool(), state_bytes(), slots};
}

Network::Layers Network::layers(const float* features) const {
  Layers found{};
  for (size_t i = 0; i < sizes_.layer.size(); i++) {
    found.map[i] = features;
    features += sizes_.layer[i].values();
  }
  return found;
}

float* Network::frame(Buffer<float>& maps, int index, const MapSize& size) {
  return maps.data() + static_cast<size_t>(index) * size.values();
}

void Network::encode(const float* pixels, float* features) {
  const HeadWeights& head = model_.head;
  const auto& out = model_.dimensions().out_channels;
  std::array<float*, 4> map{};
  for (size_t i = 0; i < sizes_.layer.size(); i++) {
    map[i] = features;
    features += sizes_.layer[i].values();
  }
  const MapSize grid1{rows_, cols_, out[0]};
  const MapSize grid2{rows_, cols_, out[1]};
  const MapSize grid4{rows_, cols_, out[3]};
  float* projected1 = scratch_[0].grow(grid1.values() + grid2.values() + grid4.values());
  float* projected2 = projected1 + grid1.values();
  float* projected4 = projected2 + grid2.values();
  encoder_.run(pixels, {projected1, projected2, map[2], projected4});

  const auto enlarge = [&](const float* in, const Linear& weights, int factor, int channels) {
    float* wide = scratch_[1].grow(static_cast<size_t>(cols_) * rows_ * weights.width());
    float* large = scratch_[2].grow(static_cast<size_t>(cols_) * rows_ * weights.width());
    Finish end;
    end.out = wide;
    maps_.project(in, static_cast<size_t>(rows_) * cols_, weights, end);
    const ptrdiff_t run =
        static_cast<ptrdiff_t>(factor) * channels; // of one pixel, in one line of the result
    model_.team().run(rows_ * factor, [&](int y, int) {
      const float* from = wide + (static_cast<ptrdiff_t>(y / factor) * cols_ * factor + y % factor) * run;
      float* to = large + static_cast<ptrdiff_t>(y) * cols_ * run;
      for (int x = 0; x < cols_; x++) std::copy_n(from + x * factor * run, run, to + x * run);
    });
    return large;
  };
  Finish end;
  end.out = map[0];
  const float* large1 = enlarge(projected1, head.enlarge1, 4, out[0]);
  maps_.convolve(large1, {4 * rows_, 4 * cols_, out[0]}, false, head.layer[0], 1, end);
  end.out = map[1];
  const float* large2 = enlarge(projected2, head.enlarge2, 2, out[1]);
  maps_.convolve(large2, {2 * rows_, 2 * cols_, out[1]}, false, head.layer[1], 1, end);
  end.out = map[3];
  maps_.convolve(projected4, grid4, false, head.reduce4, 2, end);
}

/// Residual convolution unit, plus `other` where it is not null. `out` may be `other`, not `x`.
void Network::unit(const UnitWeights& weights, const float* x, const MapSize& size, const float* other,
                   float* out) {
  Finish first;
  first.out = scratch_[0].grow(size.values());
  maps_.convolve(x, size, true, weights.convolution[0], 1, first);
  Finish second;
  second.out = out;
  second.add = x;
  second.add2 = other;
  maps_.convolve(first.out, size, true, weights.convolution[1], 1, second);
}

/// Up to the 1×1 convolution, which stands before the enlargement here: both are linear, and the weights of a
/// pixel sum to 1.
void Network::fuse(const FusionWeights& weights, const float* path, const float* layer, const MapSize& size,
                   float* out) {
  const float* joined = path;
  float* refined = scratch_[2].grow(size.values());
  if (layer != nullptr) {
    float* sum = scratch_[1].grow(size.values());
    unit(weights.layer_unit, layer, size, path, sum);
    joined = sum;
  }
  unit(weights.unit, joined, size, nullptr, refined);
  Finish end;
  end.out = out;
  maps_.project(refined, size.pixels(), weights.output, end);
}

void Network::grow(int frames) {
  const auto count = static_cast<size_t>(frames);
  mixed_.grow(count * std::max(sizes_.layer[2].values(), sizes_.layer[3].values()));
  const MapSize deep{sizes_.layer[3].height, sizes_.layer[3].width, sizes_.path4.channels};
  joined3_.grow(count * sizes_.path4.values());
  joined4_.grow(count * deep.values());
  paths4_.grow(count * sizes_.path4.values());
  paths3_.grow(count * sizes_.path3.values());
}

/// From the joined layer 4 to the path before temporal module 2.
void Network::fusion4(int index) {
  const MapSize size{sizes_.layer[3].height, sizes_.layer[3].width, sizes_.path4.channels};
  float* out = scratch_[1].grow(size.values());
  fuse(model_.head.fusion[3], frame(joined4_, index, size), nullptr, size, out);
  maps_.resize(out, size, sizes_.path4.height, sizes_.path4.width, frame(paths4_, index, sizes_.path4));
}

/// From both joined layers to the path before temporal module 3.
void Network::fusion3(int index) {
  float* out = frame(joined3_, index, sizes_.path4); // its own input has been read by then
  fuse(model_.head.fusion[2], frame(paths4_, index, sizes_.path4), frame(joined3_, index, sizes_.path4),
       sizes_.path4, out);
  maps_.resize(out, sizes_.path4, sizes_.path3.height, sizes_.path3.width,
               frame(paths3_, index, sizes_.path3));
}

void Network::head(const std::vector<const float*>& window, const std::vector<const float*>& tables) {
  const int frames = static_cast<int>(window.size());
  frames_ = 0;
  grow(frames);
  const HeadWeights& head = model_.head;
  const auto mix = [&](size_t module, const std::vector<const float*>& in, const MapSize& size, float* out) {
    const TemporalWeights& weights = head.temporal[module];
    const float* two[kAttentions];
    Buffer<float> folded[kAttentions];
    for (size_t i = 0; i < kAttentions; i++) {
      const TemporalAttentionWeights& attention = weights.attention[i];
      two[i] = tables.empty() ? attention.positions.data() : tables[module * kAttentions + i];
      const size_t width = attention.scales.size();
      if (tables.empty() || width == 0) continue;
      float* own = folded[i].grow(static_cast<size_t>(frames) * width);
      for (size_t at = 0; at < folded[i].size(); at++) own[at] = two[i][at] / attention.scales[at % width];
      two[i] = own;
    }
    temporal_.window(weights, in, static_cast<int>(size.pixels()), two, out);
  };
  const auto in_place = [&](size_t module, Buffer<float>& maps, const MapSize& size) {
    std::vector<const float*> in;
    for (int i = 0; i < frames; i++) in.push_back(frame(maps, i, size));
    mix(module, in, size, maps.data());
  };
  for (size_t module = 0; module < 2; module++) {
    const MapSize& size = sizes_.layer[module + 2];
    std::vector<const float*> in;
    for (const float* features : window) in.push_back(layers(features).map[module + 2]);
    mix(module, in, size, mixed_.data());
    const MapSize out{size.height, size.width, sizes_.path4.channels};
    for (int i = 0; i < frames; i++) {
      Finish end;
      end.out = frame(module == 0 ? joined3_ : joined4_, i, out);
      maps_.convolve(frame(mixed_, i, size), size, false, head.layer[module + 2], 1, end);
    }
  }
  for (int i = 0; i < frames; i++) fusion4(i);
  in_place(2, paths4_, sizes_.path4);
  for (int i = 0; i < frames; i++) fusion3(i);
  in_place(3, paths3_, sizes_.path3);
  frames_ = frames;
}

void Network::step(const float* features, StreamMemory& memory, const int32_t* positions,
                   const uint8_t* visible) {
  std::vector<Seen> seen;
  for (int slot = 0; slot < memory.slots(); slot++) {
    if (visible[slot] == 0) continue;
    if (memory.frame(slot) == nullptr)
      throw Error("step", "slots that were put before", "visible", "slot " + std::to_string(slot));
    seen.push_back({memory.frame(slot), positions[slot]});
  }
  frames_ = 0;
  states_ = nullptr; // so that it may be the one that comes
  states_ = memory.new_frame();
  grow(1);
  const HeadWeights& head = model_.head;
  size_t offset = 0;
  const auto mix = [&](int module, float* x) {
    const MapSize& size = sizes_.temporal(module);
    Memory memories[kAttentions];
    for (Memory& one : memories) {
      one = {seen, positions[memory.slots()], visible[memory.slots()] != 0, states_.get() + offset};
      for (Seen& frame : one.seen) frame.states += offset;
      offset += size.values() * state_value_bytes(model_.precision());
    }
    temporal_.step(head.temporal[static_cast<size_t>(module)], x, static_cast<int>(size.pixels()), memories);
  };
  for (int module = 0; module < 2; module++) {
    const auto layer = static_cast<size_t>(module) + 2;
    std::copy_n(layers(features).map[layer], sizes_.layer[layer].values(), mixed_.data());
    mix(module, mixed_.data());
    Finish end;
    end.out = module == 0 ? joined3_.data() : joined4_.data();
    maps_.convolve(mixed_.data(), sizes_.layer[layer], false, head.layer[layer], 1, end);
  }
  fusion4(0);
  mix(2, paths4_.data());
  fusion3(0);
  mix(3, paths3_.data());
  frames_ = 1;
}

void Network::remember(StreamMemory& memory, const int32_t* into, int count) {
  if (states_ == nullptr) throw Error("remember", "a step before it", "states", "none");
  memory.put(states_, into, count);
  states_ = nullptr;
}

} // namespace video_depth::cpu

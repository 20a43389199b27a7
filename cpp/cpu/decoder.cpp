// Owns: the network's last part: fusion 2 and 1, and the output convolutions, band by band.
// Must not know: time, files, videos.

#include <algorithm>
#include <string>

#include "cpu/network.h"
#include "error.h"

namespace video_depth::cpu {

void Network::decode(int position, const float* features, float* map) {
  if (position < 0 || position >= frames_) {
    throw Error("decode", "a position below " + std::to_string(frames_), "position",
                std::to_string(position));
  }
  const HeadWeights& head = model_.head;
  const Layers layer = layers(features);
  const MapSize size2 = sizes_.layer[1];
  const MapSize size1 = sizes_.layer[0];
  float* narrow = scratch_[1].grow(size1.values());
  fuse(head.fusion[1], frame(paths3_, position, sizes_.path3), layer.map[1], size2, narrow);
  float* path2 = path2_.grow(size1.values());
  maps_.resize(narrow, size2, size1.height, size1.width, path2);
  fuse(head.fusion[0], path2, layer.map[0], size1, narrow = scratch_[1].grow(size1.values()));

  const int half = head.output1.width();
  const MapSize size0{8 * rows_, 8 * cols_, head.output1.depth() / 9};
  float* path1 = path1_.grow(size0.values());
  maps_.resize(narrow, size1, size0.height, size0.width, path1);
  Finish end;
  end.out = half_.grow(size0.pixels() * static_cast<size_t>(half));
  maps_.convolve(path1, size0, false, head.output1, 1, end);
  output(end.out, {size0.height, size0.width, half}, map);
}

/// Enlarges to the network's input size and convolves twice, some lines at a time: whole, that map would be
/// the largest.
void Network::output(const float* in, const MapSize& size, float* map) {
  const Kernels& kernels = model_.kernels();
  const Linear& weights = model_.head.output2;
  const int height = kPatch * rows_;
  const int width = kPatch * cols_;
  const int channels = size.channels;
  const ResizeAxis down(size.height, height);
  const ResizeAxis across(size.width, width);
  const ptrdiff_t line = static_cast<ptrdiff_t>(width + 2) * channels;
  constexpr int kLines = 14;
  model_.team().run((height + kLines - 1) / kLines, [&](int task, int worker) {
    Band& band = bands_[static_cast<size_t>(worker)];
    const int first = task * kLines;
    const int count = std::min(kLines, height - first);
    float* large = band.large.grow(static_cast<size_t>(line) * (kLines + 2));
    for (int i = 0; i < count + 2; i++) {
      const int y = first + i - 1;
      float* out = large + i * line;
      std::fill_n(out, channels, 0.0F);
      std::fill_n(out + line - channels, channels, 0.0F);
      if (y < 0 || y >= height) {
        std::fill_n(out, line, 0.0F);
        continue;
      }
      const auto index = static_cast<size_t>(y);
      const float* top = in + static_cast<ptrdiff_t>(down.left[index]) * size.width * channels;
      kernels.resize_row(top, top + static_cast<ptrdiff_t>(down.step[index]) * size.width * channels,
                         down.weight[index], across.left.data(), across.step.data(), across.weight.data(),
                         width, channels, out + channels);
    }
    const void* left = large;
    if (weights.arithmetic() == Arithmetic::bfloat16) {
      uint16_t* halves = band.halves.grow(static_cast<size_t>(line) * (kLines + 2));
      kernels.to_bf16(large, static_cast<size_t>(line) * static_cast<size_t>(count + 2), halves);
      left = halves;
    }
    float* hidden = band.hidden.grow(static_cast<size_t>(width) * kOutputChannels);
    for (int i = 0; i < count; i++) {
      const ptrdiff_t start = i * line;
      const Rows rows{weights.arithmetic() == Arithmetic::bfloat16
                          ? static_cast<const void*>(static_cast<const uint16_t*>(left) + start)
                          : static_cast<const void*>(static_cast<const float*>(left) + start),
                      width,
                      channels,
                      3 * channels,
                      3,
                      line};
      Finish end;
      end.out = hidden;
      end.stride = kOutputChannels;
      end.activation = Activation::relu;
      multiply(kernels, {rows, {}}, weights, end);
      kernels.project_to_depth(hidden, width, kOutputChannels, model_.head.depth_weight.data(),
                               model_.head.depth_bias, map + static_cast<ptrdiff_t>(first + i) * width);
    }
  });
}

} // namespace video_depth::cpu

// Owns: one temporal module over the frames of a window, and what a stream's step has in common with it.
// Must not know: where in the head it stands, which frames these are.

#include "cpu/temporal.h"

#include <algorithm>
#include <cmath>

#include "cpu/network_sizes.h"

namespace video_depth::cpu {

namespace {

/// Rows (pixels times frames) that a thread works on at a time: its cache holds what belongs to them.
constexpr int kRows = 64;
/// Pixels whose sums are float32 before they go into double ones.
constexpr int kSumPixels = 64;

size_t area(int a, int b) {
  return static_cast<size_t>(a) * static_cast<size_t>(b);
}

} // namespace

TemporalWorker::TemporalWorker(const Model& model)
    : model_(model),
      value_bytes_(state_value_bytes(model.precision())),
      workspaces_(static_cast<size_t>(model.team().size())) {
}

void TemporalWorker::group_norms(const TemporalWeights& weights, const std::vector<const float*>& frames,
                                 int pixels) {
  const Kernels& kernels = model_.kernels();
  const int channels = weights.input.depth();
  const auto width = static_cast<size_t>(channels);
  const Norm norm = weights.group_norm.view();
  scale_.grow(frames.size() * width);
  centre_.grow(frames.size() * width);
  model_.team().run(static_cast<int>(frames.size()), [&](int frame, int) {
    std::vector<double> sums(width);
    std::vector<double> squares(width);
    Buffer<float> part(2 * width);
    const float* x = frames[static_cast<size_t>(frame)];
    // Around the first pixel's values: sums of squares would lose what little a channel may vary.
    for (int start = 0; start < pixels; start += kSumPixels) {
      std::fill_n(part.data(), 2 * width, 0.0F);
      kernels.channel_sums(x + static_cast<size_t>(start) * width, std::min(kSumPixels, pixels - start),
                           channels, x, part.data(), part.data() + width);
      for (size_t c = 0; c < width; c++) {
        sums[c] += static_cast<double>(part[c]);
        squares[c] += static_cast<double>(part[width + c]);
      }
    }
    const auto group = static_cast<size_t>(channels / kTemporalGroups);
    for (size_t first = 0; first < width; first += group) {
      double mean = 0;
      for (size_t c = first; c < first + group; c++) {
        const double own = static_cast<double>(x[c]) + sums[c] / pixels;
        mean += own / static_cast<double>(group);
      }
      double variance = 0;
      for (size_t c = first; c < first + group; c++) {
        const double offset = sums[c] / pixels;
        const double own = std::max(0.0, squares[c] / pixels - offset * offset);
        const double apart = static_cast<double>(x[c]) + offset - mean;
        variance += (own + apart * apart) / static_cast<double>(group);
      }
      const double inverse = 1.0 / std::sqrt(variance + static_cast<double>(norm.epsilon));
      for (size_t c = first; c < first + group; c++) {
        const size_t at = static_cast<size_t>(frame) * width + c;
        scale_[at] = static_cast<float>(inverse * static_cast<double>(norm.weight[c]));
        centre_[at] = static_cast<float>(mean);
      }
    }
  });
}

void TemporalWorker::window(const TemporalWeights& weights, const std::vector<const float*>& frames,
                            int pixels, const float* const tables[kAttentions], float* out) {
  const Kernels& kernels = model_.kernels();
  const int count = static_cast<int>(frames.size());
  const int channels = weights.input.depth();
  group_norms(weights, frames, pixels);
  const int taken = std::max(1, kRows / count); // pixels a task
  model_.team().run((pixels + taken - 1) / taken, [&](int task, int worker) {
    Workspace& workspace = workspaces_[static_cast<size_t>(worker)];
    const int first = task * taken;
    const int sequences = std::min(taken, pixels - first);
    const int rows = sequences * count;
    float* normal = workspace.normal.grow(area(rows, channels));
    float* x = workspace.x.grow(area(rows, channels));
    for (int row = 0; row < rows; row++) {
      const size_t frame = static_cast<size_t>(row % count);
      const size_t norms = frame * static_cast<size_t>(channels);
      kernels.affine(frames[frame] + area(first + row / count, channels), centre_.data() + norms,
                     scale_.data() + norms, weights.group_norm.bias.data(), channels,
                     normal + area(row, channels));
    }
    Finish to_x;
    to_x.out = x;
    multiply(kernels, workspace.left, normal, weights.input.depth(), rows, weights.input, to_x);
    to_x.add = x;
    for (size_t i = 0; i < kAttentions; i++) {
      const TemporalAttentionWeights& attention = weights.attention[i];
      kernels.layer_norm(x, channels, rows, channels, attention.norm.view(), tables[i], count, normal);
      Finish to_wide;
      to_wide.out = workspace.wide.grow(3 * area(rows, channels));
      multiply(kernels, workspace.left, normal, attention.query_key_value.depth(), rows,
               attention.query_key_value, to_wide);
      attend_window(workspace, count, sequences, channels);
      multiply(kernels, workspace.left, normal, attention.output.depth(), rows, attention.output, to_x);
    }
    feed_forward(weights, workspace, rows);
    Finish to_normal;
    to_normal.out = normal;
    multiply(kernels, workspace.left, x, weights.output.depth(), rows, weights.output, to_normal);
    for (int row = 0; row < rows; row++) {
      const size_t frame = static_cast<size_t>(row % count);
      const size_t pixel = area(first + row / count, channels);
      kernels.add(normal + area(row, channels), frames[frame] + pixel, static_cast<size_t>(channels),
                  out + frame * area(pixels, channels) + pixel);
    }
  });
}

/// From queries, keys and values in `wide` to `normal`: each pixel's frames attend to each other.
void TemporalWorker::attend_window(Workspace& workspace, int frames, int sequences, int channels) const {
  const Kernels& kernels = model_.kernels();
  const int head_width = channels / kTemporalHeads;
  const int padded = round_up(frames, kColumns);
  const ptrdiff_t stride = 3 * static_cast<ptrdiff_t>(channels);
  float* keys = workspace.keys.grow(area(channels, padded));
  float* scores = workspace.scores.grow(area(frames, padded));
  float* sums = workspace.sums.grow(static_cast<size_t>(frames));
  for (int sequence = 0; sequence < sequences; sequence++) {
    const float* query = workspace.wide.data() + sequence * frames * stride;
    float* out = workspace.normal.data() + area(sequence * frames, channels);
    kernels.transpose(query + channels, stride, frames, channels, keys, padded);
    for (int head = 0; head < kTemporalHeads; head++) {
      const ptrdiff_t offset = static_cast<ptrdiff_t>(head) * head_width;
      Finish to_scores;
      to_scores.out = scores;
      to_scores.stride = padded;
      kernels.product_f32({query + offset, frames, stride, head_width},
                          {keys + offset * padded, padded, padded, kColumns}, to_scores);
      kernels.softmax(scores, padded, frames, frames, padded, nullptr, sums);
      for (int row = 0; row < frames; row++) {
        kernels.multiply(scores + area(row, padded), 1.0F / sums[row], static_cast<size_t>(padded));
      }
      Finish to_out;
      to_out.out = out + offset;
      to_out.stride = channels;
      kernels.product_f32(
          {scores, frames, padded, frames},
          {query + 2 * static_cast<ptrdiff_t>(channels) + offset, head_width, stride, kColumns}, to_out);
    }
  }
}

/// GEGLU on `x`, in place.
void TemporalWorker::feed_forward(const TemporalWeights& weights, Workspace& workspace, int rows) const {
  const Kernels& kernels = model_.kernels();
  const int channels = weights.input.depth();
  float* x = workspace.x.data();
  float* normal = workspace.normal.data();
  kernels.layer_norm(x, channels, rows, channels, weights.norm.view(), nullptr, 1, normal);
  Finish values;
  values.out = workspace.wide.grow(4 * area(rows, channels));
  values.stride = 4 * static_cast<ptrdiff_t>(channels);
  Finish gates = values;
  gates.out = workspace.gates.grow(4 * area(rows, channels));
  gates.activation = Activation::gelu;
  const Left left =
      workspace.left.prepare(kernels, weights.value.arithmetic(), normal, channels, rows, channels);
  multiply(kernels, left, weights.value, values);
  multiply(kernels, left, weights.gate, gates);
  kernels.gate(values.out, gates.out, 4 * area(rows, channels));
  Finish to_x;
  to_x.out = x;
  to_x.add = x;
  multiply(kernels, workspace.left, values.out, weights.feed_forward.depth(), rows, weights.feed_forward,
           to_x);
}

} // namespace video_depth::cpu

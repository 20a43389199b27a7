// Owns: one temporal module for the newest frame of a stream.
// Must not know: where in the head it stands, which frames are remembered.

#include <algorithm>
#include <cstring>

#include "cpu/temporal.h"

namespace video_depth::cpu {

namespace {

size_t area(int a, int b) {
  return static_cast<size_t>(a) * static_cast<size_t>(b);
}

} // namespace

void TemporalWorker::step(const TemporalWeights& weights, float* frame, int pixels,
                          const Memory (&memories)[kAttentions]) {
  const Kernels& kernels = model_.kernels();
  const int channels = weights.input.depth();
  group_norms(weights, {frame}, pixels);
  constexpr int kPixels = 24;
  model_.team().run((pixels + kPixels - 1) / kPixels, [&](int task, int worker) {
    Workspace& workspace = workspaces_[static_cast<size_t>(worker)];
    const int first = task * kPixels;
    const int rows = std::min(kPixels, pixels - first);
    float* own = frame + area(first, channels);
    float* normal = workspace.normal.grow(area(rows, channels));
    float* x = workspace.x.grow(area(rows, channels));
    for (int row = 0; row < rows; row++) {
      kernels.affine(own + area(row, channels), centre_.data(), scale_.data(), weights.group_norm.bias.data(),
                     channels, normal + area(row, channels));
    }
    Finish to_x;
    to_x.out = x;
    multiply(kernels, workspace.left, normal, weights.input.depth(), rows, weights.input, to_x);
    to_x.add = x;
    for (size_t i = 0; i < kAttentions; i++) {
      const TemporalAttentionWeights& attention = weights.attention[i];
      const Memory& memory = memories[i];
      kernels.layer_norm(x, channels, rows, channels, attention.norm.view(), nullptr, 1, normal);
      keep(normal, area(rows, channels), memory.state + area(first, channels) * value_bytes_);
      const float* position = attention.positions.data() + area(memory.position, channels);
      for (int row = 0; row < rows; row++) {
        float* own_row = normal + area(row, channels);
        kernels.add(own_row, position, static_cast<size_t>(channels), own_row);
      }
      attend_memory(attention, memory, first, rows, workspace);
      multiply(kernels, workspace.left, normal, attention.output.depth(), rows, attention.output, to_x);
    }
    feed_forward(weights, workspace, rows);
    Finish to_normal;
    to_normal.out = normal;
    multiply(kernels, workspace.left, x, weights.output.depth(), rows, weights.output, to_normal);
    kernels.add(normal, own, area(rows, channels), own);
  });
}

void TemporalWorker::keep(const float* states, size_t count, std::byte* out) const {
  if (value_bytes_ == sizeof(float))
    std::memcpy(out, states, count * sizeof(float));
  else
    model_.kernels().to_bf16(states, count, reinterpret_cast<uint16_t*>(out));
}

/**
 * `normal`: in, the new states with their position; out, what attention makes of them. Keys and values are
 * never made: with a state s and its position p, q·((s + p)Wk) = (qWkᵀ)·(s + p) and Σa((s + p)Wv) = (Σa(s +
 * p))Wv. That is exact.
 */
void TemporalWorker::attend_memory(const TemporalAttentionWeights& weights, const Memory& memory, int pixel,
                                   int count, Workspace& workspace) const {
  const Kernels& kernels = model_.kernels();
  const int channels = weights.query.depth();
  const int head_width = channels / kTemporalHeads;
  const auto width = static_cast<size_t>(channels);
  float* normal = workspace.normal.data();
  float* queries = workspace.wide.grow(area(count, channels));
  Finish to_queries;
  to_queries.out = queries;
  multiply(kernels, workspace.left, normal, weights.query.depth(), count, weights.query, to_queries);
  // [count, heads, C]: what each head asks of a state; later, what it has seen.
  float* asked = workspace.gates.grow(kTemporalHeads * area(count, channels));
  const ptrdiff_t line = static_cast<ptrdiff_t>(kTemporalHeads) * channels;
  for (int head = 0; head < kTemporalHeads; head++) {
    const Linear& keys = weights.absorbed_keys[static_cast<size_t>(head)];
    Finish to_asked;
    to_asked.out = asked + static_cast<ptrdiff_t>(head) * channels;
    to_asked.stride = line;
    kernels.product_f32({queries + static_cast<ptrdiff_t>(head) * head_width, count, channels, head_width},
                        keys.columns(), to_asked);
  }
  const int most = round_up(static_cast<int>(memory.seen.size()) + 1, kColumns);
  float* seen = workspace.seen.grow(area(most, channels));
  float* across = workspace.keys.grow(area(channels, most));
  float* scores = workspace.scores.grow(area(kTemporalHeads, most));
  float* sums = workspace.sums.grow(kTemporalHeads);
  for (int i = 0; i < count; i++) {
    const size_t start = area(pixel + i, channels) * value_bytes_;
    int frames = 0;
    for (const Seen& one : memory.seen) {
      const float* position = weights.positions.data() + area(one.position, channels);
      const std::byte* state = one.states + start;
      float* row = seen + area(frames++, channels);
      if (value_bytes_ == sizeof(float))
        kernels.add(reinterpret_cast<const float*>(state), position, width, row);
      else
        kernels.add_bf16(reinterpret_cast<const uint16_t*>(state), position, width, row);
    }
    if (memory.sees_itself) std::copy_n(normal + area(i, channels), width, seen + area(frames++, channels));
    const int padded = round_up(frames, kColumns);
    kernels.transpose(seen, channels, frames, channels, across, padded);
    Finish to_scores;
    to_scores.out = scores;
    to_scores.stride = padded;
    float* ask = asked + i * line;
    kernels.product_f32({ask, kTemporalHeads, channels, channels}, {across, padded, padded, kColumns},
                        to_scores);
    kernels.softmax(scores, padded, kTemporalHeads, frames, padded, nullptr, sums);
    for (int head = 0; head < kTemporalHeads; head++) {
      kernels.multiply(scores + area(head, padded), 1.0F / sums[head], static_cast<size_t>(padded));
    }
    Finish to_seen;
    to_seen.out = ask;
    to_seen.stride = channels;
    kernels.product_f32({scores, kTemporalHeads, padded, frames}, {seen, channels, channels, kColumns},
                        to_seen);
  }
  for (int head = 0; head < kTemporalHeads; head++) {
    const Linear& values = weights.values[static_cast<size_t>(head)];
    Finish to_normal;
    to_normal.out = normal + static_cast<ptrdiff_t>(head) * head_width;
    to_normal.stride = channels;
    kernels.product_f32({asked + static_cast<ptrdiff_t>(head) * channels, count, line, channels},
                        values.columns(), to_normal);
  }
}

} // namespace video_depth::cpu

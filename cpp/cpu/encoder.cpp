// Owns: the encoder's way from pixels to the four projected taps, and its working memory, at one size.
// Must not know: what becomes of the maps, frames.

#include "cpu/encoder.h"

#include <algorithm>
#include <utility>

namespace video_depth::cpu {

namespace {

/// Rows of a part and of a block of queries: what belongs to them stays in a core's cache.
constexpr int kMostRows = 48;
/// Products work on so many rows at once.
constexpr int kTile = 6;
constexpr int kPatchValues = round_up(3 * kPatch * kPatch, kDepthMultiple);

size_t area(int a, int b) {
  return static_cast<size_t>(a) * static_cast<size_t>(b);
}

} // namespace

Parts::Parts(int rows, int threads) : rows_(rows), tiles_((rows + kTile - 1) / kTile) {
  const int share = (tiles_ + threads - 1) / threads;
  const int most = kMostRows / kTile;
  count_ = std::min(tiles_, threads * ((share + most - 1) / most));
}

int Parts::start(int part) const {
  return std::min(rows_, kTile * static_cast<int>(int64_t{tiles_} * part / count_));
}

Encoder::Encoder(const Model& model, int rows, int cols, Buffer<float> positions)
    : model_(model),
      rows_(rows),
      cols_(cols),
      width_(model.dimensions().embed_width),
      tokens_(rows * cols + 1),
      padded_(round_up(tokens_, kColumns)),
      parts_(tokens_, model.team().size()),
      positions_(std::move(positions)),
      x_(area(tokens_, width_)),
      mixed_(area(tokens_, width_)),
      workspaces_(static_cast<size_t>(model.team().size())) {
  const size_t all = area(padded_, width_);
  if (model.precision() == Precision::int8) {
    const size_t heads = static_cast<size_t>(model.dimensions().heads());
    query_bytes_.grow(all);
    query_scale_.grow(heads * static_cast<size_t>(padded_));
    query_zero_.grow(heads * static_cast<size_t>(padded_));
    key_bytes_.grow(all);
    key_scale_.grow(heads * static_cast<size_t>(padded_));
    key_sum_.grow(heads * static_cast<size_t>(padded_));
  } else {
    queries_.grow(all);
    keys_.grow(all);
  }
  if (model.precision() == Precision::int8 && model.kernels().has_bf16)
    value_halves_.grow(all);
  else
    values_.grow(all);
}

void Encoder::run(const float* pixels, const std::array<float*, 4>& maps) {
  ThreadTeam& team = model_.team();
  const auto workspace = [this](int worker) -> Workspace& {
    return workspaces_[static_cast<size_t>(worker)];
  };
  const int heads = model_.dimensions().heads();
  team.run(parts_.count(), [&](int part, int worker) {
    embed(pixels, part, workspace(worker));
    queries(model_.blocks.front(), part, workspace(worker));
  });
  const auto& taps = model_.dimensions().taps;
  size_t next_tap = 0;
  for (size_t i = 0; i < model_.blocks.size(); i++) {
    team.run(heads * parts_.count(), [&](int task, int worker) { attend(task, workspace(worker)); });
    const bool tapped = taps[next_tap] == static_cast<int>(i);
    team.run(parts_.count(), [&](int part, int worker) {
      finish(model_.blocks[i], part, workspace(worker));
      if (tapped) tap(static_cast<int>(next_tap), part, maps[next_tap], workspace(worker));
      if (i + 1 < model_.blocks.size()) queries(model_.blocks[i + 1], part, workspace(worker));
    });
    if (tapped) next_tap++;
  }
}

/// Patches of this part, with their positions; the class token before them.
void Encoder::embed(const float* pixels, int part, Workspace& workspace) {
  const int first = parts_.start(part);
  const int count = parts_.size(part);
  const int skipped = first == 0 ? 1 : 0;
  if (skipped == 1) std::copy_n(model_.class_token.data(), width_, x_.data());
  float* patches = workspace.wide.grow(area(kMostRows, std::max(kPatchValues, 4 * width_)));
  const ptrdiff_t line = static_cast<ptrdiff_t>(cols_) * kPatch;
  const ptrdiff_t plane = line * rows_ * kPatch;
  const int begin = first + skipped - 1; // the patch of this part's first token that has one
  for (int i = 0; i < count - skipped; i++) {
    float* out = patches + static_cast<ptrdiff_t>(i) * kPatchValues;
    const int patch = begin + i;
    const float* corner = pixels + patch / cols_ * kPatch * line + patch % cols_ * kPatch;
    for (int channel = 0; channel < 3; channel++) {
      for (int y = 0; y < kPatch; y++, out += kPatch)
        std::copy_n(corner + channel * plane + y * line, kPatch, out);
    }
    std::fill(out, patches + static_cast<ptrdiff_t>(i + 1) * kPatchValues, 0.0F);
  }
  Finish end;
  end.out = x_.data() + static_cast<ptrdiff_t>(begin + 1) * width_;
  end.add = positions_.data() + static_cast<ptrdiff_t>(begin) * width_;
  multiply(model_.kernels(), workspace.left, patches, kPatchValues, count - skipped, model_.patches, end);
}

/// Queries, keys and values of a part, laid out for `attend`.
void Encoder::queries(const BlockWeights& block, int part, Workspace& workspace) {
  const Kernels& kernels = model_.kernels();
  const int first = parts_.start(part);
  const int count = parts_.size(part);
  float* normal = workspace.normal.grow(area(kMostRows, width_));
  kernels.layer_norm(x_.data() + static_cast<ptrdiff_t>(first) * width_, width_, count, width_,
                     block.norm1.view(), nullptr, 1, normal);
  float* wide = workspace.wide.grow(area(kMostRows, std::max(kPatchValues, 4 * width_)));
  Finish end;
  end.out = wide;
  multiply(kernels, workspace.left, normal, width_, count, block.query_key_value, end);
  for (int head = 0; head < model_.dimensions().heads(); head++) {
    keep(wide + static_cast<ptrdiff_t>(head) * kHeadWidth, first, count, head);
  }
}

/// One head's part of `queries`: `values` are queries, keys and values of `count` tokens from `token` on.
void Encoder::keep(const float* values, int token, int count, int head) {
  const Kernels& kernels = model_.kernels();
  const ptrdiff_t stride = 3 * static_cast<ptrdiff_t>(width_);
  const ptrdiff_t start = static_cast<ptrdiff_t>(head) * padded_;
  const float* key = values + width_;
  const float* value = values + 2 * static_cast<ptrdiff_t>(width_);
  if (model_.precision() == Precision::int8) {
    const ptrdiff_t row = start + token;
    kernels.quantize_rows(values, stride, count, kHeadWidth, query_bytes_.data() + row * kHeadWidth,
                          query_scale_.data() + row, query_zero_.data() + row);
    kernels.pack_keys_int8(key, stride, token, count, key_bytes_.data() + start * kHeadWidth,
                           key_scale_.data() + start, key_sum_.data() + start);
  } else {
    for (int i = 0; i < count; i++) {
      const int column = token + i;
      std::copy_n(values + i * stride, kHeadWidth, queries_.data() + (start + column) * kHeadWidth);
      float* out = keys_.data() + (start + column / kColumns * kColumns) * kHeadWidth + column % kColumns;
      for (int d = 0; d < kHeadWidth; d++) out[static_cast<ptrdiff_t>(d) * kColumns] = key[i * stride + d];
    }
  }
  const bool halves = value_halves_.size() != 0;
  uint16_t half[kHeadWidth];
  for (int i = 0; i < count; i++) {
    const int row = token + i;
    if (halves) kernels.to_bf16(value + i * stride, kHeadWidth, half);
    for (int block = 0; block < kHeadWidth / kColumns; block++) {
      const ptrdiff_t line = start * kHeadWidth + static_cast<ptrdiff_t>(block) * padded_ * kColumns;
      if (halves) {
        uint16_t* out =
            value_halves_.data() + line + static_cast<ptrdiff_t>(row / 2) * 2 * kColumns + row % 2;
        for (int d = 0; d < kColumns; d++) out[2 * d] = half[block * kColumns + d];
      } else {
        std::copy_n(value + i * stride + block * kColumns, kColumns,
                    values_.data() + line + static_cast<ptrdiff_t>(row) * kColumns);
      }
    }
  }
}

/// One head's attention for a block of queries over all tokens.
void Encoder::attend(int task, Workspace& workspace) {
  const Kernels& kernels = model_.kernels();
  const int heads = model_.dimensions().heads();
  const int head = task % heads;
  const int query = parts_.start(task / heads);
  const int count = parts_.size(task / heads);
  const ptrdiff_t start = static_cast<ptrdiff_t>(head) * padded_;
  float* scores = workspace.scores.grow(area(kMostRows, padded_));
  Finish to_scores;
  to_scores.out = scores;
  to_scores.stride = padded_;
  const ptrdiff_t row = start + query;
  if (model_.precision() == Precision::int8) {
    const Columns keys{key_bytes_.data() + start * kHeadWidth,
                       padded_,
                       4 * kColumns,
                       kColumns * kHeadWidth,
                       key_scale_.data() + start,
                       key_sum_.data() + start};
    const Rows rows{query_bytes_.data() + row * kHeadWidth, count, kHeadWidth, kHeadWidth};
    kernels.product_int8(rows, {query_scale_.data() + row, query_zero_.data() + row, 1}, keys, to_scores);
  } else {
    const Columns keys{keys_.data() + start * kHeadWidth, padded_, kColumns, kColumns * kHeadWidth};
    kernels.product_f32({queries_.data() + row * kHeadWidth, count, kHeadWidth, kHeadWidth}, keys, to_scores);
  }
  const bool halves = value_halves_.size() != 0;
  uint16_t* shares = halves ? workspace.shares.grow(area(kMostRows, padded_)) : nullptr;
  float* sums = workspace.sums.grow(kMostRows);
  kernels.softmax(scores, padded_, count, tokens_, padded_, shares, sums);
  Finish to_mixed;
  to_mixed.out =
      mixed_.data() + static_cast<ptrdiff_t>(query) * width_ + static_cast<ptrdiff_t>(head) * kHeadWidth;
  to_mixed.stride = width_;
  const ptrdiff_t block = static_cast<ptrdiff_t>(padded_) * kColumns;
  if (halves) {
    const Columns values{value_halves_.data() + start * kHeadWidth, kHeadWidth, 2 * kColumns, block};
    kernels.product_bf16({shares, count, padded_, padded_}, values, to_mixed);
  } else {
    const Columns values{values_.data() + start * kHeadWidth, kHeadWidth, kColumns, block};
    kernels.product_f32({scores, count, padded_, tokens_}, values, to_mixed);
  }
  for (int i = 0; i < count; i++) {
    kernels.multiply(to_mixed.out + static_cast<ptrdiff_t>(i) * width_, 1.0F / sums[i], kHeadWidth);
  }
}

/// The rest of a block, token by token.
void Encoder::finish(const BlockWeights& block, int part, Workspace& workspace) {
  const Kernels& kernels = model_.kernels();
  const int count = parts_.size(part);
  const ptrdiff_t offset = static_cast<ptrdiff_t>(parts_.start(part)) * width_;
  float* x = x_.data() + offset;
  Finish residual;
  residual.out = x;
  residual.add = x;
  residual.gamma = block.scale1.data();
  multiply(kernels, workspace.left, mixed_.data() + offset, width_, count, block.projection, residual);
  float* normal = workspace.normal.grow(area(kMostRows, width_));
  kernels.layer_norm(x, width_, count, width_, block.norm2.view(), nullptr, 1, normal);
  Finish hidden;
  hidden.out = workspace.wide.grow(area(kMostRows, std::max(kPatchValues, 4 * width_)));
  hidden.activation = Activation::gelu;
  multiply(kernels, workspace.left, normal, width_, count, block.hidden, hidden);
  residual.gamma = block.scale2.data();
  multiply(kernels, workspace.left, hidden.out, 4 * static_cast<ptrdiff_t>(width_), count, block.output,
           residual);
}

/// Through the final norm and the head's projection; without the class token.
void Encoder::tap(int index, int part, float* map, Workspace& workspace) {
  const Kernels& kernels = model_.kernels();
  const int skipped = part == 0 ? 1 : 0;
  const int first = parts_.start(part) + skipped;
  const int count = parts_.size(part) - skipped;
  const Linear& projection = model_.head.projection[static_cast<size_t>(index)];
  float* normal = workspace.normal.grow(area(kMostRows, width_));
  kernels.layer_norm(x_.data() + static_cast<ptrdiff_t>(first) * width_, width_, count, width_,
                     model_.norm.view(), nullptr, 1, normal);
  Finish end;
  end.out = map + static_cast<ptrdiff_t>(first - 1) * projection.width();
  multiply(kernels, workspace.left, normal, width_, count, projection, end);
}

} // namespace video_depth::cpu

// Owns: all weights of the network, packed, and what every network over them shares: kernels and threads.
// Must not know: frames' sizes, frames.

#include "cpu/model.h"

#include <algorithm>
#include <cmath>

#include "cpu/folds.h"
#include "error.h"

namespace video_depth::cpu {

namespace {

constexpr float kEncoderEpsilon = 1e-6F;
constexpr float kGroupEpsilon = 1e-6F;
constexpr float kTemporalEpsilon = 1e-5F;

std::string numbered(const std::string& prefix, int i) {
  return prefix + std::to_string(i);
}

void check(const Dimensions& d) {
  const auto multiple = [](int value, int of, const char* parameter) {
    if (value >= of && value % of == 0 && value <= 1 << 16) return;
    throw Error("load weights", "a multiple of " + std::to_string(of), parameter, std::to_string(value));
  };
  multiple(d.embed_width, kHeadWidth, "embedWidth");
  multiple(d.features, 32, "features"); // a half of them is a vector, too
  for (const int channels : d.out_channels) multiple(channels, kColumns, "outChannels");
  for (const int i : {0, 1, 2, 3})
    multiple(d.temporal_width(i), kTemporalGroups, "channels of a temporal module");
  int before = -1;
  for (const int tap : d.taps) {
    if (tap <= before || tap >= d.depth) {
      throw Error("load weights", "increasing block numbers below " + std::to_string(d.depth), "taps",
                  std::to_string(tap));
    }
    before = tap;
  }
  if (d.temporal_length < 1)
    throw Error("load weights", "1 or more", "temporalLength", std::to_string(d.temporal_length));
}

} // namespace

/// Collects what is to be packed, so that threads can share the work.
class Model::Packer {
 public:
  Packer(const WeightsFile& file, Arithmetic products, Folds folds)
      : file_(file), products_(products), folds_(std::move(folds)) {}

  void run(ThreadTeam& team) {
    team.run(static_cast<int>(jobs_.size()), [&](int job, int) { jobs_[static_cast<size_t>(job)](); });
  }

  void copy(Buffer<float>& to, const std::string& name, int64_t count) {
    const float* from = file_.tensor(name, count);
    std::copy(from, from + count, to.grow(static_cast<size_t>(count)));
  }

  /// [count, width], each channel of it folded.
  void channels(Buffer<float>& to, const std::string& name, int64_t count, int width, const Fold& fold) {
    copy(to, name, count * width);
    for (size_t i = 0; i < to.size(); i++)
      to[i] = fold.output_value(to[i], static_cast<int>(i % static_cast<size_t>(width)));
  }

  void norm(NormWeights& to, const std::string& name, int width, float epsilon) {
    channels(to.weight, name + ".weight", 1, width, fold(name));
    channels(to.bias, name + ".bias", 1, width, fold(name));
    to.epsilon = epsilon;
  }

  /// [length, width]
  void positions(TemporalAttentionWeights& to, const std::string& name, int length, int width) {
    channels(to.positions, name, length, width, fold(name));
    const std::vector<float>& scales = fold(name).outputs;
    std::copy(scales.begin(), scales.end(), to.scales.grow(scales.size()));
  }

  /// Stored [k, n].
  void linear(Linear& to, const std::string& name, int k, int n) {
    const float* w = file_.tensor(name + ".weight", int64_t{k} * n);
    const Fold& by = fold(name);
    pack(to, products_, k, n, bias(name, n),
         [=, &by](int i, int j) { return by.weight(w[int64_t{i} * n + j], i, j); });
  }

  /// Stored [n, channels, side, side]: rows of the left side are windows, channels innermost.
  void convolution(Linear& to, const std::string& name, int channels, int n, int side,
                   Arithmetic arithmetic) {
    const int area = side * side;
    const float* w = file_.tensor(name + ".weight", int64_t{n} * channels * area);
    const Fold& by = fold(name);
    pack(to, arithmetic, channels * area, n, bias(name, n), [=, &by](int i, int j) {
      const int channel = i % channels;
      return by.weight(w[(int64_t{j} * channels + channel) * area + i / channels], channel, j);
    });
  }
  void convolution(Linear& to, const std::string& name, int channels, int n, int side) {
    convolution(to, name, channels, n, side, products_);
  }

  /// Patches are rows [3, 14, 14], as stored. float32: it is a hundredth of the work, and the network's only
  /// input.
  void patches(Linear& to, const std::string& name, int n) {
    constexpr int kSize = 3 * kPatch * kPatch;
    const float* w = file_.tensor(name + ".weight", int64_t{n} * kSize);
    pack(to, Arithmetic::float32, kSize, n, bias(name, n),
         [=](int i, int j) { return w[int64_t{j} * kSize + i]; });
  }

  /// ConvTranspose whose stride is its kernel: stored [channels, channels, side, side], columns [side, side,
  /// channels].
  void enlargement(Linear& to, const std::string& name, int channels, int side) {
    const int area = side * side;
    const float* w = file_.tensor(name + ".weight", int64_t{channels} * channels * area);
    const std::vector<float> b = bias(name, channels);
    std::vector<float> repeated;
    for (int i = 0; i < area; i++) repeated.insert(repeated.end(), b.begin(), b.end());
    const Fold& by = fold(name);
    pack(to, products_, channels, channels * area, std::move(repeated), [=, &by](int i, int j) {
      const int channel = j % channels;
      return by.weight(w[(int64_t{i} * channels + channel) * area + j / channels], i, channel);
    });
  }

  /// Three projections of [width, width] side by side.
  void query_key_value(Linear& to, const std::string& name, int width, bool biased) {
    std::array<const float*, 3> w{};
    std::array<const Fold*, 3> by{};
    std::vector<float> biases;
    for (size_t part = 0; part < w.size(); part++) {
      const std::string letter = name + "." + "qkv"[part];
      w[part] = file_.tensor(letter + ".weight", int64_t{width} * width);
      by[part] = &fold(letter);
      if (!biased) continue;
      const std::vector<float> b =
          part == 1 ? std::vector<float>(static_cast<size_t>(width)) : bias(letter, width);
      biases.insert(biases.end(), b.begin(), b.end());
    }
    pack(to, products_, width, 3 * width, std::move(biases), [=](int i, int j) {
      const auto part = static_cast<size_t>(j / width);
      return by[part]->weight(w[part][int64_t{i} * width + j % width], i, j % width);
    });
  }

  /// What a step of a stream multiplies with instead of making keys and values: in float32, they are small.
  void step(TemporalAttentionWeights& to, const std::string& name, int width) {
    const int head = width / kTemporalHeads;
    linear(to.query, name + ".q", width, width);
    const float* keys = file_.tensor(name + ".k.weight", int64_t{width} * width);
    const float* values = file_.tensor(name + ".v.weight", int64_t{width} * width);
    const Fold& key = fold(name + ".k");
    const Fold& value = fold(name + ".v");
    to.absorbed_keys.resize(kTemporalHeads);
    to.values.resize(kTemporalHeads);
    for (int h = 0; h < kTemporalHeads; h++) {
      const auto index = static_cast<size_t>(h);
      pack(to.absorbed_keys[index], Arithmetic::float32, head, width, {}, [=, &key](int i, int j) {
        return key.weight(keys[int64_t{j} * width + h * head + i], j, h * head + i);
      });
      pack(to.values[index], Arithmetic::float32, width, head, {}, [=, &value](int i, int j) {
        return value.weight(values[int64_t{i} * width + h * head + j], i, h * head + j);
      });
    }
  }

 private:
  const Fold& fold(const std::string& name) const {
    static const Fold none;
    const auto found = folds_.find(name);
    return found == folds_.end() ? none : found->second;
  }

  /// Empty where there is none.
  std::vector<float> bias(const std::string& name, int n) const {
    if (!file_.has(name + ".bias")) return {};
    const float* values = file_.tensor(name + ".bias", n);
    std::vector<float> result(values, values + n);
    const Fold& by = fold(name);
    for (int i = 0; i < n; i++) result[static_cast<size_t>(i)] = by.output_value(values[i], i);
    return result;
  }

  template <class At>
  void pack(Linear& to, Arithmetic arithmetic, int k, int n, std::vector<float> bias, const At& at) {
    jobs_.push_back([&to, arithmetic, k, n, bias = std::move(bias), at] {
      to = Linear(arithmetic, k, n, bias.empty() ? nullptr : bias.data(), at);
    });
  }

  const WeightsFile& file_;
  Arithmetic products_;
  Folds folds_;
  std::vector<std::function<void()>> jobs_;
};

Model::Model(const ModelOptions& options, const WeightsFile& file)
    : options_(options),
      products_(options.precision == Precision::int8 ? Arithmetic::int8 : Arithmetic::float32),
      fine_(options.precision == Precision::int8 && options.kernels->has_bf16 ? Arithmetic::bfloat16
                                                                              : Arithmetic::float32),
      team_(options.threads) {
  const Dimensions& d = options_.dimensions;
  check(d);
  Packer packer(file, products_, options.precision == Precision::int8 ? fold_channels(file, d) : Folds{});
  const int width = d.embed_width;
  packer.patches(patches, "pretrained.patch_embed.proj", width);
  packer.copy(class_token, "pretrained.class_position", width);
  grid_side = static_cast<int>(std::lround(std::sqrt(file.elements("pretrained.positions") / width)));
  packer.copy(positions, "pretrained.positions", int64_t{grid_side} * grid_side * width);
  blocks.resize(static_cast<size_t>(d.taps.back()) + 1);
  for (size_t i = 0; i < blocks.size(); i++) {
    BlockWeights& block = blocks[i];
    const std::string name = numbered("pretrained.blocks.", static_cast<int>(i));
    packer.norm(block.norm1, name + ".norm1", width, kEncoderEpsilon);
    packer.query_key_value(block.query_key_value, name + ".attn", width, true);
    packer.linear(block.projection, name + ".attn.proj", width, width);
    packer.copy(block.scale1, name + ".ls1.gamma", width);
    packer.norm(block.norm2, name + ".norm2", width, kEncoderEpsilon);
    packer.linear(block.hidden, name + ".mlp.fc1", width, 4 * width);
    packer.linear(block.output, name + ".mlp.fc2", 4 * width, width);
    packer.copy(block.scale2, name + ".ls2.gamma", width);
  }
  packer.norm(norm, "pretrained.norm", width, kEncoderEpsilon);
  for (int i = 0; i < 4; i++) {
    const auto index = static_cast<size_t>(i);
    const int out = d.out_channels[index];
    packer.linear(head.projection[index], numbered("head.projects.", i), width, out);
    packer.convolution(head.layer[index], "head.scratch.layer" + std::to_string(i + 1) + "_rn", out,
                       d.features, 3);
    const std::string fusion = numbered("head.scratch.refinenet", i + 1);
    packer.convolution(head.fusion[index].output, fusion + ".out_conv", d.features, d.features, 1);
    for (int n = 0; n < 2; n++) {
      const auto convolution = static_cast<size_t>(n);
      const std::string conv = ".conv" + std::to_string(n + 1);
      packer.convolution(head.fusion[index].unit.convolution[convolution], fusion + ".resConfUnit2" + conv,
                         d.features, d.features, 3);
      if (i == 3) continue;
      packer.convolution(head.fusion[index].layer_unit.convolution[convolution],
                         fusion + ".resConfUnit1" + conv, d.features, d.features, 3);
    }
  }
  packer.enlargement(head.enlarge1, "head.resize_layers.0", d.out_channels[0], 4);
  packer.enlargement(head.enlarge2, "head.resize_layers.1", d.out_channels[1], 2);
  packer.convolution(head.reduce4, "head.resize_layers.3", d.out_channels[3], d.out_channels[3], 3);
  for (int i = 0; i < kTemporalModules; i++) {
    TemporalWeights& module = head.temporal[static_cast<size_t>(i)];
    const int channels = d.temporal_width(i);
    const std::string name = numbered("head.motion_modules.", i) + ".temporal_transformer";
    const std::string block = name + ".transformer_blocks.0";
    packer.norm(module.group_norm, name + ".norm", channels, kGroupEpsilon);
    packer.linear(module.input, name + ".proj_in", channels, channels);
    for (int j = 0; j < kAttentions; j++) {
      TemporalAttentionWeights& attention = module.attention[static_cast<size_t>(j)];
      const std::string prefix = block + numbered(".attention_blocks.", j);
      packer.norm(attention.norm, block + numbered(".norms.", j), channels, kTemporalEpsilon);
      packer.query_key_value(attention.query_key_value, prefix, channels, false);
      packer.linear(attention.output, prefix + ".to_out.0", channels, channels);
      packer.positions(attention, prefix + ".pos_encoder.pe", d.temporal_length, channels);
      packer.step(attention, prefix, channels);
    }
    packer.norm(module.norm, block + ".ff_norm", channels, kTemporalEpsilon);
    packer.linear(module.value, block + ".ff.net.0.proj.value", channels, 4 * channels);
    packer.linear(module.gate, block + ".ff.net.0.proj.gate", channels, 4 * channels);
    packer.linear(module.feed_forward, block + ".ff.net.2", 4 * channels, channels);
    packer.linear(module.output, name + ".proj_out", channels, channels);
  }
  const int half = d.features / 2;
  packer.convolution(head.output1, "head.scratch.output_conv1", d.features, half, 3);
  packer.convolution(head.output2, "head.scratch.output_conv2.0", half, kOutputChannels, 3, fine_);
  packer.copy(head.depth_weight, "head.scratch.output_conv2.2.weight", kOutputChannels);
  head.depth_bias = *file.tensor("head.scratch.output_conv2.2.bias", 1);
  packer.run(team_);
}

size_t Model::weight_bytes() const {
  size_t sum = patches.bytes() + 4 * (positions.size() + class_token.size());
  for (const BlockWeights& block : blocks) {
    for (const Linear* one : {&block.query_key_value, &block.projection, &block.hidden, &block.output})
      sum += one->bytes();
  }
  for (const Linear& one : head.projection) sum += one.bytes();
  for (const Linear& one : head.layer) sum += one.bytes();
  for (const Linear* one : {&head.enlarge1, &head.enlarge2, &head.reduce4, &head.output1, &head.output2})
    sum += one->bytes();
  for (const FusionWeights& fusion : head.fusion) {
    sum += fusion.output.bytes();
    for (const UnitWeights* unit : {&fusion.layer_unit, &fusion.unit}) {
      for (const Linear& one : unit->convolution) sum += one.bytes();
    }
  }
  for (const TemporalWeights& module : head.temporal) {
    for (const Linear* one :
         {&module.input, &module.value, &module.gate, &module.feed_forward, &module.output})
      sum += one->bytes();
    for (const TemporalAttentionWeights& attention : module.attention) {
      for (const Linear* one : {&attention.query_key_value, &attention.output, &attention.query})
        sum += one->bytes();
      for (const Linear& one : attention.absorbed_keys) sum += one.bytes();
      for (const Linear& one : attention.values) sum += one.bytes();
    }
  }
  return sum;
}

} // namespace video_depth::cpu

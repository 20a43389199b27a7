// Owns: scales of channels between two parts of the network that are linear, or a ReLU apart, for products of
// bytes. Must not know: how weights are packed.

#include "cpu/folds.h"

#include <algorithm>
#include <cmath>

namespace video_depth::cpu {

namespace {

using Sizes = std::vector<float>;

/// What is smaller than this part of the largest counts as so large: nothing is divided by 0.
constexpr float kFloor = 1e-4F;

/// A tensor of weights as its channels see it: [inputs, outputs], with `area` weights for each pair.
struct Weights {
  std::string name;
  int inputs = 0;
  int outputs = 0;
  int area = 1;
  /// Stored [outputs, inputs, area] as convolutions are, otherwise [inputs, outputs, area].
  bool outputs_first = false;
};

Weights matrix(std::string name, int inputs, int outputs) {
  return {std::move(name), inputs, outputs};
}
Weights filters(std::string name, int channels, int outputs, int side) {
  return {std::move(name), channels, outputs, side * side, true};
}
Weights enlargement(std::string name, int channels, int side) {
  return {std::move(name), channels, channels, side * side};
}

class Folder {
 public:
  explicit Folder(const WeightsFile& file) : file_(file) {}

  /// Sizes to expect of a norm's channels.
  Sizes after_norm(const std::string& name, int width) const {
    const float* weight = file_.tensor(name + ".weight", width);
    const float* bias = file_.tensor(name + ".bias", width);
    Sizes sizes(static_cast<size_t>(width));
    for (size_t i = 0; i < sizes.size(); i++) sizes[i] = 2 * std::abs(weight[i]) + std::abs(bias[i]);
    return sizes;
  }

  /// The same of a product's, where its inputs have `sizes` and know nothing of each other.
  Sizes after(const Sizes& sizes, const Weights& weights) const {
    std::vector<double> squares(static_cast<size_t>(weights.outputs));
    for_each(weights, [&](size_t input, size_t output, float weight) {
      const double part = static_cast<double>(weight) * static_cast<double>(sizes[input]);
      squares[output] += part * part;
    });
    const float* bias =
        file_.has(weights.name + ".bias") ? file_.tensor(weights.name + ".bias", weights.outputs) : nullptr;
    Sizes result(squares.size());
    for (size_t i = 0; i < result.size(); i++)
      result[i] = static_cast<float>(std::sqrt(squares[i])) + (bias == nullptr ? 0 : std::abs(bias[i]));
    return result;
  }

  /// Between channels of these sizes, which `sources` give, and the products that they go into.
  void fold(const Sizes& sizes, const std::vector<std::string>& sources,
            const std::vector<Weights>& products) {
    std::vector<double> squares(sizes.size());
    for (const Weights& product : products) {
      for_each(product, [&](size_t input, size_t, float weight) {
        squares[input] += static_cast<double>(weight) * static_cast<double>(weight);
      });
    }
    Sizes lengths(sizes.size());
    for (size_t i = 0; i < lengths.size(); i++) lengths[i] = static_cast<float>(std::sqrt(squares[i]));
    const Sizes channels = limited(sizes);
    lengths = limited(lengths);
    Sizes scales(channels.size());
    for (size_t i = 0; i < scales.size(); i++) scales[i] = std::sqrt(channels[i] / lengths[i]);
    for (const std::string& source : sources) folds_[source].outputs = scales;
    for (const Weights& product : products) folds_[product.name].inputs = scales;
  }

  Folds take() { return std::move(folds_); }

 private:
  template <class Each>
  void for_each(const Weights& weights, const Each& each) const {
    const auto area = static_cast<size_t>(weights.area);
    const auto inputs = static_cast<size_t>(weights.inputs);
    const auto outputs = static_cast<size_t>(weights.outputs);
    const float* data = file_.tensor(weights.name + ".weight", static_cast<int64_t>(inputs * outputs * area));
    const size_t inner = weights.outputs_first ? inputs : outputs;
    for (size_t i = 0; i < inputs * outputs; i++, data += area) {
      const size_t input = weights.outputs_first ? i % inner : i / inner;
      const size_t output = weights.outputs_first ? i / inner : i % inner;
      for (size_t a = 0; a < area; a++) each(input, output, data[a]);
    }
  }

  /// None below a part of the largest; all 1 where one is not finite, or none is above 0.
  static Sizes limited(Sizes sizes) {
    const bool finite =
        std::all_of(sizes.begin(), sizes.end(), [](float size) { return std::isfinite(size); });
    const float largest = finite && !sizes.empty() ? *std::max_element(sizes.begin(), sizes.end()) : 0;
    for (float& size : sizes) size = largest > 0 ? std::max(size, kFloor * largest) : 1.0F;
    return sizes;
  }

  const WeightsFile& file_;
  Folds folds_;
};

/// Norm, then queries, keys and values; values, then the product after attention, which mixes tokens and
/// never channels.
void fold_attention(Folder& folder, int width, const std::string& norm,
                    const std::vector<std::string>& sources, const std::string& attention,
                    const std::string& output) {
  const Sizes normal = folder.after_norm(norm, width);
  const Weights values = matrix(attention + ".v", width, width);
  folder.fold(normal, sources,
              {matrix(attention + ".q", width, width), matrix(attention + ".k", width, width), values});
  folder.fold(folder.after(normal, values), {values.name}, {matrix(output, width, width)});
}

void fold_encoder(Folder& folder, const Dimensions& d) {
  const int width = d.embed_width;
  for (int i = 0; i <= d.taps.back(); i++) {
    const std::string name = "pretrained.blocks." + std::to_string(i);
    fold_attention(folder, width, name + ".norm1", {name + ".norm1"}, name + ".attn", name + ".attn.proj");
    folder.fold(folder.after_norm(name + ".norm2", width), {name + ".norm2"},
                {matrix(name + ".mlp.fc1", width, 4 * width)});
  }
  std::vector<Weights> projections;
  for (size_t i = 0; i < 4; i++)
    projections.push_back(matrix("head.projects." + std::to_string(i), width, d.out_channels[i]));
  const Sizes normal = folder.after_norm("pretrained.norm", width);
  folder.fold(normal, {"pretrained.norm"}, projections);
  const auto after = [&](size_t i, const Weights& next) {
    folder.fold(folder.after(normal, projections[i]), {projections[i].name}, {next});
  };
  after(0, enlargement("head.resize_layers.0", d.out_channels[0], 4));
  after(1, enlargement("head.resize_layers.1", d.out_channels[1], 2));
  after(3, filters("head.resize_layers.3", d.out_channels[3], d.out_channels[3], 3));
}

void fold_temporal(Folder& folder, const Dimensions& d) {
  for (int i = 0; i < kTemporalModules; i++) {
    const int width = d.temporal_width(i);
    const std::string name = "head.motion_modules." + std::to_string(i) + ".temporal_transformer";
    const std::string block = name + ".transformer_blocks.0";
    folder.fold(folder.after_norm(name + ".norm", width), {name + ".norm"},
                {matrix(name + ".proj_in", width, width)});
    for (int j = 0; j < kAttentions; j++) {
      const std::string prefix = block + ".attention_blocks." + std::to_string(j);
      const std::string norm = block + ".norms." + std::to_string(j);
      fold_attention(folder, width, norm, {norm, prefix + ".pos_encoder.pe"}, prefix, prefix + ".to_out.0");
    }
    const Sizes normal = folder.after_norm(block + ".ff_norm", width);
    const Weights value = matrix(block + ".ff.net.0.proj.value", width, 4 * width);
    folder.fold(normal, {block + ".ff_norm"},
                {value, matrix(block + ".ff.net.0.proj.gate", width, 4 * width)});
    folder.fold(folder.after(normal, value), {value.name}, {matrix(block + ".ff.net.2", 4 * width, width)});
  }
}

/// Between the two convolutions of a residual unit: a ReLU lets positive scales through.
void fold_fusion(Folder& folder, const Dimensions& d) {
  const Sizes ones(static_cast<size_t>(d.features), 1.0F);
  for (int i = 1; i <= 4; i++) {
    for (int unit = i == 4 ? 2 : 1; unit <= 2; unit++) {
      const std::string name =
          "head.scratch.refinenet" + std::to_string(i) + ".resConfUnit" + std::to_string(unit) + ".conv";
      const Weights first = filters(name + "1", d.features, d.features, 3);
      folder.fold(folder.after(ones, first), {first.name}, {filters(name + "2", d.features, d.features, 3)});
    }
  }
}

} // namespace

Folds fold_channels(const WeightsFile& file, const Dimensions& dimensions) {
  Folder folder(file);
  fold_encoder(folder, dimensions);
  fold_temporal(folder, dimensions);
  fold_fusion(folder, dimensions);
  return folder.take();
}

} // namespace video_depth::cpu

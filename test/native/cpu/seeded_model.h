// Owns: models with seeded random weights, for tests and benchmarks of the network.
// Must not know: what is tested.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cpu/model.h"

namespace seeded {

using namespace video_depth::cpu;

/// ViT-S as it was published.
inline Dimensions small_dimensions() {
  return {384, 12, 64, {48, 96, 192, 384}, 32, {2, 5, 8, 11}};
}

/// As small as kernels allow, with each temporal width another one.
inline Dimensions tiny_dimensions() {
  return {64, 4, 32, {16, 32, 64, 96}, 32, {0, 1, 2, 3}};
}

/// Names and sizes of all tensors that a model reads, and their values: deviations of 1/√fan-in, norms
/// around 1.
class Weights {
 public:
  explicit Weights(const Dimensions& d, int grid_side = 2) : d_(d) {
    const int width = d.embed_width;
    linear("pretrained.patch_embed.proj", 3 * kPatch * kPatch, width);
    vector("pretrained.class_position", width, 0, 0.1F);
    vector("pretrained.positions", grid_side * grid_side * width, 0, 0.1F);
    for (int i = 0; i <= d.taps.back(); i++) encoder_block("pretrained.blocks." + std::to_string(i));
    norm("pretrained.norm", width);
    for (int i = 0; i < 4; i++) level(i);
    const int half = d.features / 2;
    const auto& out = d.out_channels;
    enlargement("head.resize_layers.0", out[0], 4);
    enlargement("head.resize_layers.1", out[1], 2);
    convolution("head.resize_layers.3", out[3], out[3], 3);
    for (int i = 0; i < kTemporalModules; i++) temporal_module(i);
    convolution("head.scratch.output_conv1", d.features, half, 3);
    convolution("head.scratch.output_conv2.0", half, kOutputChannels, 3);
    vector("head.scratch.output_conv2.2.weight", kOutputChannels, 0.2F, 0.1F);
    vector("head.scratch.output_conv2.2.bias", 1, 1, 0);
  }

  /// The first value of a tensor, to be changed.
  float* at(const std::string& name) { return values_.data() + places_.at(name).offset / sizeof(float); }

  std::unique_ptr<Model> model(const Kernels& kernels, Precision precision, int threads) const {
    return std::make_unique<Model>(ModelOptions{&kernels, precision, threads, d_}, *file());
  }

  /// It is gone from its folder when this returns.
  std::unique_ptr<WeightsFile> file() const {
    std::string path = "/tmp/video-depth-seeded-XXXXXX";
    const char* folder = std::getenv("TMPDIR");
    if (folder != nullptr) path = std::string(folder) + "/video-depth-seeded-XXXXXX";
    const int file = mkstemp(path.data());
    if (file < 0) throw std::runtime_error("no temporary file");
    const std::unique_ptr<FILE, int (*)(FILE*)> stream(fdopen(file, "wb"), std::fclose);
    const bool written =
        std::fwrite(values_.data(), sizeof(float), values_.size(), stream.get()) == values_.size() &&
        std::fflush(stream.get()) == 0;
    std::unique_ptr<WeightsFile> weights;
    if (written) weights = std::make_unique<WeightsFile>(path, places_);
    unlink(path.c_str());
    if (!written) throw std::runtime_error("the temporary file was not written");
    return weights;
  }

 private:
  void vector(const std::string& name, int count, float mean, float deviation) {
    places_[name] = {values_.size() * sizeof(float), {count}};
    for (int i = 0; i < count; i++) values_.push_back(mean + deviation * distribution_(generator_));
  }

  void linear(const std::string& name, int k, int n, bool biased = true) {
    vector(name + ".weight", k * n, 0, 1.0F / std::sqrt(static_cast<float>(k)));
    if (biased) vector(name + ".bias", n, 0, 0.1F);
  }

  void convolution(const std::string& name, int channels, int n, int side) {
    linear(name, channels * side * side, n);
  }

  void enlargement(const std::string& name, int channels, int side) {
    vector(name + ".weight", channels * channels * side * side, 0,
           1.0F / std::sqrt(static_cast<float>(channels)));
    vector(name + ".bias", channels, 0, 0.1F);
  }

  void norm(const std::string& name, int width) {
    vector(name + ".weight", width, 1, 0.1F);
    vector(name + ".bias", width, 0, 0.1F);
  }

  void encoder_block(const std::string& name) {
    const int width = d_.embed_width;
    norm(name + ".norm1", width);
    for (const char* part : {".q", ".k", ".v"}) linear(name + ".attn" + part, width, width);
    linear(name + ".attn.proj", width, width);
    vector(name + ".ls1.gamma", width, 0.3F, 0.1F);
    norm(name + ".norm2", width);
    linear(name + ".mlp.fc1", width, 4 * width);
    linear(name + ".mlp.fc2", 4 * width, width);
    vector(name + ".ls2.gamma", width, 0.3F, 0.1F);
  }

  /// What each of the four levels of the head has.
  void level(int i) {
    const int out = d_.out_channels[static_cast<size_t>(i)];
    const std::string number = std::to_string(i + 1);
    linear("head.projects." + std::to_string(i), d_.embed_width, out);
    convolution("head.scratch.layer" + number + "_rn", out, d_.features, 3);
    const std::string fusion = "head.scratch.refinenet" + number;
    convolution(fusion + ".out_conv", d_.features, d_.features, 1);
    for (const char* unit : {".resConfUnit1", ".resConfUnit2"}) {
      for (const char* conv : {".conv1", ".conv2"})
        convolution(fusion + unit + conv, d_.features, d_.features, 3);
    }
  }

  void temporal_module(int i) {
    const int channels = d_.temporal_width(i);
    const std::string name = "head.motion_modules." + std::to_string(i) + ".temporal_transformer";
    const std::string block = name + ".transformer_blocks.0";
    norm(name + ".norm", channels);
    linear(name + ".proj_in", channels, channels);
    for (int j = 0; j < kAttentions; j++) {
      const std::string number = std::to_string(j);
      const std::string attention = block + ".attention_blocks." + number;
      norm(block + ".norms." + number, channels);
      for (const char* part : {".q", ".k", ".v"}) linear(attention + part, channels, channels, false);
      linear(attention + ".to_out.0", channels, channels);
      vector(attention + ".pos_encoder.pe", d_.temporal_length * channels, 0, 0.7F);
    }
    norm(block + ".ff_norm", channels);
    linear(block + ".ff.net.0.proj.value", channels, 4 * channels);
    linear(block + ".ff.net.0.proj.gate", channels, 4 * channels);
    linear(block + ".ff.net.2", 4 * channels, channels);
    linear(name + ".proj_out", channels, channels);
  }

  Dimensions d_;
  std::mt19937 generator_{7};
  std::normal_distribution<float> distribution_;
  std::vector<float> values_;
  TensorPlaces places_;
};

} // namespace seeded

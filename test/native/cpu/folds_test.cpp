// Owns: tests of scales between channels: the network stays the same function, and rescaled ones come out the
// same. Must not know: products, kernels.

#include <cmath>

#include <doctest/doctest.h>

#include "cpu/folds.h"
#include "seeded_model.h"

namespace {

using namespace video_depth::cpu;

TEST_CASE("folds: what a norm is divided by, the next product is multiplied with") {
  const seeded::Weights weights(seeded::tiny_dimensions());
  const Folds folds = fold_channels(*weights.file(), seeded::tiny_dimensions());
  const std::vector<float>& norm = folds.at("pretrained.blocks.0.norm1").outputs;
  REQUIRE(norm.size() == 64);
  for (const char* letter : {"q", "k", "v"})
    CHECK(folds.at(std::string("pretrained.blocks.0.attn.") + letter).inputs == norm);
  CHECK(folds.at("pretrained.blocks.0.attn.proj").inputs == folds.at("pretrained.blocks.0.attn.v").outputs);
  CHECK(folds.at("pretrained.blocks.0.attn.q").outputs.empty());
  for (const auto& [name, fold] : folds) {
    for (const std::vector<float>& scales : {fold.inputs, fold.outputs}) {
      for (const float scale : scales) CHECK_MESSAGE((scale > 0 && std::isfinite(scale)), name);
    }
  }
}

TEST_CASE("folds: large channels of a norm change nothing but the scale") {
  const seeded::Dimensions dimensions = seeded::tiny_dimensions();
  const std::string name = "pretrained.blocks.1.norm2";
  const Folds before = fold_channels(*seeded::Weights(dimensions).file(), dimensions);
  seeded::Weights planted(dimensions);
  const size_t channel = 5;
  planted.at(name + ".weight")[channel] *= 100;
  planted.at(name + ".bias")[channel] *= 100;
  float* row = planted.at("pretrained.blocks.1.mlp.fc1.weight") + channel * 256;
  for (int i = 0; i < 256; i++) row[i] /= 100;
  const Folds after = fold_channels(*planted.file(), dimensions);
  for (size_t i = 0; i < 64; i++) {
    const float scale = after.at(name).outputs[i] / before.at(name).outputs[i];
    CHECK(scale == doctest::Approx(i == channel ? 100 : 1).epsilon(1e-4));
  }
}

TEST_CASE("folds: weights of 0 and weights that are not finite leave scales that can be divided by") {
  const seeded::Dimensions dimensions = seeded::tiny_dimensions();
  seeded::Weights weights(dimensions);
  for (int i = 0; i < 256; i++) weights.at("pretrained.blocks.0.mlp.fc1.weight")[i] = 0;
  weights.at("pretrained.blocks.1.norm1.weight")[0] = NAN;
  const Folds folds = fold_channels(*weights.file(), dimensions);
  const float least = folds.at("pretrained.blocks.0.norm2").outputs[0];
  CHECK((least > 0 && std::isfinite(least)));
  for (const float scale : folds.at("pretrained.blocks.1.norm1").outputs)
    CHECK((scale > 0 && std::isfinite(scale)));
}

} // namespace

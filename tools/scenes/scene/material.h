// Owns: what surfaces look like: colours of a point, gloss, own light.
// Must not know: lights, cameras, meshes.
#pragma once

#include <cstdint>

#include "scene/random.h"
#include "scene/vector.h"

namespace video_depth::scene {

enum class Pattern : uint8_t {
  plain,
  /// Patches of both colours, four octaves.
  clouds,
  checker,
  /// Courses of bricks `scale` long, half as high; `second` is the mortar.
  brick,
  /// Boards `scale` wide with grain; `second` is the grain.
  planks,
  /// Square tiles of `scale`; `second` is the joint.
  tiles,
  /// Veins of `second`.
  marble,
  stripes,
  dots,
  /// Fine blades and patches: lawns, leaves, carpets.
  grass,
  /// Rows of windows `scale` apart, of `second`, in a wall: façades.
  windows,
  /// Blocks of books, boxes, labels: every cell another mixture of the colours.
  patches,
  /// From `first` below to `second` above, `scale` metres.
  gradient,
};
constexpr int kPatterns = static_cast<int>(Pattern::gradient) + 1;

/// Colours are linear light, 0 … 1.
struct Material {
  Pattern pattern = Pattern::plain;
  Vec3 first{0.5f, 0.5f, 0.5f};
  Vec3 second{0.3f, 0.3f, 0.3f};
  /// Size of one repetition, metres.
  float scale = 1;
  /// Strength of the highlight, 0 … 1.
  float gloss = 0;
  /// Own light, in the colours of the pattern.
  float glow = 0;
  uint32_t seed = 0;
};

/// @param p the point in the mesh's own frame, metres @param normal of the surface there, in the same frame
/// @param footprint metres that a pixel covers there: finer patterns fade into their mean
Vec3 colour_of(const Material& material, Vec3 p, Vec3 normal, float footprint);

/// A colour with its brightness between the two (linear light). @param saturation 0 … 1 at most
Vec3 random_colour(Random& random, float darkest, float brightest, float saturation);
/// Any pattern, any colours; repetitions of about `scale` metres.
Material random_material(Random& random, float scale);

} // namespace video_depth::scene

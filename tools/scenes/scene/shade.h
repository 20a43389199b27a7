// Owns: the light that comes from a surface or the sky to the eye.
// Must not know: pictures, triangles.
#pragma once

#include "scene/shadow.h"

namespace video_depth::scene {

/// A visible point.
struct Spot {
  Vec3 position; ///< world
  Vec3 normal;   ///< world, unit, towards the eye's side
  Vec3 local;    ///< in the mesh's frame
  Vec3 local_normal;
  float footprint; ///< metres that a pixel covers on the surface
  float open = 1;  ///< share of the surroundings that neighbours leave open
};

/// Linear light. @param eye world
Vec3 shade(const Material& material, const Light& light, const ShadowMap& shadows, const Spot& spot,
           Vec3 eye);
/// @param direction unit
Vec3 sky(const Light& light, Vec3 direction);
/// A screen's value, 0 … 255, of linear light.
float to_screen(float light);

} // namespace video_depth::scene

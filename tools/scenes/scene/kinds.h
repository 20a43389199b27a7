// Owns: which kinds of scenes there are.
// Must not know: how they are drawn.
#pragma once

#include <cstdint>
#include <vector>

#include "scene/world.h"

namespace video_depth::scene {

struct Kind {
  const char* name;
  World (*create)(uint64_t seed);
  /// Networks are tested on it and never trained.
  bool is_held_out;
};

/// Rooms with furniture, corridors, streets, terrain, clutter on tables, courtyards, jumbles of no place;
/// warehouses and canyons held out.
const std::vector<Kind>& kinds();

} // namespace video_depth::scene

// Owns: the names of the functions that invent the scenes.
// Must not know: what is in them.
#pragma once

#include "scene/world.h"

namespace video_depth::scene {

World create_room(uint64_t seed);
World create_corridor(uint64_t seed);
World create_street(uint64_t seed);
World create_terrain(uint64_t seed);
World create_clutter(uint64_t seed);
World create_courtyard(uint64_t seed);
World create_warehouse(uint64_t seed);
World create_canyon(uint64_t seed);
World create_jumble(uint64_t seed);

} // namespace video_depth::scene

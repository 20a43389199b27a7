// Owns: the list of the kinds of scenes.
// Must not know: what is in them, how they are drawn.
#include "scene/kinds.h"

#include "scene/kinds/create.h"

namespace video_depth::scene {

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {"room", create_room, false},          {"corridor", create_corridor, false},
      {"street", create_street, false},      {"terrain", create_terrain, false},
      {"clutter", create_clutter, false},    {"courtyard", create_courtyard, false},
      {"warehouse", create_warehouse, true}, {"canyon", create_canyon, true},
      {"jumble", create_jumble, false},
  };
  return all;
}

} // namespace video_depth::scene

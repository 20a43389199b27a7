// Owns: things that several scenes are furnished with, their materials and lights.
// Must not know: how a scene is laid out.
#pragma once

#include "scene/random.h"
#include "scene/world.h"

namespace video_depth::scene {

/// Upright at a place; `angle` radians around z.
Placement at(float x, float y, float z = 0, float angle = 0);
/// A box around `centre`.
Mesh block(Vec3 half, Vec3 centre);
/// A mesh moved and turned.
Mesh moved(const Mesh& mesh, const Placement& placement);

Material painted(Vec3 colour, float gloss = 0);
Material glowing(Vec3 colour, float strength);
Material wall_cover(Random& random);
Material flooring(Random& random);
Material wood(Random& random);
Material metal(Random& random);
Material fabric(Random& random);
Material masonry(Random& random);
Material facade(Random& random);
Material soil(Random& random);
Material stone(Random& random);
Material leaves(Random& random);
/// Cardboard, wood, plastic; now and then anything.
Material carton(Random& random);

/// Noon, evening or overcast; fog at times.
Light outdoors(Random& random, float shadow_radius);
/// @param lamp where it hangs @param reach metres that it has to light
Light indoors(Random& random, Vec3 lamp, float reach);

/// A way to go: to and fro about the place.
struct Walk {
  Vec3 velocity;
  float turn_after = 0;
};

// Every thing stands on z = 0 of its placement, looks towards its +y, and may be taken away as one.

/// Walks along its ±y where it has a speed.
void add_person(World& world, Random& random, const Placement& placement, Walk walk = {});
void add_car(World& world, Random& random, const Placement& placement, Walk walk = {});
void add_tree(World& world, Random& random, const Placement& placement, float height, bool is_windy);
void add_dead_tree(World& world, Random& random, const Placement& placement, float height);
void add_bush(World& world, Random& random, const Placement& placement, float radius);
void add_rock(World& world, Random& random, const Placement& placement, float radius,
              const Material& material);
void add_house(World& world, Random& random, const Placement& placement, Vec3 half);
void add_street_lamp(World& world, Random& random, const Placement& placement, float height);
void add_bench(World& world, Random& random, const Placement& placement);
void add_crate(World& world, Random& random, const Placement& placement, Vec3 half);
/// Crates upon each other.
void add_pile(World& world, Random& random, const Placement& placement, float half, int layers);
void add_ball(World& world, Random& random, const Placement& placement, float radius);

void add_table(World& world, Random& random, const Placement& placement, Vec3 half);
void add_chair(World& world, Random& random, const Placement& placement);
void add_shelf(World& world, Random& random, const Placement& placement, Vec3 half);
void add_sofa(World& world, Random& random, const Placement& placement, float half_width);
void add_bed(World& world, Random& random, const Placement& placement);
void add_cupboard(World& world, Random& random, const Placement& placement, Vec3 half);
void add_floor_lamp(World& world, Random& random, const Placement& placement);
void add_plant(World& world, Random& random, const Placement& placement, float height);
/// Flat on a wall: `placement` in the wall's plane, at the middle.
void add_poster(World& world, Random& random, const Placement& placement, float half_width,
                float half_height);
void add_door(World& world, Random& random, const Placement& placement);
/// Small things standing at z of a thing at `placement`, within ±half: they go where it goes.
void add_small_things(World& world, Random& random, const Placement& placement, Vec3 half, float z,
                      int count);

/// Adds a body that may be taken away.
Body& add_removable(World& world, Mesh mesh, const Material& material, const Placement& placement);

} // namespace video_depth::scene

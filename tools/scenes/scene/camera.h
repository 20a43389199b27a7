// Owns: the paths that a camera takes.
// Must not know: what it looks at.
#pragma once

#include "scene/random.h"
#include "scene/world.h"

namespace video_depth::scene {

/// @param roll radians
Pose look(Vec3 position, Vec3 target, float roll = 0);

struct Hand {
  /// Metres and radians of a hand's unsteadiness; 0: a tripod.
  float shake = 0.012f;
  /// Height of a step, metres; 0: no walking.
  float step = 0;
};

/// Wanders for ever inside centre ± half, all the time another way; looks ahead along its way, turning its
/// head.
/// @param speed metres a second at most @param pitch radians, below the horizon where positive
CameraPath wander(Random& random, Vec3 centre, Vec3 half, float speed, float pitch, Hand hand);
/// Wanders inside centre ± half and keeps a target in view, which moves in target_half around its middle.
CameraPath watch(Random& random, Vec3 centre, Vec3 half, float speed, Vec3 target, Vec3 target_half,
                 Hand hand);
/// Around a target. @param speed metres a second
CameraPath orbit(Random& random, Vec3 target, float radius, float height, float speed, Hand hand);
/// Along a way of 2·half metres from `centre`, forth and back without turning round: eyes ahead on the way
/// out, and walking backwards on the way home. @param heading unit vector in the plane
CameraPath patrol(Random& random, Vec3 centre, Vec3 heading, float half, float speed, float pitch, Hand hand);

/// Takes away removable bodies that come nearer to the camera than `clearance` metres within `seconds`.
void clear_path(World& world, double seconds, float clearance);

} // namespace video_depth::scene

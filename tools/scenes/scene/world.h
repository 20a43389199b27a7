// Owns: what a scene is made of: bodies and how they move, lights, air, the camera's path.
// Must not know: pixels, how scenes are invented.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "scene/material.h"
#include "scene/mesh.h"
#include "scene/vector.h"

namespace video_depth::scene {

/// How a body moves, as functions of the time in seconds alone. All zero: at rest.
struct Motion {
  /// offset = sway · sin(2π · sway_rate · t + phase)
  Vec3 sway;
  float sway_rate = 0;
  float phase = 0;
  /// A round trip: velocity · t, turning back at ± turn_after metres from the middle. Faces stay as they are.
  Vec3 velocity;
  float turn_after = 0;
  /// Height of |sin(2π · bounce_rate · t + phase)|, metres.
  float bounce = 0;
  float bounce_rate = 0;
  /// Around an axis (unit vector, the mesh's own frame) through the mesh's origin, radians a second.
  Vec3 spin_axis;
  float spin = 0;
  /// A limb: turns around `swing_axis` through `pivot` (the mesh's own frame) by swing · sin(2π · swing_rate
  /// · t + phase).
  Vec3 pivot;
  Vec3 swing_axis;
  float swing = 0;
  float swing_rate = 0;

  bool is_still() const;
};

/// How a body changes its form, in the mesh's own frame.
struct Deformation {
  enum class Kind : uint8_t {
    none,
    /// A cloth or a flag: `amount` metres along the normal, waves of `length` metres along x and z.
    wave,
    /// A jelly: stretched along z by 1 + amount · sin, thinner by as much, around z = 0.
    squash,
    /// A plant in the wind: bent along x by amount · z² · sin.
    bend,
  };
  Kind kind = Kind::none;
  float amount = 0;
  float rate = 0; ///< a second
  float length = 1;
  float phase = 0;

  bool is_still() const;
};

struct Body {
  std::shared_ptr<const Mesh> mesh;
  Material material;
  Placement placement;
  Motion motion;
  Deformation deformation;
  /// Drawn from both sides: cloth, leaves.
  bool two_sided = false;
  /// May be taken away where it stands in the camera's way.
  bool removable = false;

  bool is_still() const { return motion.is_still() && deformation.is_still(); }
};

struct Light {
  /// The light that casts shadows. Outdoors: unit vector towards the sun. Indoors: where the lamp hangs.
  Vec3 sun{0.3f, 0.2f, 0.9f};
  bool is_lamp = false;
  /// How far shadows are cast: radius around the camera (sun), metres.
  float shadow_radius = 20;
  /// Light of the sun, or of the lamp in one metre's distance (which falls with distance, softly).
  Vec3 colour{2.2f, 2.0f, 1.7f};
  /// On what faces up, and on what faces down; walls get their mean.
  Vec3 from_above{0.35f, 0.42f, 0.55f};
  Vec3 from_below{0.22f, 0.2f, 0.17f};
  Vec3 zenith{0.12f, 0.27f, 0.62f};
  Vec3 horizon{0.6f, 0.72f, 0.86f};
  /// Share of the sky under clouds, 0 … 1.
  float clouds = 0.4f;
  uint32_t seed = 0;
  /// Share of light lost to fog in each metre; 0: clear.
  float fog = 0;
  Vec3 fog_colour{0.6f, 0.68f, 0.78f};
  /// Multiplies everything before it becomes a screen's colours.
  float exposure = 1;
};

/// Camera to world. The camera's frame is OpenCV's: x right, y down, z forward.
struct Pose {
  Vec3 right{1, 0, 0}, down{0, 0, -1}, forward{0, 1, 0}, position;
};

using CameraPath = std::function<Pose(double seconds)>;

/// World: metres, z up, right-handed.
struct World {
  std::vector<Body> bodies;
  Light light;
  CameraPath camera;
  /// Angle that the picture's *shorter* side spans, degrees.
  float field_of_view = 55;

  /// Adds a body and returns it, to be changed at once.
  Body& add(Mesh mesh, const Material& material, const Placement& placement = {});
};

/// A body at a time. Borrows the body.
class Stance {
 public:
  Stance(const Body& body, double seconds);
  /// World. @param p, normal of the mesh
  Vec3 point(Vec3 p, Vec3 normal) const;
  Vec3 normal(Vec3 n) const { return turn_(n); }

 private:
  Vec3 deformed(Vec3 p, Vec3 normal) const;

  const Body& body_;
  float phase_ = 0; ///< of the deformation
  float stretch_ = 0;
  Rotation swing_;
  Rotation turn_;
  Vec3 shift_;
};

} // namespace video_depth::scene

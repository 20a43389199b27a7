// Owns: where a body's points are at a time.
// Must not know: pixels, how scenes are invented.

#include "scene/world.h"

#include <utility>

namespace video_depth::scene {

namespace {

constexpr double kTurn = 6.283185307179586;

float wave_of(float rate, double seconds, float phase) {
  return static_cast<float>(std::sin(kTurn * rate * seconds + phase));
}

Vec3 travelled(const Motion& m, double seconds) {
  Vec3 offset = m.sway * wave_of(m.sway_rate, seconds, m.phase);
  const float speed = length(m.velocity);
  if (speed > 0 && m.turn_after > 0) {
    // A triangle wave of ± turn_after that starts in the middle.
    const double lap = 4.0 * m.turn_after;
    double way = std::fmod(speed * seconds + m.turn_after, lap);
    if (way < 0) way += lap;
    way = way < lap / 2 ? way : lap - way;
    offset += m.velocity * ((static_cast<float>(way) - m.turn_after) / speed);
  } else {
    offset += m.velocity * static_cast<float>(seconds);
  }
  offset.z += m.bounce * std::fabs(wave_of(m.bounce_rate, seconds, m.phase));
  return offset;
}

} // namespace

bool Motion::is_still() const {
  return sway_rate == 0 && length(velocity) == 0 && bounce == 0 && spin == 0 && swing == 0;
}

bool Deformation::is_still() const {
  return kind == Kind::none || rate == 0;
}

Body& World::add(Mesh mesh, const Material& material, const Placement& placement) {
  Body body;
  body.mesh = std::make_shared<const Mesh>(std::move(mesh));
  body.material = material;
  body.placement = placement;
  bodies.push_back(std::move(body));
  return bodies.back();
}

Stance::Stance(const Body& body, double seconds) : body_(body) {
  const Motion& motion = body.motion;
  const Deformation& d = body.deformation;
  phase_ = static_cast<float>(std::fmod(kTurn * d.rate * seconds + d.phase, kTurn));
  stretch_ = 1 + d.amount * std::sin(phase_);
  if (motion.swing != 0)
    swing_ = turn(motion.swing_axis, motion.swing * wave_of(motion.swing_rate, seconds, motion.phase));
  Rotation spin;
  if (motion.spin != 0)
    spin = turn(motion.spin_axis, static_cast<float>(std::fmod(motion.spin * seconds, kTurn)));
  turn_ = body.placement.rotation * spin * swing_;
  const Vec3 pivot_stays = motion.pivot - swing_(motion.pivot);
  shift_ = body.placement(spin(pivot_stays));
  if (!motion.is_still()) shift_ += travelled(motion, seconds);
}

Vec3 Stance::point(Vec3 p, Vec3 normal) const {
  return turn_(deformed(p, normal)) + shift_;
}

Vec3 Stance::deformed(Vec3 p, Vec3 normal) const {
  const Deformation& d = body_.deformation;
  switch (d.kind) {
    case Deformation::Kind::none:
      break;
    case Deformation::Kind::wave:
      return p +
             normal * (d.amount * std::sin(phase_ + 2 * kPi * (p.x + 0.4f * p.y + 0.6f * p.z) / d.length));
    case Deformation::Kind::squash: {
      const float thin = 1 / std::sqrt(stretch_);
      return {p.x * thin, p.y * thin, p.z * stretch_};
    }
    case Deformation::Kind::bend:
      return p + Vec3{(stretch_ - 1) * p.z * p.z, 0, 0};
  }
  return p;
}

} // namespace video_depth::scene

// Owns: the paths that a camera takes.
// Must not know: what it looks at.
#include "scene/camera.h"

#include <limits>
#include <utility>

namespace video_depth::scene {
namespace {

/// Radians a second that a head turns at most.
constexpr float kFastestTurn = 0.55f;

/// A sum of sines whose periods share no multiple: bounded by ±1, never quite the same again.
class Wave {
 public:
  /// @param steepest of the wave's derivative, a second
  Wave(Random& random, float steepest) {
    const float factors[kTerms] = {1, random.between(1.5f, 1.9f), random.between(2.3f, 2.9f)};
    float steepness = 0;
    for (int i = 0; i < kTerms; i++) steepness += kWeights[i] * factors[i];
    const float base = std::min(0.12f, std::max(0.004f, steepest / (2 * kPi * steepness)));
    for (int i = 0; i < kTerms; i++) {
      rates_[i] = base * factors[i];
      phases_[i] = random.between(0, 1);
    }
  }
  float operator()(double seconds) const {
    float sum = 0;
    for (int i = 0; i < kTerms; i++) {
      const double turns = static_cast<double>(rates_[i]) * seconds + static_cast<double>(phases_[i]);
      sum += kWeights[i] * static_cast<float>(std::sin(2 * static_cast<double>(kPi) * turns));
    }
    return sum;
  }

 private:
  static constexpr int kTerms = 3;
  static constexpr float kWeights[kTerms] = {0.55f, 0.28f, 0.17f};
  float rates_[kTerms], phases_[kTerms];
};

float sine(double seconds, float rate, float phase) {
  return static_cast<float>(std::sin(2 * static_cast<double>(kPi) *
                                     (static_cast<double>(rate) * seconds + static_cast<double>(phase))));
}

/// A place that moves inside centre ± half.
class Drift {
 public:
  Drift(Random& random, Vec3 centre, Vec3 half, float speed)
      : centre_(centre),
        half_(half),
        x_(random, steepness(half.x, 0.8f * speed)),
        y_(random, steepness(half.y, 0.8f * speed)),
        z_(random, steepness(half.z, 0.4f * speed)) {}
  Vec3 operator()(double seconds) const { return centre_ + half_ * share(seconds); }
  /// -1 … 1 along each axis
  Vec3 share(double seconds) const { return {x_(seconds), y_(seconds), z_(seconds)}; }

 private:
  static float steepness(float half, float speed) { return speed / std::max(half, 0.05f); }
  Vec3 centre_, half_;
  Wave x_, y_, z_;
};

struct Gaze {
  float yaw = 0, pitch = 0, roll = 0;
};

/// The unsteadiness of a hand and the steps of the feet below it.
class Shake {
 public:
  Shake(Random& random, Hand hand) : hand_(hand), pace_(random.between(1.6f, 2.1f)) {
    for (int i = 0; i < kTerms; i++) {
      rates_[i] = random.between(0.4f, 1.9f);
      phases_[i] = random.between(0, 1);
    }
  }
  Vec3 offset(double seconds) const {
    const float bob = hand_.step * sine(seconds, pace_, 0);
    const float side = 0.6f * hand_.step * sine(seconds, 0.5f * pace_, 0.1f);
    return Vec3{term(seconds, 0), term(seconds, 1), 0.7f * term(seconds, 2)} * hand_.shake +
           Vec3{side, side, bob};
  }
  Gaze gaze(double seconds) const {
    const float s = 0.8f * hand_.shake;
    return {s * term(seconds, 3), s * term(seconds, 4) + 0.2f * hand_.step * sine(seconds, pace_, 0.2f),
            s * term(seconds, 5)};
  }

 private:
  static constexpr int kTerms = 6;
  float term(double seconds, int i) const {
    return 0.6f * sine(seconds, rates_[i], phases_[i]) +
           0.4f * sine(seconds, 2.31f * rates_[i], 3 * phases_[i]);
  }
  Hand hand_;
  float pace_;
  float rates_[kTerms], phases_[kTerms];
};

Vec3 direction_of(float yaw, float pitch) {
  return {std::cos(yaw) * std::cos(pitch), std::sin(yaw) * std::cos(pitch), -std::sin(pitch)};
}

Pose pose_of(Vec3 position, Gaze gaze, double seconds, const Shake& shake) {
  const Gaze more = shake.gaze(seconds);
  const Vec3 eye = position + shake.offset(seconds);
  return look(eye, eye + direction_of(gaze.yaw + more.yaw, gaze.pitch + more.pitch), gaze.roll + more.roll);
}

struct Bounds {
  Vec3 low, high;
};

Bounds bounds_of(const Body& body) {
  constexpr float kFar = std::numeric_limits<float>::max();
  Bounds b{{kFar, kFar, kFar}, {-kFar, -kFar, -kFar}};
  for (const Vec3 p : body.mesh->positions) {
    b.low = {std::min(b.low.x, p.x), std::min(b.low.y, p.y), std::min(b.low.z, p.z)};
    b.high = {std::max(b.high.x, p.x), std::max(b.high.y, p.y), std::max(b.high.z, p.z)};
  }
  const Deformation& d = body.deformation;
  float margin = d.kind == Deformation::Kind::none ? 0 : d.amount;
  if (d.kind == Deformation::Kind::bend) margin *= b.high.z * b.high.z;
  return {b.low - Vec3{margin, margin, margin}, b.high + Vec3{margin, margin, margin}};
}

bool comes_near(const Body& body, const std::vector<Vec3>& eyes, double step, float clearance) {
  const Bounds b = bounds_of(body);
  Body rigid = body;
  rigid.deformation = {};
  for (size_t i = 0; i < eyes.size(); i++) {
    const Stance stance(rigid, step * static_cast<double>(i));
    const Vec3 way = eyes[i] - stance.point({}, {});
    const Vec3 p{dot(stance.normal({1, 0, 0}), way), dot(stance.normal({0, 1, 0}), way),
                 dot(stance.normal({0, 0, 1}), way)};
    const Vec3 gap{std::max({b.low.x - p.x, p.x - b.high.x, 0.f}),
                   std::max({b.low.y - p.y, p.y - b.high.y, 0.f}),
                   std::max({b.low.z - p.z, p.z - b.high.z, 0.f})};
    if (length(gap) < clearance) return true;
  }
  return false;
}

bool is_same(Vec3 a, Vec3 b) {
  return length(a - b) < 1e-5f;
}

} // namespace

Pose look(Vec3 position, Vec3 target, float roll) {
  Pose pose;
  pose.position = position;
  pose.forward = normalize(target - position);
  const Vec3 across = cross(pose.forward, {0, 0, 1});
  const Vec3 right = length(across) > 1e-4f ? normalize(across) : Vec3{1, 0, 0};
  const Vec3 down = cross(pose.forward, right);
  pose.right = right * std::cos(roll) + down * std::sin(roll);
  pose.down = cross(pose.forward, pose.right);
  return pose;
}

CameraPath wander(Random& random, Vec3 centre, Vec3 half, float speed, float pitch, Hand hand) {
  const Drift drift(random, centre, half, speed);
  const float range = random.between(1.2f, 3.f), start = random.between(-kPi, kPi);
  const Wave turning(random, random.between(0.3f, 1.f) * kFastestTurn * 0.5f / range);
  // Weaker where the place changes quickly: it would turn the head too fast.
  const float pull = std::min(0.65f, 0.35f * std::min(half.x, half.y) / std::max(speed, 0.1f));
  const Wave nodding(random, 0.8f), leaning(random, 0.5f);
  const Shake shake(random, hand);
  return [=](double seconds) {
    // The head turns as it likes, drawn to the middle the more the farther away that is: fewer looks at bare
    // walls.
    const Vec3 share = drift.share(seconds);
    const float yaw = start + range * turning(seconds);
    const Vec3 ahead = direction_of(yaw, 0) -
                       Vec3{share.x, share.y, 0} * (pull / std::max(1.f, std::hypot(share.x, share.y)));
    const Gaze gaze{std::atan2(ahead.y, ahead.x), pitch + 0.09f * nodding(seconds), 0.03f * leaning(seconds)};
    return pose_of(drift(seconds), gaze, seconds, shake);
  };
}

CameraPath watch(Random& random, Vec3 centre, Vec3 half, float speed, Vec3 target, Vec3 target_half,
                 Hand hand) {
  const Drift drift(random, centre, half, speed), interest(random, target, target_half, 0.7f * speed);
  const Wave leaning(random, 0.5f);
  const Shake shake(random, hand);
  return [=](double seconds) {
    const Vec3 eye = drift(seconds), ahead = interest(seconds) - eye;
    const float flat = std::max(1e-3f, std::hypot(ahead.x, ahead.y));
    const Gaze gaze{std::atan2(ahead.y, ahead.x), std::atan2(-ahead.z, flat), 0.03f * leaning(seconds)};
    return pose_of(eye, gaze, seconds, shake);
  };
}

CameraPath orbit(Random& random, Vec3 target, float radius, float height, float speed, Hand hand) {
  const float rate = random.sign() * std::min(kFastestTurn, speed / radius),
              start = random.between(-kPi, kPi);
  const Wave nearing(random, 0.3f * speed / radius), rising(random, 0.3f), glancing(random, 0.3f),
      nodding(random, 0.3f), leaning(random, 0.5f);
  const Shake shake(random, hand);
  return [=](double seconds) {
    const auto angle = static_cast<float>(std::fmod(
        static_cast<double>(start) + static_cast<double>(rate) * seconds, 2 * static_cast<double>(kPi)));
    const float away = radius * (1 + 0.15f * nearing(seconds)), up = height * (1 + 0.15f * rising(seconds));
    const Vec3 eye = target + Vec3{away * std::cos(angle), away * std::sin(angle), up};
    const Gaze gaze{angle + kPi + 0.2f * glancing(seconds), std::atan2(up, away) + 0.06f * nodding(seconds),
                    0.03f * leaning(seconds)};
    return pose_of(eye, gaze, seconds, shake);
  };
}

CameraPath patrol(Random& random, Vec3 centre, Vec3 heading, float half, float speed, float pitch,
                  Hand hand) {
  const float rate = std::max(0.002f, speed / (2 * kPi * std::max(half, 0.1f))), phase = random.between(0, 1);
  const float base = std::atan2(heading.y, heading.x), range = random.between(0.1f, 0.6f);
  const float aside = random.chance(0.25f) ? random.between(-0.6f, 0.6f) : 0;
  const Wave turning(random, random.between(0.2f, 0.5f) * kFastestTurn / range), nodding(random, 0.8f),
      leaning(random, 0.5f), swerving(random, 0.5f);
  const Shake shake(random, hand);
  const Vec3 across{-heading.y, heading.x, 0};
  return [=](double seconds) {
    const Vec3 eye =
        centre + heading * (half * sine(seconds, rate, phase)) + across * (0.2f * swerving(seconds));
    const Gaze gaze{base + aside + range * turning(seconds), pitch + 0.08f * nodding(seconds),
                    0.03f * leaning(seconds)};
    return pose_of(eye, gaze, seconds, shake);
  };
}

void clear_path(World& world, double seconds, float clearance) {
  constexpr double kStep = 0.125;
  std::vector<Vec3> eyes;
  for (double t = 0; t <= seconds; t += kStep) eyes.push_back(world.camera(t).position);
  // Parts of one thing stand at one place: they go together.
  std::vector<Vec3> gone;
  for (const Body& body : world.bodies) {
    if (!body.removable) continue;
    const Vec3 at = body.placement.position;
    const bool is_gone = std::any_of(gone.begin(), gone.end(), [&](Vec3 g) { return is_same(g, at); });
    if (!is_gone && comes_near(body, eyes, kStep, clearance)) gone.push_back(at);
  }
  const auto is_in_the_way = [&](const Body& body) {
    return body.removable &&
           std::any_of(gone.begin(), gone.end(), [&](Vec3 g) { return is_same(g, body.placement.position); });
  };
  world.bodies.erase(std::remove_if(world.bodies.begin(), world.bodies.end(), is_in_the_way),
                     world.bodies.end());
}

} // namespace video_depth::scene

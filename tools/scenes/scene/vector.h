// Owns: vectors, rotations and rigid placements.
// Must not know: meshes, cameras.
#pragma once

#include <algorithm>
#include <cmath>

namespace video_depth::scene {

constexpr float kPi = 3.14159265358979f;

struct Vec3 {
  float x = 0, y = 0, z = 0;
};

inline Vec3 operator+(Vec3 a, Vec3 b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}
inline Vec3 operator-(Vec3 a, Vec3 b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}
inline Vec3 operator-(Vec3 a) {
  return {-a.x, -a.y, -a.z};
}
inline Vec3 operator*(Vec3 a, float s) {
  return {a.x * s, a.y * s, a.z * s};
}
inline Vec3 operator*(float s, Vec3 a) {
  return a * s;
}
/// Component by component.
inline Vec3 operator*(Vec3 a, Vec3 b) {
  return {a.x * b.x, a.y * b.y, a.z * b.z};
}
inline Vec3& operator+=(Vec3& a, Vec3 b) {
  return a = a + b;
}
inline float dot(Vec3 a, Vec3 b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
inline Vec3 cross(Vec3 a, Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline float length(Vec3 a) {
  return std::sqrt(dot(a, a));
}
/// The zero vector stays as it is.
inline Vec3 normalize(Vec3 a) {
  const float l = length(a);
  return l > 0 ? a * (1 / l) : a;
}
inline Vec3 mix(Vec3 a, Vec3 b, float t) {
  return a + (b - a) * t;
}
inline float mix(float a, float b, float t) {
  return a + (b - a) * t;
}
inline float clamp01(float v) {
  return std::min(1.f, std::max(0.f, v));
}
/// 0 up to `low`, 1 from `high` on, smooth between.
inline float smooth_step(float low, float high, float v) {
  const float t = clamp01((v - low) / (high - low));
  return t * t * (3 - 2 * t);
}

/// ⌊v⌋ for |v| < 2³¹ (undefined beyond, and for NaN), without a call into the maths library.
inline int floor_of(float v) {
  const int i = static_cast<int>(v);
  return i - (static_cast<float>(i) > v ? 1 : 0);
}
inline int ceil_of(float v) {
  return -floor_of(-v);
}

/// Rows of a rotation.
struct Rotation {
  Vec3 x{1, 0, 0}, y{0, 1, 0}, z{0, 0, 1};
  Vec3 operator()(Vec3 p) const { return {dot(x, p), dot(y, p), dot(z, p)}; }
  Vec3 inverse(Vec3 p) const { return x * p.x + y * p.y + z * p.z; }
};

/// @param axis unit vector @param angle radians, counter-clockwise seen from the axis' tip
inline Rotation turn(Vec3 axis, float angle) {
  const float c = std::cos(angle), s = std::sin(angle), k = 1 - c;
  return {{c + axis.x * axis.x * k, axis.x * axis.y * k - axis.z * s, axis.x * axis.z * k + axis.y * s},
          {axis.y * axis.x * k + axis.z * s, c + axis.y * axis.y * k, axis.y * axis.z * k - axis.x * s},
          {axis.z * axis.x * k - axis.y * s, axis.z * axis.y * k + axis.x * s, c + axis.z * axis.z * k}};
}

inline Rotation operator*(const Rotation& a, const Rotation& b) {
  const Vec3 columns[3] = {{b.x.x, b.y.x, b.z.x}, {b.x.y, b.y.y, b.z.y}, {b.x.z, b.y.z, b.z.z}};
  const auto row = [&](Vec3 r) { return Vec3{dot(r, columns[0]), dot(r, columns[1]), dot(r, columns[2])}; };
  return {row(a.x), row(a.y), row(a.z)};
}

/// Around the world's z axis.
inline Rotation yaw(float angle) {
  return turn({0, 0, 1}, angle);
}

struct Placement {
  Rotation rotation;
  Vec3 position;
  Vec3 operator()(Vec3 p) const { return rotation(p) + position; }
};

} // namespace video_depth::scene

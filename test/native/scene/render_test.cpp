// Owns: tests of rendered depth, flow and bodies against closed forms.
// Must not know: how worlds are invented.

#include "scene/render.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <utility>

#include "scene/camera.h"

using namespace video_depth::scene;

namespace {

constexpr float kEye = 1.5f;

/// One body before a camera that looks along y from a height of 1.5 m.
World world_of(Mesh mesh, const Placement& placement, const Motion& motion = {}) {
  World world;
  world.add(std::move(mesh), {}, placement).motion = motion;
  world.camera = [](double) { return look({0, 0, kEye}, {0, 1, kEye}); };
  return world;
}

RenderOptions view(double seconds = 0) {
  RenderOptions options;
  options.width = 64;
  options.height = 48;
  options.seconds = seconds;
  return options;
}

/// Largest relative error against what the ray (x, y, 1) of each pixel should meet; infinite where only one
/// sees sky.
double worst(const Picture& p, const std::function<double(double x, double y)>& expected) {
  double most = 0;
  for (int i = 0; i < 64 * 48; i++) {
    const double want = expected((i % 64 - p.cx) / p.fx, (i / 64 - p.cy) / p.fy),
                 got = p.depth[static_cast<size_t>(i)];
    if (std::isnan(got)) return got;
    if (want != got) most = std::max(most, std::isinf(want) ? want : std::fabs(got / want - 1));
  }
  return most;
}

} // namespace

TEST_CASE("scene: depth of the ground is the eye's height over the ray's fall, out to its border") {
  const Renderer renderer(world_of(plate(400, 400), {}));
  const auto ground = [](double, double y) { return y > 0 && kEye / y < 400 ? kEye / y : INFINITY; };
  CHECK(worst(renderer.render(view()), ground) < 2e-6);
}

TEST_CASE("scene: depth of a box's face, and of a wall that reaches behind the eye") {
  const Renderer box_ahead(world_of(box({20, 1, 20}), {{}, {0, 6, kEye}}));
  CHECK(worst(box_ahead.render(view()), [](double, double) { return 5; }) < 2e-6);
  const Renderer beside(world_of(box({1, 300, 300}), {{}, {3, 0, kEye}}));
  const auto wall = [](double x, double) { return x > 0 && 2 / x < 300 ? 2 / x : INFINITY; };
  CHECK(worst(beside.render(view()), wall) < 2e-6);
}

TEST_CASE("scene: depth of a finely cut sphere comes near the nearer root of its quadratic") {
  const Renderer renderer(world_of(sphere(1, 200), {{}, {0, 5, kEye}}));
  const Picture picture = renderer.render(view());
  for (int i = 0; i < 64 * 48; i++) {
    const double x = (i % 64 - picture.cx) / picture.fx, y = (i / 64 - picture.cy) / picture.fy,
                 a = x * x + y * y + 1;
    if (25 - 24 * a < 0.3) continue; // at its rim the triangles' edges show
    CHECK(picture.depth[static_cast<size_t>(i)] ==
          doctest::Approx((5 - std::sqrt(25 - 24 * a)) / a).epsilon(1e-3));
    CHECK(picture.bodies[static_cast<size_t>(i)] == 1);
  }
  CHECK(std::isinf(picture.depth[0]));
  CHECK(picture.bodies[0] == 0);
}

TEST_CASE("scene: flow of a body that moves is its way in pixels") {
  Motion motion;
  motion.velocity = {0.2f, 0, -0.1f};
  RenderOptions options = view(1);
  options.flow_to = 2;
  const Renderer renderer(world_of(box({0.5f, 0.5f, 0.5f}), {{}, {0, 4.5f, kEye}}, motion));
  const Picture picture = renderer.render(options);
  CHECK(renderer.moving() == std::vector<uint8_t>{1});
  int seen = 0;
  for (size_t i = 0; i < picture.depth.size(); i++) {
    if (std::isinf(picture.depth[i])) {
      CHECK(std::isnan(picture.flow[2 * i]));
      continue;
    }
    seen++;
    CHECK(picture.flow[2 * i] == doctest::Approx(0.2 * picture.fx / picture.depth[i]).epsilon(1e-4));
    CHECK(picture.flow[2 * i + 1] == doctest::Approx(0.1 * picture.fy / picture.depth[i]).epsilon(1e-4));
  }
  CHECK(seen > 50);
}

TEST_CASE("scene: a limb turns around its pivot, a round trip turns back, a bounce never sinks") {
  Body body;
  body.mesh = std::make_shared<const Mesh>(box({0.1f, 0.1f, 0.1f}));
  body.placement = {yaw(0.7f), {3, 2, 1}};
  body.motion.pivot = {0, 0, 0.4f};
  body.motion.swing_axis = {1, 0, 0};
  body.motion.swing = 0.8f;
  body.motion.swing_rate = 0.37f;
  for (const double seconds : {0.0, 0.6, 1.9}) {
    const Vec3 pivot = Stance(body, seconds).point({0, 0, 0.4f}, {});
    CHECK(length(pivot - body.placement({0, 0, 0.4f})) < 1e-5f);
    CHECK(length(Stance(body, seconds).point({0, 0, 0}, {}) - pivot) == doctest::Approx(0.4));
  }
  body.motion = {};
  body.motion.velocity = {2, 0, 0};
  body.motion.turn_after = 3;
  body.motion.bounce = 0.5f;
  body.motion.bounce_rate = 0.9f;
  for (double seconds = 0; seconds < 20; seconds += 0.37) {
    const Vec3 p = Stance(body, seconds).point({}, {});
    CHECK(std::fabs(p.x - 3) <= 3.0001f);
    CHECK(p.z >= 1);
    CHECK(p.z <= 1.5001f);
  }
  CHECK(Stance(body, 1.5).point({}, {}).x == doctest::Approx(6));
  CHECK(Stance(body, 3).point({}, {}).x == doctest::Approx(3));
}

TEST_CASE("scene: motion blur moves no truth, antialiasing neither, noise only colours") {
  Motion motion;
  motion.sway = {0.5f, 0, 0};
  motion.sway_rate = 1;
  const Renderer renderer(world_of(sphere(0.7f), {{}, {0, 4, kEye}}, motion));
  const Picture plain = renderer.render(view(0.1));
  RenderOptions options = view(0.1);
  options.shutter = 0.04;
  options.noise = 5;
  options.antialias = false;
  const Picture other = renderer.render(options);
  CHECK(plain.depth == other.depth);
  CHECK(plain.bodies == other.bodies);
  CHECK(plain.rgb != other.rgb);
  CHECK(renderer.render(options).rgb == other.rgb);
}

TEST_CASE(
    "scene: a form that does not change is at rest; a round trip turns back before its beginning, too") {
  Body body;
  body.mesh = std::make_shared<const Mesh>(plate(1, 1));
  body.deformation.kind = Deformation::Kind::wave;
  CHECK(body.is_still());
  body.deformation.rate = 0.2f;
  CHECK(!body.is_still());
  body.deformation = {};
  body.motion.velocity = {0, 1, 0};
  body.motion.turn_after = 2;
  for (double seconds = -20; seconds < 0; seconds += 0.37)
    CHECK(std::fabs(Stance(body, seconds).point({}, {}).y) <= 2.0001f);
  CHECK(Stance(body, -1).point({}, {}).y == doctest::Approx(-1));
  CHECK(Stance(body, -3).point({}, {}).y == doctest::Approx(-1));
}

TEST_CASE("scene: a picture of one pixel, and as many bodies as a picture can number") {
  World world = world_of(box({20, 1, 20}), {{}, {0, 6, kEye}});
  RenderOptions options;
  options.width = options.height = 1;
  options.flow_to = 0;
  const Picture picture = Renderer(world).render(options);
  CHECK(picture.rgb.size() == 3);
  CHECK(picture.depth[0] == doctest::Approx(5));
  for (const float way : picture.flow) CHECK(std::fabs(way) < 1e-4f);
  const Body body = world.bodies[0];
  world.bodies.resize(65535, body);
  CHECK(Renderer(world).moving().size() == 65535);
  CHECK(Renderer(world).bytes() > 65535 * 36 * sizeof(Vec3));
  world.bodies.push_back(body);
  CHECK_THROWS_WITH(Renderer{world}, "Expected at most 65535 bodies for world, received 65536");
}

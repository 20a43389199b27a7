// Owns: tests of what the stitcher refuses, and that a refusal changes nothing.
// Must not know: how the stitcher works.

#include <doctest/doctest.h>

#include "error.h"
#include "stitch_support.h"

using namespace video_depth;
using test::Window;

namespace {

constexpr StitcherOptions kOptions{5, 4, 9, 8, 2};
constexpr size_t kMapValues = 20, kFrameValues = 72;

Window window_with(int slots, int results) {
  Window window;
  for (int i = 0; i < slots; i++) window.maps.emplace_back(test::noise(kMapValues, static_cast<uint32_t>(i)));
  for (int i = 0; i < results; i++) window.out.emplace_back(kFrameValues);
  return window;
}

/// Four slots in, two frames out, two held, frames 0 and 2 remembered.
Window first_window() {
  Window window = window_with(4, 2);
  window.step.append = {0, 4};
  window.step.hold = 2;
  window.step.remember = {{0, 0}, {2, 2}};
  return window;
}

Window second_window() {
  Window window = window_with(6, 4);
  window.step.align = {{0, 0}, {1, 2}};
  window.step.blend = {2, 2};
  window.step.append = {4, 2};
  return window;
}

} // namespace

TEST_CASE("stitch: what cannot be carried out is refused, and nothing has changed") {
  Stitcher stitcher(kOptions);
  first_window().run(stitcher);
  Window w = second_window();
  auto& step = w.step;
  std::string message;

  SUBCASE("align: slot") {
    step.align[1].slot = 6;
    message = "Expected a slot below 6 for step.align[1].slot, received 6";
  }
  SUBCASE("align: negative slot") {
    step.align[0].slot = -1;
    message = "Expected a slot below 6 for step.align[0].slot, received -1";
  }
  SUBCASE("align: unknown frame") {
    step.align[1].frame = 7;
    message = "Expected a remembered frame for step.align[1].frame, received 7";
  }
  SUBCASE("blend: neither none nor all") {
    step.blend.count = 1;
    message = "Expected 0 or the 2 frames held for step.blend.count, received 1";
  }
  SUBCASE("blend: beyond the slots") {
    step.blend.slot = 5;
    message = "Expected slots below 6 for step.blend, received 5…6";
  }
  SUBCASE("append: beyond the slots") {
    step.append.slot = 5;
    message = "Expected slots below 6 for step.append, received 5…6";
  }
  SUBCASE("append: negative count") {
    step.append.count = -1;
    message = "Expected a count of at least 0 for step.append.count, received -1";
  }
  SUBCASE("append: a slot number that overflows") {
    step.append = {2147483647, 2147483647};
    message = "Expected slots below 6 for step.append, received 2147483647…4294967293";
  }
  SUBCASE("remember: slot") {
    step.remember = {{9, 9}};
    message = "Expected a slot below 6 for step.remember[0].slot, received 9";
  }
  SUBCASE("remember: a frame already remembered") {
    step.remember = {{4, 2}};
    message = "Expected a frame not remembered yet for step.remember[0].frame, received 2";
  }
  SUBCASE("remember: a frame twice") {
    step.remember = {{4, 9}, {5, 9}};
    message = "Expected a frame not remembered yet for step.remember[1].frame, received 9";
  }
  SUBCASE("forget: unknown frame") {
    step.forget = {0, 9};
    message = "Expected an earlier remembered frame, once for step.forget[1], received 9";
  }
  SUBCASE("forget: a frame twice") {
    step.forget = {0, 0};
    message = "Expected an earlier remembered frame, once for step.forget[1], received 0";
  }
  SUBCASE("forget: a frame of this very step") {
    step.remember = {{4, 9}};
    step.forget = {9};
    message = "Expected an earlier remembered frame, once for step.forget[0], received 9";
  }
  SUBCASE("hold: more than there are") {
    step.hold = 5;
    message = "Expected a count from 0 to 4 for step.hold, received 5";
  }
  SUBCASE("hold: negative") {
    step.hold = -1;
    message = "Expected a count from 0 to 4 for step.hold, received -1";
  }
  SUBCASE("out: too few") {
    w.out.pop_back();
    message = "Expected 4 arrays for out, received 3";
  }
  SUBCASE("out: wrong length") {
    w.out[2] = test::Guarded(71);
    message = "Expected 72 values for out[2], received 71 values";
  }
  SUBCASE("maps: a needed one is null") {
    w.maps[3].reset();
    message = "Expected a map of 20 values for maps[3], received null";
  }
  SUBCASE("maps: a compared one is null") {
    w.maps[0].reset();
    message = "Expected a map of 20 values for maps[0], received null";
  }
  SUBCASE("maps: wrong length") {
    w.maps[5]->push_back(0);
    message = "Expected a map of 20 values for maps[5], received 21 values";
  }

  CHECK_THROWS_WITH_AS(w.run(stitcher), message.c_str(), Error);
  CHECK(stitcher.held() == 2);
  for (const auto& frame : w.out) CHECK((!frame.all_written() && frame.guards_intact()));

  Stitcher untroubled(kOptions);
  first_window().run(untroubled);
  Window after = second_window(), expected = second_window();
  after.run(stitcher);
  expected.run(untroubled);
  for (size_t i = 0; i < after.out.size(); i++)
    CHECK(test::same_bits(after.out[i].values(), expected.out[i].values()));
}

TEST_CASE("stitch: results may overlap neither each other nor a map that is read") {
  Stitcher stitcher(kOptions);
  Window window = window_with(4, 4);
  window.step.append = {0, 4};
  auto out = window.out_views();
  SUBCASE("each other") {
    out[3].data = out[1].data + kFrameValues - 1;
    CHECK_THROWS_WITH_AS(stitcher.stitch(window.map_views(), window.step, out),
                         "Expected memory of its own for out[3], received memory that overlaps out[1]",
                         Error);
  }
  SUBCASE("a map") {
    auto maps = window.map_views();
    maps[2].data = out[0].data + 5;
    CHECK_THROWS_WITH_AS(stitcher.stitch(maps, window.step, out),
                         "Expected memory of its own for out[0], received memory that overlaps maps[2]",
                         Error);
  }
  SUBCASE("one map in two slots is fine") {
    auto maps = window.map_views();
    maps[2] = maps[1];
    CHECK_NOTHROW(stitcher.stitch(maps, window.step, out));
  }
}

TEST_CASE("stitch: an error names its operation and its parts") {
  Stitcher stitcher(kOptions);
  StitchStep step;
  step.hold = 1;
  try {
    stitcher.stitch({}, step, {});
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.operation() == "stitch");
    CHECK(error.expected() == "a count from 0 to 0");
    CHECK(error.parameter() == "step.hold");
    CHECK(error.received() == "1");
  }
}

TEST_CASE("stitcher: options out of range are refused") {
  const auto make = [](StitcherOptions options) { Stitcher stitcher(options); };
  CHECK_THROWS_WITH_AS(make({0, 4, 9, 8, 2}),
                       "Expected an integer from 1 to 32768 for options.mapWidth, received 0", Error);
  CHECK_THROWS_AS(make({5, 32769, 9, 8, 2}), Error);
  CHECK_THROWS_AS(make({5, 4, -9, 8, 2}), Error);
  CHECK_THROWS_AS(make({5, 4, 9, 0, 2}), Error);
  CHECK_THROWS_WITH_AS(make({5, 4, 9, 8, 257}),
                       "Expected an integer from 1 to 256 for options.threads, received 257", Error);
}

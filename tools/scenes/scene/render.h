// Owns: pictures of a world with everything known about them.
// Must not know: how worlds are invented, files, Node.js.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "scene/raster.h"

namespace video_depth::scene {

struct RenderOptions {
  int width = 0, height = 0; ///< pixels
  double seconds = 0;
  /// Where on its path the camera stands, if it stands; without, it moves on with the scene.
  std::optional<double> camera_seconds;
  /// Four samples a pixel for colour. Depth, flow and bodies are always the pixel centre's.
  bool antialias = true;
  /// Time that the shutter is open, seconds; 0: frozen motion. Depth, flow and bodies are the middle's.
  double shutter = 0;
  /// Standard deviation of the sensor's noise in the middle greys, of 255.
  float noise = 0;
  uint32_t noise_seed = 0;
  /// Flow to the picture at this time, if wanted.
  std::optional<double> flow_to;
};

struct Picture {
  std::vector<uint8_t> rgb;     ///< [height, width, 3]
  std::vector<float> depth;     ///< [height, width] metres along the camera's z axis; infinite: sky
  std::vector<uint16_t> bodies; ///< [height, width] 0 sky, else 1 + the body's position in its world
  /// [height, width, 2] pixels to the right and down; NaN: sky, or behind the other camera
  std::vector<float> flow;
  std::array<double, 16> pose{}; ///< [4, 4] row-major, camera to world
  float fx = 0, fy = 0, cx = 0, cy = 0;
};

/// May be asked from several threads at once.
class Renderer {
 public:
  /// @throws Error where the world has more than 65535 bodies
  explicit Renderer(World world);
  Renderer(const Renderer&) = delete;
  Renderer& operator=(const Renderer&) = delete;

  Picture render(const RenderOptions& options) const;
  /// 1 for each body that moves or changes its form, in the world's order.
  std::vector<uint8_t> moving() const;
  /// Memory that meshes take.
  size_t bytes() const;

 private:
  View view_at(const RenderOptions& options, double seconds) const;

  World world_;
  /// Bodies at rest, placed once; by position in the world, without body for those that move.
  std::vector<PlacedMesh> still_;
};

} // namespace video_depth::scene

// Owns: how much one picture differs from the one before, as PySceneDetect's ContentDetector measures it.
// Must not know: which difference is a cut.
#pragma once

#include <optional>
#include <vector>

#include "image/picture.h"

namespace video_depth {

/// Mean absolute differences in 8-bit HSV; hue's is not taken around the circle.
struct ContentDifference {
  double hue, saturation, value;
};

struct PixelSize {
  int width, height;
};

/// What PySceneDetect shrinks a picture to: 256 pixels on its longer side, where that has more.
PixelSize content_size(int width, int height);

/// OpenCV's 8-bit COLOR_RGB2HSV bit for bit: hue 0…179, the others 0…255.
///
/// @param rgb [count, 3]; the other arrays [count]
void to_hsv(const uint8_t* rgb, uint8_t* hue, uint8_t* saturation, uint8_t* value, size_t count);

/// Remembers the picture that it was last given, shrunk. One owner, one call at a time.
class ContentMeter {
 public:
  /// The difference to the picture before; none for the first one and where the size changed. Where it
  /// throws, nothing has changed.
  std::optional<ContentDifference> measure(const PictureView& picture);
  void reset();

 private:
  /// Each plane [height, width].
  struct HsvPicture {
    explicit HsvPicture(const PictureView& picture);

    PixelSize size;
    std::vector<uint8_t> hue, saturation, value;
  };

  std::optional<HsvPicture> last_;
  PixelSize last_size_{};
};

} // namespace video_depth

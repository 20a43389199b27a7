// Owns: the ports that our graphs have, found in plans and checked against each other.
// Must not know: devices, what is run when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cuda/kernels.h"
#include "tensorrt/interface.h"

namespace video_depth::gpu {

/// A port of a batch: `item_bytes` for each of its `count` first indices.
struct BatchPort {
  std::string name;
  int64_t count;
  size_t item_bytes;
  cuda::Element element;
  /// Without the first index.
  std::vector<int64_t> shape;
};

/// Throws Error where the plan has no such port, or not as an input (output), or of a type that we do not
/// use.
const tensorrt::Port& find_port(const tensorrt::Plan& plan, const std::string& name, bool is_input);
BatchPort batch_port(const tensorrt::Plan& plan, const std::string& name, bool is_input);

/// What the encoder makes of a frame and the other plans take: layer1…layer4.
constexpr int kLayers = 4;

/// Plans of windowed inference, or of one batch of streaming: what they share.
struct NetworkPorts {
  BatchPort pixels;
  BatchPort layers[kLayers];
  /// As the depth decoder takes it.
  BatchPort path3;
  BatchPort depth;
  cuda::Extent input;
};

/// @param mixer the temporal head, or the stream step
/// Throws Error where the plans do not fit together.
NetworkPorts network_ports(const tensorrt::Plan& encoder, const tensorrt::Plan& mixer,
                           const tensorrt::Plan& decoder);

/// One temporal attention's memory.
struct StatePort {
  /// Ports `remembered…` and `state…`.
  std::string remembered, state;
  cuda::Element element;
  int pixels, slots, width;
  size_t memory_bytes, state_bytes;
};

/// The states of a stream step, in the order of its inputs.
std::vector<StatePort> state_ports(const tensorrt::Plan& step);

} // namespace video_depth::gpu

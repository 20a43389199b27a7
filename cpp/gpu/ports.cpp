// Owns: the ports that our graphs have, found in plans and checked against each other.
// Must not know: devices, what is run when.

#include "gpu/ports.h"

#include <algorithm>

#include "error.h"

namespace video_depth::gpu {

namespace {

[[noreturn]] void unfit(const std::string& expected, const std::string& port, const std::string& received) {
  throw Error("plans", expected, "port " + port, received);
}

std::string text_of(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape) text += (text.empty() ? "" : "×") + std::to_string(extent);
  return "[" + text + "]";
}

/// `other` must be a batch of the same items.
void same_items(const BatchPort& port, const BatchPort& other) {
  if (port.shape == other.shape && port.element == other.element) return;
  unfit("items of " + text_of(port.shape) + " in all plans", port.name, text_of(other.shape));
}

int to_int(int64_t extent) {
  return static_cast<int>(extent);
}

} // namespace

const tensorrt::Port& find_port(const tensorrt::Plan& plan, const std::string& name, bool is_input) {
  const std::vector<tensorrt::Port>& ports = plan.ports();
  const auto found = std::find_if(ports.begin(), ports.end(), [&](const tensorrt::Port& port) {
    return port.name == name && port.is_input == is_input;
  });
  if (found == ports.end()) unfit(is_input ? "an input" : "an output", name, "none in the plan");
  return *found;
}

BatchPort batch_port(const tensorrt::Plan& plan, const std::string& name, bool is_input) {
  const tensorrt::Port& port = find_port(plan, name, is_input);
  const bool is_half = port.type == tensorrt::ElementType::kFloat16;
  if (!is_half && port.type != tensorrt::ElementType::kFloat32) {
    unfit("float16 or float32", name, "another type");
  }
  if (port.shape.empty() || port.shape[0] < 1) unfit("a batch", name, text_of(port.shape));
  return {name, port.shape[0], port.bytes / static_cast<size_t>(port.shape[0]),
          is_half ? cuda::Element::kFloat16 : cuda::Element::kFloat32,
          std::vector<int64_t>(port.shape.begin() + 1, port.shape.end())};
}

NetworkPorts network_ports(const tensorrt::Plan& encoder, const tensorrt::Plan& mixer,
                           const tensorrt::Plan& decoder) {
  NetworkPorts ports{batch_port(encoder, "pixels", true),
                     {batch_port(encoder, "layer1", false), batch_port(encoder, "layer2", false),
                      batch_port(encoder, "layer3", false), batch_port(encoder, "layer4", false)},
                     batch_port(decoder, "path3", true),
                     batch_port(decoder, "depth", false),
                     {}};
  same_items(ports.layers[0], batch_port(decoder, "layer1", true));
  same_items(ports.layers[1], batch_port(decoder, "layer2", true));
  same_items(ports.layers[2], batch_port(mixer, "layer3", true));
  same_items(ports.layers[3], batch_port(mixer, "layer4", true));
  same_items(ports.path3, batch_port(mixer, "path3", false));
  const std::vector<int64_t>& pixels = ports.pixels.shape;
  if (pixels.size() != 3 || pixels[0] != 3) unfit("[batch×3×height×width]", "pixels", text_of(pixels));
  ports.input = {to_int(pixels[2]), to_int(pixels[1])};
  if (ports.depth.shape != std::vector<int64_t>{pixels[1], pixels[2]} ||
      ports.depth.element != cuda::Element::kFloat32) {
    unfit("float32 of the encoder's size", "depth", text_of(ports.depth.shape));
  }
  return ports;
}

std::vector<StatePort> state_ports(const tensorrt::Plan& step) {
  const std::string prefix = "remembered";
  std::vector<StatePort> states;
  for (const tensorrt::Port& port : step.ports()) {
    if (!port.is_input || port.name.rfind(prefix, 0) != 0) continue;
    const BatchPort memory = batch_port(step, port.name, true);
    const BatchPort state = batch_port(step, "state" + port.name.substr(prefix.size()), false);
    const std::vector<int64_t>& shape = memory.shape; // [pixels, slots, width]
    const bool fits = shape.size() == 3 && state.shape == std::vector<int64_t>{shape[0], shape[2]} &&
                      state.element == memory.element && state.count == memory.count;
    if (!fits) unfit("one slot of " + text_of(shape), state.name, text_of(state.shape));
    states.push_back({memory.name, state.name, memory.element, to_int(shape[0]), to_int(shape[1]),
                      to_int(shape[2]), memory.item_bytes, state.item_bytes});
  }
  if (states.empty()) unfit("at least one input", prefix + "…", "none in the plan");
  return states;
}

} // namespace video_depth::gpu

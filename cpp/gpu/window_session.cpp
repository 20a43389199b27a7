// Owns: one video on the device: feature slots, a window's buffers, the order of its plans, its stitching.
// Must not know: which frames a window has, Node.js.

#include "gpu/window_session.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "cuda/failure.h"
#include "error.h"

namespace video_depth::gpu {

namespace {

/// Frames that may be on their way to the device at once: a batch of the encoder's, so that one is queued
/// while another one runs.
constexpr size_t kCells = 12;

/// Large enough for a link's full speed, small enough to be page-locked without a thought.
constexpr size_t kPieceBytes = size_t{8} << 20;

/// Windows that may be on their way to the host.
constexpr size_t kLeavingWindows = 2;

size_t items(const BatchPort& port) {
  return port.item_bytes * static_cast<size_t>(port.count);
}

size_t item_count(int count) {
  return static_cast<size_t>(count);
}

} // namespace

WindowSession::WindowSession(DeviceLanes& lanes, WindowPlans plans, const WindowOptions& options)
    : lanes_(lanes),
      plans_(std::move(plans)),
      options_(options),
      ports_(network_ports(*plans_.encoder, *plans_.temporal_head, *plans_.depth_decoder)),
      window_(static_cast<int>(batch_port(*plans_.temporal_head, "layer3", true).count)),
      cells_(kCells),
      is_filled_(item_count(options.slots)),
      has_map_(item_count(window_)),
      stitcher_(ports_.input, options.frame),
      leaving_(kLeavingWindows),
      downloader_(kPieceBytes) {
  const auto window = item_count(window_);
  pixels_ = cuda::DeviceBuffer(items(ports_.pixels));
  for (int i = 0; i < kLayers; i++) {
    encoded_[i] = cuda::DeviceBuffer(items(ports_.layers[i]));
    slots_[i] = cuda::DeviceBuffer(ports_.layers[i].item_bytes * item_count(options.slots));
  }
  head_layer3_ = cuda::DeviceBuffer(ports_.layers[2].item_bytes * window);
  head_layer4_ = cuda::DeviceBuffer(ports_.layers[3].item_bytes * window);
  path3_ = cuda::DeviceBuffer(ports_.path3.item_bytes * window);
  const auto decoded = item_count(static_cast<int>(ports_.path3.count));
  decoder_path3_ = cuda::DeviceBuffer(items(ports_.path3));
  decoder_layer1_ = cuda::DeviceBuffer(ports_.layers[0].item_bytes * decoded);
  decoder_layer2_ = cuda::DeviceBuffer(ports_.layers[1].item_bytes * decoded);
  depth_ = cuda::DeviceBuffer(items(ports_.depth));
  maps_ = cuda::DeviceBuffer(ports_.depth.item_bytes * window);
  health_ = cuda::DeviceBuffer(sizeof(cuda::MapHealth) * window);
  fit_ = cuda::DeviceBuffer(sizeof(cuda::DeviceFit));
  host_health_ = cuda::PinnedBuffer(sizeof(cuda::MapHealth) * window);
  host_fit_ = cuda::PinnedBuffer(sizeof(cuda::DeviceFit));
  encoder_ = std::make_unique<PlanRun>(*plans_.encoder, lanes_.scratch,
                                       std::vector<Binding>{{"pixels", pixels_.data()},
                                                            {"layer1", encoded_[0].data()},
                                                            {"layer2", encoded_[1].data()},
                                                            {"layer3", encoded_[2].data()},
                                                            {"layer4", encoded_[3].data()}});
  head_ = std::make_unique<PlanRun>(
      *plans_.temporal_head, lanes_.scratch,
      std::vector<Binding>{
          {"layer3", head_layer3_.data()}, {"layer4", head_layer4_.data()}, {"path3", path3_.data()}});
  decoder_ = std::make_unique<PlanRun>(*plans_.depth_decoder, lanes_.scratch,
                                       std::vector<Binding>{{"path3", decoder_path3_.data()},
                                                            {"layer1", decoder_layer1_.data()},
                                                            {"layer2", decoder_layer2_.data()},
                                                            {"depth", depth_.data()}});
  // All three exist: the scratch block has its size, and no recording is lost again.
  for (PlanRun* run : {encoder_.get(), head_.get(), decoder_.get()}) run->warm_up(lanes_.compute);
}

/// What is queued still uses the buffers.
WindowSession::~WindowSession() {
  for (cuda::Stream* stream : {&lanes_.upload, &lanes_.compute, &lanes_.finish, &lanes_.download}) {
    cudaStreamSynchronize(stream->get());
  }
}

void WindowSession::encode(int slot) {
  if (slot < 0 || slot >= options_.slots) {
    throw Error("encode", "a slot below " + std::to_string(options_.slots), "slot", std::to_string(slot));
  }
  Cell& cell = cells_[next_cell_];
  lanes_.upload.wait_for(cell.read);
  cell.cell.reserve(lanes_.upload);
  const PictureView picture = cell.cell.upload(lanes_.upload);
  cell.uploaded.record(lanes_.upload);
  lanes_.compute.wait_for(cell.uploaded);
  char* const pixels = pixels_.as<char>() + ports_.pixels.item_bytes * batch_.size();
  clock_.begin(Phase::kPreprocess, lanes_.compute);
  cuda::check(
      cuda::launch_preprocess(picture, pixels, ports_.pixels.element, ports_.input, lanes_.compute.get()),
      "preprocessing a frame");
  clock_.end(lanes_.compute);
  cell.read.record(lanes_.compute);
  batch_.push_back(slot);
  if (static_cast<int64_t>(batch_.size()) == ports_.pixels.count) run_encoder();
  next_cell_ = (next_cell_ + 1) % kCells;
  cells_[next_cell_].uploaded.synchronize();
}

/// A batch that is not full is run with what the rest held before; nobody reads those results.
void WindowSession::run_encoder() {
  clock_.begin(Phase::kEncode, lanes_.compute);
  encoder_->run(lanes_.compute);
  for (int layer = 0; layer < kLayers; layer++) {
    const size_t bytes = ports_.layers[layer].item_bytes;
    std::vector<cuda::BlockCopy> copies;
    for (size_t i = 0; i < batch_.size(); i++) {
      copies.push_back({encoded_[layer].as<char>() + i * bytes, slot(layer, batch_[i])});
    }
    copy_blocks(copies, bytes);
  }
  clock_.end(lanes_.compute);
  for (const int index : batch_) is_filled_[item_count(index)] = true;
  batch_.clear();
}

Epilogue WindowSession::decode(const std::vector<int>& slots, const std::vector<int>& wanted,
                               DecodeResult& result) {
  if (!batch_.empty()) run_encoder();
  check_slots(slots);
  check_positions(wanted, "wanted");
  lanes_.compute.wait_for(stitched_); // it reads the last window's maps
  run_head(slots);
  std::fill(has_map_.begin(), has_map_.end(), false);
  run_decoder(slots, wanted);
  const size_t bytes = sizeof(cuda::MapHealth) * item_count(window_);
  cuda::check(cudaMemcpyAsync(host_health_.data(), health_.data(), bytes, cudaMemcpyDeviceToHost,
                              lanes_.compute.get()),
              "reading what a window's maps are like");
  decoded_.record(lanes_.compute);
  map_health_ = std::make_shared<std::vector<cuda::MapHealth>>();
  return [this, wanted, all = map_health_, &result] {
    decoded_.synchronize();
    clock_.settle();
    const auto* read = host_health_.as<cuda::MapHealth>();
    all->assign(read, read + window_);
    for (const int position : wanted) {
      const cuda::MapHealth& health = (*all)[item_count(position)];
      result.non_finite += health.non_finite;
      if (!(health.least < health.most)) result.flat.push_back(position);
    }
  };
}

void WindowSession::run_head(const std::vector<int>& slots) {
  clock_.begin(Phase::kTemporalHead, lanes_.compute);
  for (const auto& [layer, to] : {std::pair{2, &head_layer3_}, std::pair{3, &head_layer4_}}) {
    const size_t bytes = ports_.layers[layer].item_bytes;
    std::vector<cuda::BlockCopy> copies;
    for (size_t i = 0; i < slots.size(); i++)
      copies.push_back({slot(layer, slots[i]), to->as<char>() + i * bytes});
    copy_blocks(copies, bytes);
  }
  head_->run(lanes_.compute);
  clock_.end(lanes_.compute);
}

void WindowSession::run_decoder(const std::vector<int>& slots, const std::vector<int>& wanted) {
  clock_.begin(Phase::kDepthDecoder, lanes_.compute);
  const auto batch = static_cast<size_t>(ports_.path3.count);
  for (size_t begin = 0; begin < wanted.size(); begin += batch) {
    const size_t count = std::min(batch, wanted.size() - begin);
    std::vector<cuda::BlockCopy> paths, first, second, maps;
    for (size_t i = 0; i < count; i++) {
      const auto position = static_cast<size_t>(wanted[begin + i]);
      const size_t path_bytes = ports_.path3.item_bytes;
      paths.push_back(
          {path3_.as<char>() + position * path_bytes, decoder_path3_.as<char>() + i * path_bytes});
      first.push_back(
          {slot(0, slots[position]), decoder_layer1_.as<char>() + i * ports_.layers[0].item_bytes});
      second.push_back(
          {slot(1, slots[position]), decoder_layer2_.as<char>() + i * ports_.layers[1].item_bytes});
      maps.push_back({depth_.as<char>() + i * ports_.depth.item_bytes, map(wanted[begin + i])});
      has_map_[position] = true;
    }
    copy_blocks(paths, ports_.path3.item_bytes);
    copy_blocks(first, ports_.layers[0].item_bytes);
    copy_blocks(second, ports_.layers[1].item_bytes);
    decoder_->run(lanes_.compute);
    copy_blocks(maps, ports_.depth.item_bytes);
  }
  cuda::check(cuda::launch_health(maps_.as<float>(), window_, map_values(), health_.as<cuda::MapHealth>(),
                                  lanes_.compute.get()),
              "checking a window's maps");
  clock_.end(lanes_.compute);
}

Epilogue WindowSession::stitch(const StitchStep& step, std::vector<FrameView> out, StitchResult& result) {
  std::vector<const float*> maps;
  for (int i = 0; i < window_; i++) maps.push_back(has_map_[item_count(i)] ? map(i) : nullptr);
  stitcher_.check(maps, step, out);
  const size_t frame_bytes = stitcher_.frame_values() * sizeof(float);
  auto leaving = std::make_shared<LeavingFrames>();
  leaving->count = static_cast<int>(out.size());
  if (!out.empty()) leaving->frames = leaving_.take(out.size() * frame_bytes);
  lanes_.finish.wait_for(decoded_);
  clock_.begin(Phase::kStitch, lanes_.finish);
  stitcher_.stitch(maps, step, *leaving, fit_.as<cuda::DeviceFit>(), lanes_.finish);
  cuda::check(cudaMemcpyAsync(host_fit_.data(), fit_.data(), sizeof(cuda::DeviceFit), cudaMemcpyDeviceToHost,
                              lanes_.finish.get()),
              "reading a window's scale and shift");
  clock_.end(lanes_.finish);
  stitched_.record(lanes_.finish);
  const std::vector<int> used = used_slots(step);
  return [this, leaving, frame_bytes, used, health = map_health_, out = std::move(out), &result] {
    lanes_.download.wait_for(stitched_);
    for (size_t i = 0; i < out.size(); i++) {
      downloader_.copy(leaving->frames.as<char>() + i * frame_bytes, out[i].data, frame_bytes,
                       lanes_.download);
    }
    downloader_.flush();
    stitched_.synchronize();
    clock_.settle();
    leaving_.give(std::move(leaving->frames));
    const auto& fit = *host_fit_.as<cuda::DeviceFit>();
    result = result_of({{fit.scale, fit.shift, fit.degenerate != 0}, fit.is_anew != 0, fit.left_out});
    for (const int position : used) result.non_finite += (*health)[item_count(position)].non_finite;
  };
}

Epilogue WindowSession::read_maps(const std::vector<int>& positions, std::vector<FrameView> out) {
  check_positions(positions, "positions");
  if (out.size() != positions.size()) {
    throw Error("readMaps", std::to_string(positions.size()) + " arrays", "out", std::to_string(out.size()));
  }
  for (size_t i = 0; i < out.size(); i++) {
    if (out[i].length != map_values()) {
      throw Error("readMaps", std::to_string(map_values()) + " values", "out[" + std::to_string(i) + "]",
                  std::to_string(out[i].length));
    }
    if (!has_map_[item_count(positions[i])]) {
      throw Error("readMaps", "positions of the last decode", "positions", std::to_string(positions[i]));
    }
  }
  return [this, positions, out = std::move(out)] {
    lanes_.download.wait_for(decoded_);
    for (size_t i = 0; i < out.size(); i++) {
      downloader_.copy(map(positions[i]), out[i].data, map_values() * sizeof(float), lanes_.download);
    }
    downloader_.flush();
  };
}

void WindowSession::copy_blocks(const std::vector<cuda::BlockCopy>& copies, size_t bytes) {
  for (size_t begin = 0; begin < copies.size(); begin += cuda::kMostBlocks) {
    const size_t count = std::min(copies.size() - begin, static_cast<size_t>(cuda::kMostBlocks));
    cuda::check(
        cuda::launch_copy_blocks(copies.data() + begin, static_cast<int>(count), bytes, lanes_.compute.get()),
        "moving features");
  }
}

void WindowSession::check_slots(const std::vector<int>& slots) const {
  if (slots.size() != item_count(window_)) {
    throw Error("decode", std::to_string(window_) + " slots", "slots", std::to_string(slots.size()));
  }
  for (const int index : slots) {
    const bool is_known = index >= 0 && index < options_.slots && is_filled_[item_count(index)];
    if (!is_known) throw Error("decode", "slots that hold a frame", "slots", std::to_string(index));
  }
}

void WindowSession::check_positions(const std::vector<int>& positions, const char* parameter) const {
  for (const int position : positions) {
    if (position >= 0 && position < window_) continue;
    throw Error("decode", "positions below " + std::to_string(window_), parameter, std::to_string(position));
  }
}

char* WindowSession::slot(int layer, int index) const {
  return slots_[layer].as<char>() + ports_.layers[layer].item_bytes * item_count(index);
}

float* WindowSession::map(int position) const {
  return maps_.as<float>() + map_values() * item_count(position);
}

size_t WindowSession::map_values() const {
  return ports_.depth.item_bytes / sizeof(float);
}

} // namespace video_depth::gpu

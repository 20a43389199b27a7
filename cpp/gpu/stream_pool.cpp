// Owns: several streams of one network size on the device: their memories, and how their steps run together.
// Must not know: which earlier frames a stream sees, when steps are due, Node.js.

#include "gpu/stream_pool.h"

#include <algorithm>
#include <string>

#include "cuda/failure.h"
#include "error.h"

namespace video_depth::gpu {

namespace {

constexpr size_t kPieceBytes = size_t{8} << 20;

size_t area(cuda::Extent extent) {
  return static_cast<size_t>(extent.width) * static_cast<size_t>(extent.height);
}

/// Of host memory that may be given back at once only where the driver has taken a copy: small ones it takes
/// at once, and `step` keeps these until its epilogue has run.
void upload_small(void* to, const void* from, size_t bytes, cuda::Stream& stream) {
  cuda::check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream.get()),
              "copying a step's positions");
}

} // namespace

std::vector<std::pair<size_t, int>> plan_runs(const std::vector<int>& batches, const std::vector<int>& due,
                                              int rows) {
  std::vector<bool> is_due(static_cast<size_t>(rows));
  for (const int row : due) is_due[static_cast<size_t>(row)] = true;
  std::vector<std::pair<size_t, int>> runs;
  for (size_t index = batches.size(); index-- > 0;) {
    const int batch = batches[index];
    for (int base = 0; base + batch <= rows; base += batch) {
      const auto first = is_due.begin() + base;
      const auto count = std::count(first, first + batch, true);
      if (2 * count <= batch && batch > 1) continue;
      if (count == 0) continue;
      runs.emplace_back(index, base);
      std::fill(first, first + batch, false);
    }
  }
  return runs;
}

StreamPool::StreamPool(DeviceLanes& lanes, StreamPlans plans, int rows)
    : lanes_(lanes),
      plans_(std::move(plans)),
      ports_(network_ports(*plans_.encoders.front(), *plans_.steps.front(), *plans_.depth_decoders.front())),
      states_(state_ports(*plans_.steps.front())),
      rows_(static_cast<size_t>(rows)),
      downloader_(kPieceBytes) {
  const auto count = static_cast<size_t>(rows);
  pixels_ = cuda::DeviceBuffer(ports_.pixels.item_bytes * count);
  for (int i = 0; i < kLayers; i++) layers_[i] = cuda::DeviceBuffer(ports_.layers[i].item_bytes * count);
  path3_ = cuda::DeviceBuffer(ports_.path3.item_bytes * count);
  depth_ = cuda::DeviceBuffer(ports_.depth.item_bytes * count);
  const auto seen = static_cast<size_t>(slots()) + 1;
  positions_ = cuda::DeviceBuffer(seen * sizeof(int64_t) * count);
  mask_ = cuda::DeviceBuffer(seen * sizeof(float) * count);
  for (const StatePort& state : states_) {
    memories_.push_back(
        {cuda::DeviceBuffer(state.memory_bytes * count), cuda::DeviceBuffer(state.state_bytes * count)});
    memory_bytes_ += state.memory_bytes;
  }
  health_ = cuda::DeviceBuffer(sizeof(cuda::MapHealth) * count);
  fits_ = cuda::DeviceBuffer(sizeof(cuda::DeviceFit) * count);
  finish_fits_ = cuda::DeviceBuffer(sizeof(cuda::DeviceFit) * count);
  fit_scratch_ = cuda::DeviceBuffer(cuda::fit_scratch_bytes(ports_.input));
  host_health_ = cuda::PinnedBuffer(sizeof(cuda::MapHealth) * count);
  host_fits_ = cuda::PinnedBuffer(sizeof(cuda::DeviceFit) * count);
  // What a row that is not due computes must not be slow or trap; its inputs are never seen as numbers
  // otherwise.
  for (const cuda::DeviceBuffer* buffer : {&pixels_, &positions_, &mask_}) {
    cuda::check(cudaMemsetAsync(buffer->data(), 0, buffer->bytes(), lanes_.compute.get()), "clearing memory");
  }
  for (const State& state : memories_) {
    cuda::check(cudaMemsetAsync(state.memory.data(), 0, state.memory.bytes(), lanes_.compute.get()),
                "clearing memory");
  }
}

StreamPool::~StreamPool() {
  for (cuda::Stream* stream : {&lanes_.upload, &lanes_.compute, &lanes_.finish, &lanes_.download}) {
    cudaStreamSynchronize(stream->get());
  }
}

Epilogue StreamPool::step(std::vector<StepEntry> entries, std::vector<StepResult>& results) {
  check(entries);
  struct Marks {
    cuda::Event begun{true}, preprocessed{true}, inferred{true}, done{true};
  };
  auto kept = std::make_shared<std::vector<StepEntry>>(std::move(entries));
  auto marks = std::make_shared<Marks>();
  marks->begun.record(lanes_.compute);
  for (const StepEntry& entry : *kept) upload(entry);
  marks->preprocessed.record(lanes_.compute);
  run(*kept);
  marks->inferred.record(lanes_.compute);
  for (const StepEntry& entry : *kept) conclude(entry);
  marks->done.record(lanes_.compute);
  return [this, kept, marks, &results] {
    lanes_.download.wait_for(marks->done);
    for (const StepEntry& entry : *kept) {
      if (entry.out.data == nullptr) continue;
      const Row& row = rows_[static_cast<size_t>(entry.row)];
      downloader_.copy(row.frame.data(), entry.out.data, area(entry.frame) * sizeof(float), lanes_.download);
    }
    downloader_.flush();
    marks->done.synchronize();
    for (const StepEntry& entry : *kept) {
      StepResult result;
      const cuda::MapHealth& health = host_health_.as<cuda::MapHealth>()[entry.row];
      result.non_finite = health.non_finite;
      result.is_flat = !(health.least < health.most);
      if (entry.fit) {
        const cuda::DeviceFit& fit = host_fits_.as<cuda::DeviceFit>()[entry.row];
        result.fit = {{fit.scale, fit.shift, fit.degenerate != 0}, fit.correlation};
      }
      result.preprocess_ms = marks->preprocessed.milliseconds_since(marks->begun);
      result.infer_ms = marks->inferred.milliseconds_since(marks->preprocessed);
      result.post_ms = marks->done.milliseconds_since(marks->inferred);
      results.push_back(result);
    }
  };
}

void StreamPool::check_row(int row, const char* operation) const {
  if (row >= 0 && row < row_count()) return;
  throw Error(operation, "a row below " + std::to_string(row_count()), "row", std::to_string(row));
}

void StreamPool::check(const std::vector<StepEntry>& entries) const {
  const auto seen = static_cast<size_t>(slots()) + 1;
  std::vector<bool> is_used(rows_.size());
  for (const StepEntry& entry : entries) {
    check_row(entry.row, "step");
    const auto row = static_cast<size_t>(entry.row);
    if (is_used[row]) throw Error("step", "each row once", "row", std::to_string(entry.row) + " twice");
    is_used[row] = true;
    if (entry.positions.size() != seen || entry.mask.size() != seen) {
      throw Error("step", std::to_string(seen) + " positions and mask values", "step",
                  std::to_string(entry.positions.size()) + " and " + std::to_string(entry.mask.size()));
    }
    for (const int slot : entry.write) {
      if (slot < 0 || slot >= slots()) {
        throw Error("step", "slots below " + std::to_string(slots()), "write", std::to_string(slot));
      }
    }
    if (entry.fit && !rows_[row].has_reference) throw Error("step", "a row with a reference", "fit", "true");
    if (entry.out.data != nullptr && entry.out.length != area(entry.frame)) {
      throw Error("step", std::to_string(area(entry.frame)) + " values", "out",
                  std::to_string(entry.out.length));
    }
  }
}

/// The picture, resized and normalised, the positions and the mask into the row's place.
void StreamPool::upload(const StepEntry& entry) {
  Row& row = rows_[static_cast<size_t>(entry.row)];
  const PictureView picture = row.cell.upload(lanes_.upload);
  uploaded_.record(lanes_.upload);
  lanes_.compute.wait_for(uploaded_);
  cuda::check(cuda::launch_preprocess(picture, at<void>(pixels_, ports_.pixels.item_bytes, entry.row),
                                      ports_.pixels.element, ports_.input, lanes_.compute.get()),
              "preprocessing a frame");
  const size_t seen = entry.positions.size();
  upload_small(at<void>(positions_, seen * sizeof(int64_t), entry.row), entry.positions.data(),
               seen * sizeof(int64_t), lanes_.compute);
  upload_small(at<void>(mask_, seen * sizeof(float), entry.row), entry.mask.data(), seen * sizeof(float),
               lanes_.compute);
}

void StreamPool::run(const std::vector<StepEntry>& entries) {
  std::vector<int> due;
  for (const StepEntry& entry : entries) due.push_back(entry.row);
  for (const auto& [batch, base] : plan_runs(plans_.batches, due, row_count())) {
    Group& runs = group(batch, base);
    runs.encoder->run(lanes_.compute);
    runs.step->run(lanes_.compute);
    runs.decoder->run(lanes_.compute);
  }
}

StreamPool::Group& StreamPool::group(size_t batch, int base) {
  Group& found = groups_[{batch, base}];
  if (found.encoder) return found;
  const auto port = [&](const BatchPort& of, const cuda::DeviceBuffer& buffer) {
    return Binding{of.name, at<void>(buffer, of.item_bytes, base)};
  };
  const auto run = [&](const std::shared_ptr<tensorrt::Plan>& plan, const std::vector<Binding>& bindings) {
    return std::make_unique<PlanRun>(*plan, lanes_.scratch, bindings);
  };
  const auto seen = static_cast<size_t>(slots()) + 1;
  std::vector<Binding> encoder{port(ports_.pixels, pixels_)};
  for (int i = 0; i < kLayers; i++) encoder.push_back(port(ports_.layers[i], layers_[i]));
  std::vector<Binding> step{port(ports_.layers[2], layers_[2]),
                            port(ports_.layers[3], layers_[3]),
                            port(ports_.path3, path3_),
                            {"positions", at<void>(positions_, seen * sizeof(int64_t), base)},
                            {"mask", at<void>(mask_, seen * sizeof(float), base)}};
  for (size_t i = 0; i < states_.size(); i++) {
    step.push_back({states_[i].remembered, at<void>(memories_[i].memory, states_[i].memory_bytes, base)});
    step.push_back({states_[i].state, at<void>(memories_[i].next, states_[i].state_bytes, base)});
  }
  const std::vector<Binding> decoder{port(ports_.path3, path3_), port(ports_.layers[0], layers_[0]),
                                     port(ports_.layers[1], layers_[1]), port(ports_.depth, depth_)};
  Group made{run(plans_.encoders[batch], encoder), run(plans_.steps[batch], step),
             run(plans_.depth_decoders[batch], decoder)};
  return found = std::move(made);
}

/// Everything that concerns one stream alone, after the runs.
void StreamPool::conclude(const StepEntry& entry) {
  cudaStream_t const stream = lanes_.compute.get();
  Row& row = rows_[static_cast<size_t>(entry.row)];
  const size_t map_bytes = ports_.depth.item_bytes;
  auto* const health = health_.as<cuda::MapHealth>() + entry.row;
  const auto* const depth = at<float>(depth_, map_bytes, entry.row);
  cuda::check(cuda::launch_health(depth, 1, map_values(), health, stream), "checking a map");
  remember(entry);
  // Another stream's run may write over the row's place before `finish`.
  if (row.map.bytes() == 0) row.map = cuda::DeviceBuffer(map_bytes);
  cuda::check(cudaMemcpyAsync(row.map.data(), depth, map_bytes, cudaMemcpyDeviceToDevice, stream),
              "keeping a map");
  if (entry.fit) {
    auto* const fit = fits_.as<cuda::DeviceFit>() + entry.row;
    cuda::check(cuda::launch_map_fit(row.map.as<float>(), row.reference.as<float>(), map_values(),
                                     fit_scratch_.data(), fit, stream),
                "fitting a map to the reference");
    cuda::check(cudaMemcpyAsync(host_fits_.as<cuda::DeviceFit>() + entry.row, fit, sizeof(*fit),
                                cudaMemcpyDeviceToHost, stream),
                "reading a fit");
  }
  if (entry.out.data != nullptr) write_frame(entry.row, entry.frame, nullptr, lanes_.compute);
  cuda::check(cudaMemcpyAsync(host_health_.as<cuda::MapHealth>() + entry.row, health, sizeof(*health),
                              cudaMemcpyDeviceToHost, stream),
              "reading what a map is like");
}

/// Runs of neighbouring slots in one launch; a frame that is not finite leaves the memory as it is.
void StreamPool::remember(const StepEntry& entry) {
  const auto* const health = health_.as<cuda::MapHealth>() + entry.row;
  for (size_t begin = 0; begin < entry.write.size();) {
    size_t end = begin + 1;
    while (end < entry.write.size() && entry.write[end] == entry.write[end - 1] + 1) end++;
    for (size_t i = 0; i < states_.size(); i++) {
      const StatePort& state = states_[i];
      cuda::check(
          cuda::launch_write_state(at<void>(memories_[i].next, state.state_bytes, entry.row),
                                   at<void>(memories_[i].memory, state.memory_bytes, entry.row),
                                   state.element, state.pixels, state.slots, state.width, entry.write[begin],
                                   1, static_cast<int>(end - begin), health, lanes_.compute.get()),
          "remembering a frame");
    }
    begin = end;
  }
}

void StreamPool::write_frame(int row, cuda::Extent frame, const cuda::DeviceFit* fit, cuda::Stream& stream) {
  Row& of = rows_[static_cast<size_t>(row)];
  const size_t bytes = area(frame) * sizeof(float);
  if (of.frame.bytes() < bytes) {
    stream.synchronize();
    of.frame = {};
    of.frame = cuda::DeviceBuffer(bytes);
  }
  const cuda::FrameJob job{of.map.as<float>(), nullptr, of.frame.as<float>(), 1};
  cuda::check(cuda::launch_write_frames(&job, 1, ports_.input, frame, fit, stream.get()), "writing a frame");
}

Epilogue StreamPool::finish(int row, const FinishOptions& options, FrameView out, float& post_ms) {
  check_row(row, "finish");
  Row& of = rows_[static_cast<size_t>(row)];
  if (of.map.bytes() == 0) throw Error("finish", "a row with a map", "row", "one before its first step");
  if (out.length != area(options.frame)) {
    throw Error("finish", std::to_string(area(options.frame)) + " values", "out", std::to_string(out.length));
  }
  struct Marks {
    cuda::Event begun{true}, done{true};
  };
  auto marks = std::make_shared<Marks>();
  marks->begun.record(lanes_.compute);
  auto fit = std::make_shared<cuda::DeviceFit>(cuda::DeviceFit{options.scale, options.shift, 0, 0});
  auto* const device_fit = finish_fits_.as<cuda::DeviceFit>() + row;
  upload_small(device_fit, fit.get(), sizeof(*fit), lanes_.compute);
  write_frame(row, options.frame, device_fit, lanes_.compute);
  if (options.keep) {
    if (of.reference.bytes() == 0) of.reference = cuda::DeviceBuffer(of.map.bytes());
    cuda::check(cudaMemcpyAsync(of.reference.data(), of.map.data(), of.map.bytes(), cudaMemcpyDeviceToDevice,
                                lanes_.compute.get()),
                "keeping a reference");
    of.has_reference = true;
  }
  marks->done.record(lanes_.compute);
  return [this, &of, fit, marks, out, &post_ms] {
    lanes_.download.wait_for(marks->done);
    downloader_.copy(of.frame.data(), out.data, out.length * sizeof(float), lanes_.download);
    downloader_.flush();
    marks->done.synchronize();
    post_ms = marks->done.milliseconds_since(marks->begun);
  };
}

Epilogue StreamPool::export_state(int row, char* memory, FrameView reference) {
  check_row(row, "exportState");
  Row& of = rows_[static_cast<size_t>(row)];
  if (reference.data != nullptr && !of.has_reference) {
    throw Error("exportState", "a row with a reference", "withReference", "true");
  }
  auto ready = std::make_shared<cuda::Event>();
  ready->record(lanes_.compute);
  return [this, row, &of, memory, reference, ready] {
    lanes_.download.wait_for(*ready);
    char* to = memory;
    for (size_t i = 0; i < states_.size(); i++) {
      const size_t bytes = states_[i].memory_bytes;
      downloader_.copy(at<void>(memories_[i].memory, bytes, row), to, bytes, lanes_.download);
      to += bytes;
    }
    if (reference.data != nullptr) {
      downloader_.copy(of.reference.data(), reference.data, of.reference.bytes(), lanes_.download);
    }
    downloader_.flush();
  };
}

/// Rare and large: waits for the copies, so that the caller's arrays are free afterwards.
Epilogue StreamPool::import_state(int row, const char* memory, const float* reference) {
  check_row(row, "importState");
  Row& of = rows_[static_cast<size_t>(row)];
  const char* from = memory;
  for (size_t i = 0; i < states_.size(); i++) {
    const size_t bytes = states_[i].memory_bytes;
    upload_small(at<void>(memories_[i].memory, bytes, row), from, bytes, lanes_.compute);
    from += bytes;
  }
  of.has_reference = reference != nullptr;
  if (reference != nullptr) {
    if (of.reference.bytes() == 0) of.reference = cuda::DeviceBuffer(ports_.depth.item_bytes);
    upload_small(of.reference.data(), reference, of.reference.bytes(), lanes_.compute);
  }
  lanes_.compute.synchronize();
  return nullptr;
}

} // namespace video_depth::gpu

// Owns: several streams of one network size on the device: a step of some of them, what each has for itself.
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

/// Uploads from host memory that may be given back only once the driver has taken a copy: it takes small ones
/// at once, and `step` keeps these until its epilogue has run.
void upload_small(void* to, const void* from, size_t bytes, cuda::Stream& stream) {
  cuda::check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream.get()),
              "copying a step's positions");
}

} // namespace

StreamPool::StreamPool(DeviceLanes& lanes, StreamPlans plans, int rows)
    : lanes_(lanes),
      runs_(lanes, std::move(plans), rows),
      rows_(static_cast<size_t>(rows)),
      downloader_(kPieceBytes) {
  const auto count = static_cast<size_t>(rows);
  health_ = cuda::DeviceBuffer(sizeof(cuda::MapHealth) * count);
  fits_ = cuda::DeviceBuffer(sizeof(cuda::DeviceFit) * count);
  finish_fits_ = cuda::DeviceBuffer(sizeof(cuda::DeviceFit) * count);
  fit_scratch_ = cuda::DeviceBuffer(cuda::fit_scratch_bytes(ports().input));
  host_health_ = cuda::PinnedBuffer(sizeof(cuda::MapHealth) * count);
  host_fits_ = cuda::PinnedBuffer(sizeof(cuda::DeviceFit) * count);
}

StreamPool::~StreamPool() {
  for (cuda::Stream* stream : {&lanes_.upload, &lanes_.compute, &lanes_.finish, &lanes_.download}) {
    cudaStreamSynchronize(stream->get());
  }
}

/// Events of one run.
struct StreamPool::Marks {
  cuda::Event begun{true}, preprocessed{true}, inferred{true}, done{true};
};

Epilogue StreamPool::step(std::vector<StepEntry> entries, std::vector<StepResult>& results) {
  check(entries);
  auto kept = std::make_shared<std::vector<StepEntry>>(std::move(entries));
  auto marks = std::make_shared<std::vector<Marks>>();
  std::vector<int> due;
  for (const StepEntry& entry : *kept) due.push_back(entry.row);
  const auto runs = plan_runs(runs_.batches(), due, row_count());
  reserve(*kept);
  std::vector<size_t> run_of(kept->size());
  for (const auto& [index, base] : runs) {
    std::vector<const StepEntry*> together;
    for (size_t i = 0; i < kept->size(); i++) {
      const StepEntry& entry = (*kept)[i];
      if (entry.row < base || entry.row >= base + runs_.batches()[index]) continue;
      together.push_back(&entry);
      run_of[i] = marks->size();
    }
    marks->emplace_back();
    run(index, base, together, marks->back());
  }
  return [this, kept, marks, run_of, &results] {
    for (size_t i = 0; i < kept->size(); i++) {
      const StepEntry& entry = (*kept)[i];
      if (entry.out.data == nullptr) continue;
      lanes_.download.wait_for((*marks)[run_of[i]].done);
      const Row& row = rows_[static_cast<size_t>(entry.row)];
      downloader_.copy(row.frame.data(), entry.out.data, area(entry.frame) * sizeof(float), lanes_.download);
    }
    downloader_.flush();
    for (Marks& run : *marks) run.done.synchronize();
    for (size_t i = 0; i < kept->size(); i++) {
      const StepEntry& entry = (*kept)[i];
      const Marks& run = (*marks)[run_of[i]];
      StepResult result;
      const cuda::MapHealth& health = host_health_.as<cuda::MapHealth>()[entry.row];
      result.non_finite = health.non_finite;
      result.is_flat = !(health.least < health.most);
      if (entry.fit) {
        const cuda::DeviceFit& fit = host_fits_.as<cuda::DeviceFit>()[entry.row];
        result.fit = {{fit.scale, fit.shift, fit.degenerate != 0}, fit.correlation};
      }
      result.preprocess_ms = run.preprocessed.milliseconds_since(run.begun);
      result.infer_ms = run.inferred.milliseconds_since(run.preprocessed);
      result.post_ms = run.done.milliseconds_since(run.inferred);
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

void StreamPool::reserve(const std::vector<StepEntry>& entries) {
  try {
    for (const StepEntry& entry : entries) {
      Row& row = rows_[static_cast<size_t>(entry.row)];
      row.cell.reserve(lanes_.upload);
      if (row.map.bytes() == 0) row.map = cuda::DeviceBuffer(ports().depth.item_bytes);
      if (entry.out.data != nullptr) reserve_frame(entry.row, entry.frame);
    }
  } catch (const GpuFailure& failure) {
    throw NothingBegun(failure);
  }
}

void StreamPool::reserve_frame(int row, cuda::Extent frame) {
  Row& of = rows_[static_cast<size_t>(row)];
  const size_t bytes = area(frame) * sizeof(float);
  if (of.frame.bytes() >= bytes) return;
  lanes_.compute.synchronize();
  of.frame = {};
  of.frame = cuda::DeviceBuffer(bytes);
}

void StreamPool::run(size_t index, int base, const std::vector<const StepEntry*>& entries, Marks& marks) {
  const Lane& lane = runs_.lane(index);
  marks.begun.record(lanes_.compute);
  for (const StepEntry* entry : entries) prepare(lane, entry->row - base, *entry);
  marks.preprocessed.record(lanes_.compute);
  runs_.run(index, base);
  marks.inferred.record(lanes_.compute);
  for (const StepEntry* entry : entries) conclude(lane, entry->row - base, *entry);
  marks.done.record(lanes_.compute);
}

/// The picture, resized and normalised, the positions and the mask into the entry's place of the batch.
void StreamPool::prepare(const Lane& lane, int position, const StepEntry& entry) {
  Row& row = rows_[static_cast<size_t>(entry.row)];
  const PictureView picture = row.cell.upload(lanes_.upload);
  uploaded_.record(lanes_.upload);
  lanes_.compute.wait_for(uploaded_);
  cuda::check(
      cuda::launch_preprocess(picture, item_at<void>(lane.pixels, ports().pixels.item_bytes, position),
                              ports().pixels.element, ports().input, lanes_.compute.get()),
      "preprocessing a frame");
  const size_t seen = entry.positions.size();
  upload_small(item_at<void>(lane.positions, seen * sizeof(int64_t), position), entry.positions.data(),
               seen * sizeof(int64_t), lanes_.compute);
  upload_small(item_at<void>(lane.mask, seen * sizeof(float), position), entry.mask.data(),
               seen * sizeof(float), lanes_.compute);
}

/// Everything that concerns one stream alone, after the run.
void StreamPool::conclude(const Lane& lane, int position, const StepEntry& entry) {
  cudaStream_t const stream = lanes_.compute.get();
  Row& row = rows_[static_cast<size_t>(entry.row)];
  const size_t map_bytes = ports().depth.item_bytes;
  auto* const health = health_.as<cuda::MapHealth>() + entry.row;
  const auto* const depth = item_at<float>(lane.depth, map_bytes, position);
  cuda::check(cuda::launch_health(depth, 1, map_values(), health, stream), "checking a map");
  remember(lane, position, entry);
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
void StreamPool::remember(const Lane& lane, int position, const StepEntry& entry) {
  const auto* const health = health_.as<cuda::MapHealth>() + entry.row;
  for (size_t begin = 0; begin < entry.write.size();) {
    size_t end = begin + 1;
    while (end < entry.write.size() && entry.write[end] == entry.write[end - 1] + 1) end++;
    for (size_t i = 0; i < states().size(); i++) {
      const StatePort& state = states()[i];
      cuda::check(cuda::launch_write_state(item_at<void>(lane.states[i], state.state_bytes, position),
                                           runs_.memory(i, entry.row), state.element, state.pixels,
                                           state.slots, state.width, entry.write[begin], 1,
                                           static_cast<int>(end - begin), health, lanes_.compute.get()),
                  "remembering a frame");
    }
    begin = end;
  }
}

void StreamPool::write_frame(int row, cuda::Extent frame, const cuda::DeviceFit* fit, cuda::Stream& stream) {
  Row& of = rows_[static_cast<size_t>(row)];
  const cuda::FrameJob job{of.map.as<float>(), nullptr, of.frame.as<float>(), 1};
  cuda::check(cuda::launch_write_frames(&job, 1, ports().input, frame, fit, stream.get()), "writing a frame");
}

Epilogue StreamPool::finish(int row, const FinishOptions& options, FrameView out, float& post_ms) {
  check_row(row, "finish");
  Row& of = rows_[static_cast<size_t>(row)];
  if (of.map.bytes() == 0) throw Error("finish", "a row with a map", "row", "one before its first step");
  if (out.length != area(options.frame)) {
    throw Error("finish", std::to_string(area(options.frame)) + " values", "out", std::to_string(out.length));
  }
  try {
    reserve_frame(row, options.frame);
    if (options.keep && of.reference.bytes() == 0) of.reference = cuda::DeviceBuffer(of.map.bytes());
  } catch (const GpuFailure& failure) {
    throw NothingBegun(failure);
  }
  struct Times {
    cuda::Event begun{true}, done{true};
  };
  auto marks = std::make_shared<Times>();
  marks->begun.record(lanes_.compute);
  auto fit = std::make_shared<cuda::DeviceFit>(cuda::DeviceFit{options.scale, options.shift, 0, 0});
  auto* const device_fit = finish_fits_.as<cuda::DeviceFit>() + row;
  upload_small(device_fit, fit.get(), sizeof(*fit), lanes_.compute);
  write_frame(row, options.frame, device_fit, lanes_.compute);
  if (options.keep) {
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
    for (size_t i = 0; i < states().size(); i++) {
      const size_t bytes = states()[i].memory_bytes;
      downloader_.copy(runs_.memory(i, row), to, bytes, lanes_.download);
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
  for (size_t i = 0; i < states().size(); i++) {
    const size_t bytes = states()[i].memory_bytes;
    upload_small(runs_.memory(i, row), from, bytes, lanes_.compute);
    from += bytes;
  }
  of.has_reference = reference != nullptr;
  if (reference != nullptr) {
    if (of.reference.bytes() == 0) of.reference = cuda::DeviceBuffer(ports().depth.item_bytes);
    upload_small(of.reference.data(), reference, of.reference.bytes(), lanes_.compute);
  }
  lanes_.compute.synchronize();
  return nullptr;
}

} // namespace video_depth::gpu

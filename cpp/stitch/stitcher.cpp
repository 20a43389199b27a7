// Owns: the state between windows: frames held back for the next blend and remembered references.
// Must not know: which window it is, how the step was planned, Node.js.

#include "stitch/stitcher.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "image/non_finite.h"
#include "parallel.h"

namespace video_depth {

namespace {

const StitcherOptions& checked(const StitcherOptions& options) {
  check_options(options);
  return options;
}

bool contains(const std::vector<int64_t>& frames, int64_t frame) {
  return std::find(frames.begin(), frames.end(), frame) != frames.end();
}

size_t area(int width, int height) {
  return static_cast<size_t>(width) * static_cast<size_t>(height);
}

} // namespace

Stitcher::Stitcher(const StitcherOptions& options)
    : options_(checked(options)),
      geometry_(options.map_width, options.map_height, options.frame_width, options.frame_height),
      frame_values_(area(options.frame_width, options.frame_height)),
      scratch_per_worker_(UpsampledRows::scratch_size(geometry_) + static_cast<size_t>(options.frame_width)),
      scratch_(scratch_per_worker_ * static_cast<size_t>(options.threads)) {
}

StitchResult Stitcher::stitch(const std::vector<MapView>& maps, const StitchStep& step,
                              const std::vector<FrameView>& out) {
  check_step(step, maps, out, state());
  Plan plan = this->plan(maps, step, out);
  const uint64_t non_finite = count_non_finite(maps, used_slots(step));
  const WindowFit window = fit(maps, step);
  const std::vector<Reference*> replaced = this->replaced(maps, step, window, plan);
  write(plan.placements, window);
  for (Reference* reference : replaced) reference->scale = window.fit.scale;
  commit(step, static_cast<int>(out.size()), window.fit.scale, plan);
  StitchResult result = result_of(window);
  result.non_finite = non_finite;
  return result;
}

size_t Stitcher::memory_bytes() const {
  return (held_.size() + references_.size()) * frame_values_ * sizeof(float);
}

/// Sums over all references are added up row by row beside those of each one: their bits do not depend on
/// whether a reference is left out of other windows.
WindowFit Stitcher::fit(const std::vector<MapView>& maps, const StitchStep& step) {
  const size_t count = step.align.size();
  struct Chunk {
    FitSums all, each[kMostReferences];
  };
  std::vector<Chunk> chunks(count == 0 ? 0 : static_cast<size_t>(chunk_count(options_.frame_height)));
  if (count > 0) {
    parallel_rows(options_.frame_height, options_.threads, [&](const RowChunk& chunk) {
      Chunk& sums = chunks[static_cast<size_t>(chunk.index)];
      for (size_t i = 0; i < count; i++) {
        const SlotFrame& pair = step.align[i];
        UpsampledRows rows(geometry_, maps[static_cast<size_t>(pair.slot)].data, scratch(chunk.worker));
        const float* target = reference(pair.frame).data.get();
        for (int y = chunk.begin; y < chunk.end; y++) {
          const FitSums row =
              sum_row(rows.row(y), target + area(options_.frame_width, y), options_.frame_width);
          sums.all += row;
          sums.each[i] += row;
        }
      }
    });
  }
  FitSums all;
  ReferenceSums references[kMostReferences];
  for (size_t i = 0; i < count; i++) references[i].scale = reference(step.align[i].frame).scale;
  for (const Chunk& chunk : chunks) {
    all += chunk.all;
    for (size_t i = 0; i < count; i++) references[i].sums += chunk.each[i];
  }
  return solve_window(all, references, static_cast<int>(count));
}

/// References that were left out and live on show this window's map of their frame instead.
std::vector<Stitcher::Reference*> Stitcher::replaced(const std::vector<MapView>& maps, const StitchStep& step,
                                                     const WindowFit& window, Plan& plan) {
  std::vector<Reference*> replaced;
  for (size_t i = 0; i < step.align.size(); i++) {
    const auto [slot, frame] = step.align[i];
    const bool is_left_out = (window.left_out >> i & 1) != 0;
    if (!is_left_out || contains(step.forget, frame)) continue;
    replaced.push_back(&reference(frame));
    plan.placements.push_back(
        {maps[static_cast<size_t>(slot)].data, nullptr, 1, replaced.back()->data.get()});
  }
  return replaced;
}

/// Frame j of [held…, appended…], j ≥ leaving, lives here. Appended frames take over what held frames leave
/// behind; that is sound because `write` finishes a row of every held frame before it begins that row of an
/// appended one.
Stitcher::Frame& Stitcher::home_of_held(Plan& plan, int index, int leaving) {
  const int held = this->held();
  if (index < held) return held_[static_cast<size_t>(index)];
  const int vacated = std::min(leaving, held);
  const int appended = index - std::max(leaving, held);
  if (appended < vacated) return held_[static_cast<size_t>(appended)];
  return plan.fresh_held[static_cast<size_t>(appended - vacated)];
}

Stitcher::Frame& Stitcher::home_of_reference(Plan& plan, const StitchStep& step, size_t index) {
  if (index < step.forget.size()) return reference(step.forget[index]).data;
  return plan.fresh_references[index - step.forget.size()];
}

Stitcher::Plan Stitcher::plan(const std::vector<MapView>& maps, const StitchStep& step,
                              const std::vector<FrameView>& out) {
  Plan plan;
  const int leaving = static_cast<int>(out.size());
  const int total = held() + step.append.count;
  const int newly_held = total - std::max(leaving, held());
  for (int i = std::min(leaving, held()); i < newly_held; i++) plan.fresh_held.push_back(new_frame());
  for (size_t i = step.forget.size(); i < step.remember.size(); i++)
    plan.fresh_references.push_back(new_frame());
  plan.next_held.reserve(static_cast<size_t>(step.hold));
  plan.next_references.reserve(references_.size() + step.remember.size());

  const auto map_at = [&](int slot) { return maps[static_cast<size_t>(slot)].data; };
  const auto target = [&](int j) {
    return j < leaving ? out[static_cast<size_t>(j)].data : home_of_held(plan, j, leaving).get();
  };
  for (int j = 0; j < held(); j++) {
    const double weight = j < step.blend.count ? blend_weight(j, step.blend.count) : 0;
    const float* map = weight > 0 ? map_at(step.blend.slot + j) : nullptr;
    plan.placements.push_back({map, held_[static_cast<size_t>(j)].get(), weight, target(j)});
  }
  for (int i = 0; i < step.append.count; i++) {
    plan.placements.push_back({map_at(step.append.slot + i), nullptr, 1, target(held() + i)});
  }
  for (size_t i = 0; i < step.remember.size(); i++) {
    plan.placements.push_back(
        {map_at(step.remember[i].slot), nullptr, 1, home_of_reference(plan, step, i).get()});
  }
  return plan;
}

/// Where a window begins anew it does not blend: its own frames come instead of those before.
void Stitcher::write(const std::vector<Placement>& placements, const WindowFit& window) {
  const int width = options_.frame_width;
  const auto scale = static_cast<float>(window.fit.scale);
  const auto shift = static_cast<float>(window.fit.shift);
  const size_t row_bytes = static_cast<size_t>(width) * sizeof(float);
  parallel_rows(options_.frame_height, options_.threads, [&](const RowChunk& chunk) {
    float* const copy = scratch(chunk.worker) + UpsampledRows::scratch_size(geometry_);
    for (const Placement& to : placements) {
      UpsampledRows rows(geometry_, to.map, scratch(chunk.worker));
      for (int y = chunk.begin; y < chunk.end; y++) {
        const size_t offset = area(width, y);
        float* target = to.target + offset;
        if (to.held == nullptr || (window.is_anew && to.map != nullptr)) {
          write_scaled(rows.row(y), scale, shift, target, width);
        } else if (to.map == nullptr) {
          if (target != to.held + offset) std::memcpy(target, to.held + offset, row_bytes);
        } else {
          const float* held = to.held + offset;
          if (held == target) held = static_cast<const float*>(std::memcpy(copy, held, row_bytes));
          write_blended(rows.row(y), scale, shift, held, to.weight, target, width);
        }
      }
    }
  });
}

void Stitcher::commit(const StitchStep& step, int leaving, double scale, Plan& plan) noexcept {
  for (size_t i = 0; i < step.remember.size(); i++) {
    Frame& home = home_of_reference(plan, step, i);
    plan.next_references.push_back({step.remember[i].frame, std::move(home), scale});
  }
  for (Reference& old : references_) {
    if (!contains(step.forget, old.frame)) plan.next_references.push_back(std::move(old));
  }
  const int total = held() + step.append.count;
  for (int j = leaving; j < total; j++) plan.next_held.push_back(std::move(home_of_held(plan, j, leaving)));
  references_ = std::move(plan.next_references);
  held_ = std::move(plan.next_held);
}

Stitcher::Reference& Stitcher::reference(int64_t frame) {
  return *std::find_if(references_.begin(), references_.end(),
                       [&](const Reference& r) { return r.frame == frame; });
}

Stitcher::Frame Stitcher::new_frame() const {
  return Frame(new float[frame_values_]); // not zeroed: every value is written before it is read
}

uint64_t Stitcher::count_non_finite(const std::vector<MapView>& maps, const std::vector<int>& slots) const {
  std::vector<uint64_t> chunks(static_cast<size_t>(chunk_count(options_.map_height)));
  parallel_rows(options_.map_height, options_.threads, [&](const RowChunk& chunk) {
    for (const int slot : slots) {
      const float* map = maps[static_cast<size_t>(slot)].data;
      for (int y = chunk.begin; y < chunk.end; y++) {
        chunks[static_cast<size_t>(chunk.index)] +=
            video_depth::count_non_finite(map + area(options_.map_width, y), options_.map_width);
      }
    }
  });
  return std::accumulate(chunks.begin(), chunks.end(), uint64_t{0});
}

StitchState Stitcher::state() const {
  StitchState state{area(options_.map_width, options_.map_height), frame_values_, held(), {}};
  for (const Reference& reference : references_) state.remembered.push_back(reference.frame);
  return state;
}

} // namespace video_depth

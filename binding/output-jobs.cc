// Owns: the addon's functions for writing outputs: packDepth, unpackDepth, rgbToYuv420, colourDepth.
// Must not know: how they work, files.

#include "output-jobs.h"

#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

#include "arguments.h"
#include "bounds.h"
#include "image/depth_packing.h"
#include "image/yuv420.h"
#include "job-arrays.h"

namespace video_depth_binding {

namespace {

/// What is given to `result` on the JavaScript thread, after `work` off it. Created and destroyed on that
/// thread, also when its environment ends.
class WritingJob : public Napi::AsyncWorker {
 public:
  using Work = std::function<void()>;
  using Result = std::function<Napi::Value(Napi::Env)>;

  WritingJob(Napi::Env env, const char* name, Work work, Result result)
      : Napi::AsyncWorker(env, name),
        work_(std::move(work)),
        result_(std::move(result)),
        deferred_(Napi::Promise::Deferred::New(env)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    try {
      work_();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  void OnOK() override {
    try {
      if (failure_) std::rethrow_exception(failure_);
      deferred_.Resolve(result_(Env()));
    } catch (...) {
      deferred_.Reject(to_js_error(Env(), std::current_exception()));
    }
  }

 private:
  Work work_;
  Result result_;
  Napi::Promise::Deferred deferred_;
  std::exception_ptr failure_;
};

Napi::Value queued(Napi::Env env, const char* name, WritingJob::Work work, WritingJob::Result result) {
  auto job = std::make_unique<WritingJob>(env, name, std::move(work), std::move(result));
  const Napi::Promise promise = job->promise();
  job->Queue();
  job.release(); // NOLINT: Node.js deletes it when it is done
  return promise;
}

/// Everything that is wrong is told through the promise.
template <class Start>
Napi::Value promised(Napi::Env env, const Start& start) {
  try {
    return start();
  } catch (...) {
    const auto deferred = Napi::Promise::Deferred::New(env);
    deferred.Reject(to_js_error(env, std::current_exception()));
    return deferred.Promise();
  }
}

int read_side(const Napi::Value& value, const char* parameter) {
  return static_cast<int>(read_integer(value, parameter, 1, video_depth::kMaxSide));
}

/// Any number: a video whose depth is not finite has bounds that are not.
float read_bound(const Napi::Value& value, const char* parameter) {
  if (!value.IsNumber()) throw unexpected("a number", parameter, value);
  return value.As<Napi::Number>().FloatValue();
}

/// A copy of [count / width, width] values.
std::shared_ptr<float[]> read_depth(const Napi::Value& value, size_t& count) {
  const Napi::Float32Array data = read_floats(value, "data");
  count = data.ElementLength();
  return copied(data.Data(), count);
}

} // namespace

Napi::Value pack_depth(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return promised(env, [&] {
    const auto width = static_cast<size_t>(read_side(info[1], "width"));
    size_t count = 0;
    const std::shared_ptr<float[]> data = read_depth(info[0], count);
    struct Packed {
      std::unique_ptr<uint8_t[]> bytes;
      size_t length = 0;
      video_depth::DepthBounds bounds{};
    };
    const auto packed = std::make_shared<Packed>();
    return queued(
        env, "video-depth packDepth",
        [=] {
          packed->bytes.reset(new uint8_t[video_depth::most_packed_bytes(count)]);
          packed->length =
              video_depth::pack_depth(data.get(), count, width, packed->bytes.get(), packed->bounds);
        },
        [=](Napi::Env at_end) {
          Napi::Uint8Array bytes = new_array_of<uint8_t>(at_end, packed->length);
          std::memcpy(bytes.Data(), packed->bytes.get(), packed->length);
          const Napi::Object result = Napi::Object::New(at_end);
          result.Set("bytes", bytes);
          result.Set("min", packed->bounds.least);
          result.Set("max", packed->bounds.greatest);
          return result;
        });
  });
}

Napi::Value unpack_depth(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return promised(env, [&] {
    const Napi::Uint8Array packed = read_bytes(info[0], "packed");
    const auto width = static_cast<size_t>(read_side(info[1], "width"));
    const auto height = static_cast<size_t>(read_side(info[2], "height"));
    const size_t bytes = packed.ByteLength();
    const std::shared_ptr<uint8_t[]> copy = copied(packed.Data(), bytes);
    const auto depth = std::make_shared<ResultArray<float>>(env, width * height);
    return queued(
        env, "video-depth unpackDepth",
        [=] { video_depth::unpack_depth(copy.get(), bytes, depth->data(), depth->length(), width); },
        [=](Napi::Env) { return depth->value(); });
  });
}

Napi::Value rgb_to_yuv420(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return promised(env, [&] {
    const int width = read_side(info[1], "width");
    const int height = read_side(info[2], "height");
    const Napi::Uint8Array data = read_bytes(info[0], "data");
    if (data.ByteLength() != 3 * static_cast<size_t>(width) * static_cast<size_t>(height))
      throw unexpected("3 · width · height bytes", "data", data);
    const std::shared_ptr<uint8_t[]> rgb = copied(data.Data(), data.ByteLength());
    const auto planes = std::make_shared<ResultArray<uint8_t>>(env, video_depth::yuv420_bytes(width, height));
    return queued(
        env, "video-depth rgbToYuv420",
        [=] { video_depth::rgb_to_yuv420(rgb.get(), width, height, planes->data()); },
        [=](Napi::Env) { return planes->value(); });
  });
}

Napi::Value colour_depth(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return promised(env, [&] {
    const int width = read_side(info[1], "width");
    const int height = read_side(info[2], "height");
    const float least = read_bound(info[3], "min");
    const float greatest = read_bound(info[4], "max");
    const Napi::Uint8Array palette = read_bytes(info[5], "colours");
    constexpr size_t kPaletteBytes = 3 * 256;
    if (palette.ByteLength() != kPaletteBytes) throw unexpected("768 bytes", "colours", palette);
    size_t count = 0;
    const std::shared_ptr<float[]> data = read_depth(info[0], count);
    if (count != static_cast<size_t>(width) * static_cast<size_t>(height))
      throw unexpected("width · height values", "data", info[0]);
    const std::shared_ptr<uint8_t[]> colours = copied(palette.Data(), kPaletteBytes);
    const auto planes = std::make_shared<ResultArray<uint8_t>>(env, video_depth::yuv420_bytes(width, height));
    return queued(
        env, "video-depth colourDepth",
        [=] {
          video_depth::colour_depth(data.get(), width, height, least, greatest, colours.get(),
                                    planes->data());
        },
        [=](Napi::Env) { return planes->value(); });
  });
}

} // namespace video_depth_binding

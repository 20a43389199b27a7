// Owns: what is done with rows of values between products: norms, quantization, softmax, layout, resizing.
// Must not know: what the rows are, threads. Channels come in multiples of 16.
#pragma once

#include "cpu/kernels.h"
#include "cpu/kernels/simd.h"

namespace video_depth::VIDEO_DEPTH_KERNELS {

using cpu::kColumns;
using cpu::Norm;

constexpr int kLevels = Bytes::kLevels;

inline void layer_norm(const float* x, ptrdiff_t stride, int rows, int width, const Norm& norm,
                       const float* add, int period, float* out) {
  for (int row = 0; row < rows; row++, x += stride, out += width) {
    Vf total = all(0.0F);
    for (int i = 0; i < width; i += kLanes) total = total + load(x + i);
    const Vf mean = all(sum(total) / static_cast<float>(width));
    Vf squares = all(0.0F);
    for (int i = 0; i < width; i += kLanes) {
      const Vf centred = load(x + i) - mean;
      squares = fma(centred, centred, squares);
    }
    const Vf variance = all(sum(squares) / static_cast<float>(width) + norm.epsilon);
    const Vf inverse = all(1.0F) / square_root(variance);
    const float* position = add == nullptr ? nullptr : add + static_cast<ptrdiff_t>(row % period) * width;
    for (int i = 0; i < width; i += kLanes) {
      Vf v = fma((load(x + i) - mean) * inverse, load(norm.weight + i), load(norm.bias + i));
      if (position != nullptr) v = v + load(position + i);
      store(out + i, v);
    }
  }
}

inline void range(const float* x, size_t count, float& least_value, float& most) {
  Vf low = all(0.0F);
  Vf high = all(0.0F);
  Vf bad = all(0.0F); // minimum and maximum forget NaN
  for (size_t i = 0; i < count; i += kLanes) {
    const Vf v = load(x + i);
    low = smaller(low, v);
    high = larger(high, v);
    bad = fma(v, all(0.0F), bad);
  }
  least_value = smallest(low);
  most = largest(high) + sum(bad);
}

inline void quantize(const float* x, size_t count, bool relu, float inverse, int zero, uint8_t* out) {
  const Vf offset = all(static_cast<float>(zero));
  const Vf floor = all(relu ? static_cast<float>(zero) : 0.0F);
  const Vf top = all(static_cast<float>(kLevels));
  for (size_t i = 0; i < count; i += kLanes) {
    // NaN becomes the floor: the second operand is taken.
    const Vf level = smaller(larger(fma(load(x + i), all(inverse), offset), floor), top);
    store_bytes(out + i, to_integers(level));
  }
}

inline void quantize_rows(const float* x, ptrdiff_t stride, int rows, int width, uint8_t* out, float* scale,
                          int32_t* zero) {
  for (int row = 0; row < rows; row++, x += stride, out += width) {
    float low = 0;
    float high = 0;
    range(x, static_cast<size_t>(width), low, high);
    const cpu::ByteScale bytes = cpu::byte_scale(low, high, kLevels);
    scale[row] = bytes.scale;
    zero[row] = bytes.zero;
    quantize(x, static_cast<size_t>(width), false, bytes.inverse, bytes.zero, out);
  }
}

inline void relu(const float* x, size_t count, float* out) {
  for (size_t i = 0; i < count; i += kLanes) store(out + i, larger(all(0.0F), load(x + i)));
}

inline void to_bf16(const float* x, size_t count, uint16_t* out) {
  for (size_t i = 0; i < count; i += kLanes) store_half(out + i, load(x + i));
}

inline void softmax(float* x, ptrdiff_t stride, int rows, int width, int padded, uint16_t* half,
                    float* sums) {
  const int whole = width / kLanes * kLanes;
  const Mask rest = first(width - whole);
  for (int row = 0; row < rows; row++, x += stride) {
    Vf high = all(-3.0e38F);
    for (int i = 0; i < whole; i += kLanes) high = larger(high, load(x + i));
    float top = largest(high);
    for (int i = whole; i < width; i++) top = x[i] > top ? x[i] : top;
    const Vf most = all(top);
    Vf total = all(0.0F);
    uint16_t* halves = half == nullptr ? nullptr : half + row * stride;
    for (int i = 0; i < padded; i += kLanes) {
      Vf share = exponential(load(x + i) - most);
      if (i >= whole) {
        store(x + i, share);
        share = i < width ? load_part(x + i, rest) : all(0.0F);
      }
      total = total + share;
      if (halves != nullptr)
        store_half(halves + i, share);
      else
        store(x + i, share);
    }
    sums[row] = sum(total);
  }
}

constexpr int kKeyWidth = 64;

inline void pack_keys_int8(const float* keys, ptrdiff_t stride, int start, int count, int8_t* out,
                           float* scale, int32_t* sums) {
  for (int key = start; key < start + count; key++, keys += stride) {
    float low = 0;
    float high = 0;
    range(keys, kKeyWidth, low, high);
    const float most = high > -low ? high : high - high - low; // not finite where `high` is not
    const Vf inverse = all(most > cpu::kNothing ? 127.0F / most : 0.0F);
    int32_t values[kKeyWidth];
    for (int i = 0; i < kKeyWidth; i += kLanes) {
      const Vi integers = to_integers(load(keys + i) * inverse);
      __builtin_memcpy(values + i, &integers, sizeof integers);
    }
    int8_t* column =
        out + static_cast<ptrdiff_t>(key / kColumns) * kKeyWidth * kColumns + (key % kColumns) * 4;
    int32_t total = 0;
    for (int i = 0; i < kKeyWidth; i++) {
      const auto level = static_cast<int8_t>(values[i]);
      column[(i / 4) * kColumns * 4 + i % 4] = level;
      total += level;
    }
    scale[key] = most / 127.0F;
    sums[key] = total;
  }
}

inline void transpose(const float* x, ptrdiff_t stride, int rows, int cols, float* out,
                      ptrdiff_t out_stride) {
  const int whole_rows = rows / 8 * 8;
  const int whole_cols = cols / 8 * 8;
  for (int r = 0; r < whole_rows; r += 8) {
    for (int c = 0; c < whole_cols; c += 8) {
      transpose_eight(x + r * stride + c, stride, out + c * out_stride + r, out_stride);
    }
  }
  for (int r = 0; r < rows; r++) {
    for (int c = r < whole_rows ? whole_cols : 0; c < cols; c++) out[c * out_stride + r] = x[r * stride + c];
  }
}

inline void affine(const float* x, const float* centre, const float* scale, const float* shift, int width,
                   float* out) {
  for (int i = 0; i < width; i += kLanes) {
    store(out + i, fma(load(x + i) - load(centre + i), load(scale + i), load(shift + i)));
  }
}

inline void gate(float* values, const float* gates, size_t count) {
  for (size_t i = 0; i < count; i += kLanes) store(values + i, load(values + i) * load(gates + i));
}

inline void multiply(float* x, float factor, size_t count) {
  for (size_t i = 0; i < count; i += kLanes) store(x + i, load(x + i) * all(factor));
}

inline void add(const float* x, const float* y, size_t count, float* out) {
  for (size_t i = 0; i < count; i += kLanes) store(out + i, load(x + i) + load(y + i));
}

inline void add_bf16(const uint16_t* x, const float* y, size_t count, float* out) {
  for (size_t i = 0; i < count; i += kLanes) store(out + i, load_half(x + i) + load(y + i));
}

inline void channel_sums(const float* x, int pixels, int channels, const float* origin, float* sums,
                         float* squares) {
  for (int pixel = 0; pixel < pixels; pixel++, x += channels) {
    for (int i = 0; i < channels; i += kLanes) {
      const Vf v = load(x + i) - load(origin + i);
      store(sums + i, load(sums + i) + v);
      store(squares + i, fma(v, v, load(squares + i)));
    }
  }
}

inline void resize_row(const float* top, const float* bottom, float weight, const int* left, const int* step,
                       const float* weights, int width, int channels, float* out) {
  const Vf down = all(weight);
  for (int x = 0; x < width; x++) {
    const ptrdiff_t start = static_cast<ptrdiff_t>(left[x]) * channels;
    const ptrdiff_t next = start + static_cast<ptrdiff_t>(step[x]) * channels;
    const Vf right = all(weights[x]);
    for (int i = 0; i < channels; i += kLanes, out += kLanes) {
      const Vf a = load(top + start + i);
      const Vf b = load(bottom + start + i);
      const Vf upper = fma(load(top + next + i) - a, right, a);
      const Vf lower = fma(load(bottom + next + i) - b, right, b);
      store(out, fma(lower - upper, down, upper));
    }
  }
}

inline void project_to_depth(const float* x, int pixels, int channels, const float* w, float bias,
                             float* out) {
  for (int pixel = 0; pixel < pixels; pixel++, x += channels) {
    Vf total = all(0.0F);
    for (int i = 0; i < channels; i += kLanes) total = fma(load(x + i), load(w + i), total);
    const float depth = sum(total) + bias;
    out[pixel] = depth < 0 ? 0.0F : depth; // NaN stays
  }
}

} // namespace video_depth::VIDEO_DEPTH_KERNELS

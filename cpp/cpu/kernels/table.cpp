// Owns: the table of kernels of one instruction set; compiled once for each, VIDEO_DEPTH_KERNELS being its
// name in C++. Must not know: which processor it runs on, networks.

#include "cpu/kernels/product.h"
#include "cpu/kernels/rows.h"

namespace video_depth::VIDEO_DEPTH_KERNELS {

namespace {

void product_f32(const Rows& rows, const Columns& columns, const Finish& end) {
  product<InFloat32>(rows, {}, columns, end);
}

void product_int8(const Rows& rows, const Quantization& quantization, const Columns& columns,
                  const Finish& end) {
  product<InInt8>(rows, quantization, columns, end);
}

#if defined(VIDEO_DEPTH_KERNELS_HALVES)
void product_bf16(const Rows& rows, const Columns& columns, const Finish& end) {
  product<InBfloat16>(rows, {}, columns, end);
}
constexpr auto kProductBf16 = &product_bf16;
constexpr bool kHasBf16 = true;
#else
constexpr void (*kProductBf16)(const Rows&, const Columns&, const Finish&) = nullptr;
constexpr bool kHasBf16 = false;
#endif

} // namespace

extern const cpu::Kernels kernels;
const cpu::Kernels kernels = {
    VIDEO_DEPTH_KERNELS_TITLE,
    kLevels,
    kHasBf16,
    product_f32,
    product_int8,
    kProductBf16,
    layer_norm,
    quantize_rows,
    range,
    quantize,
    relu,
    to_bf16,
    softmax,
    pack_keys_int8,
    transpose,
    affine,
    gate,
    multiply,
    add,
    add_bf16,
    channel_sums,
    resize_row,
    project_to_depth,
};

} // namespace video_depth::VIDEO_DEPTH_KERNELS

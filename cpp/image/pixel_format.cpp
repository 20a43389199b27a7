// Owns: conversion of a picture's rows to tightly packed RGB.
// Must not know: what the RGB is for.

#include "image/pixel_format.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "checks.h"
#include "error.h"
#include "parallel.h"

namespace video_depth {

namespace {

/// @tparam kLumaStep, kChromaStep bytes from one sample to the next
template <int kLumaStep, int kChromaStep>
void write_yuv(const uint8_t* luma, const uint8_t* u, const uint8_t* v, const YuvTables& tables, uint8_t* out,
               int width) {
  const auto byte_of = [&](int sum) { return tables.clamp[sum >> YuvTables::kBits]; };
  for (int x = 0; x < width; x += 2) {
    const int red = tables.red_v[*v];
    const int green = tables.green_u[*u] + tables.green_v[*v];
    const int blue = tables.blue_u[*u];
    const int pixels = std::min(width - x, 2);
    for (int i = 0; i < pixels; i++) {
      const int y = tables.luma[*luma];
      out[0] = byte_of(y + red);
      out[1] = byte_of(y + green);
      out[2] = byte_of(y + blue);
      luma += kLumaStep;
      out += 3;
    }
    u += kChromaStep;
    v += kChromaStep;
  }
}

/// @tparam kStep bytes from one pixel to the next
/// @tparam kRed the byte of a pixel that is red, 0 or 2; the other one is blue
template <int kStep, int kRed>
void write_rgb(const uint8_t* __restrict in, uint8_t* __restrict out, int width) {
  for (int x = 0; x < width; x++) {
    out[3 * x] = in[kStep * x + kRed];
    out[3 * x + 1] = in[kStep * x + 1];
    out[3 * x + 2] = in[kStep * x + 2 - kRed];
  }
}

void write_gray(const uint8_t* __restrict in, const YuvTables& tables, uint8_t* __restrict out, int width) {
  for (int x = 0; x < width; x++) {
    out[3 * x] = out[3 * x + 1] = out[3 * x + 2] = tables.clamp[tables.luma[in[x]] >> YuvTables::kBits];
  }
}

} // namespace

RgbRows::RgbRows(const PictureView& picture)
    : picture_(picture), tables_(YuvTables::of(picture.matrix, picture.range)) {
}

void RgbRows::write(int y, uint8_t* out) const {
  const int width = picture_.width;
  const auto row_at = [&](int row) {
    return picture_.data + picture_.stride_bytes * static_cast<size_t>(row);
  };
  const uint8_t* in = row_at(y);
  switch (picture_.format) {
    case PixelFormat::kRgb24:
      std::memcpy(out, in, row_bytes(PixelFormat::kRgb24, width));
      return;
    case PixelFormat::kBgr24:
      return write_rgb<3, 2>(in, out, width);
    case PixelFormat::kRgba:
      return write_rgb<4, 0>(in, out, width);
    case PixelFormat::kBgra:
      return write_rgb<4, 2>(in, out, width);
    case PixelFormat::kGray8:
      return write_gray(in, tables_, out, width);
    case PixelFormat::kNv12: {
      const uint8_t* chroma = row_at(picture_.height + y / 2);
      return write_yuv<1, 2>(in, chroma, chroma + 1, tables_, out, width);
    }
    case PixelFormat::kYuyv422:
      return write_yuv<2, 4>(in, in + 1, in + 3, tables_, out, width);
  }
}

void to_rgb(const PictureView& picture, uint8_t* out, size_t out_length, int threads) {
  check_picture("toRgb", picture);
  check_threads("toRgb", threads);
  const size_t row = row_bytes(PixelFormat::kRgb24, picture.width);
  const size_t bytes = row * static_cast<size_t>(picture.height);
  if (out == nullptr || out_length != bytes) {
    throw Error("toRgb", std::to_string(bytes) + " bytes", "out", std::to_string(out_length));
  }
  if (overlap(picture.data, picture_bytes(picture), out, bytes)) {
    throw Error("toRgb", "memory apart from the picture's", "out", "memory that overlaps it");
  }
  const RgbRows rows(picture);
  parallel_rows(picture.height, threads, [&](const RowChunk& chunk) {
    for (int y = chunk.begin; y < chunk.end; y++) rows.write(y, out + row * static_cast<size_t>(y));
  });
}

} // namespace video_depth

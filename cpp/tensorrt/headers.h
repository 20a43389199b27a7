// Owns: TensorRT's headers under names of their major version.
// Must not know: what is called.
//
// Code compiled with 10's and with 11's headers lies in one binary: their classes are inline functions over
// tables that differ.
//
// What holds within a major version (read from every public header from 10.3 to 10.16, and 11.0 and 11.1):
// the tables of all classes that we call, and of those that we implement, only ever grew at the end, and the
// enumerators that we use kept their values. So headers of any release serve libraries of any release
// from 10.3 on, and from 11.0 on, as long as nothing is called that came after 10.3 and 11.0.
// scripts/check-tensorrt-headers.mjs compiles against the oldest. The exception is INetworkDefinition,
// which 10.8 orders differently from its 62nd function on: only the parser calls it, and library.cpp takes
// that from the same release.
#pragma once

#if !defined(VIDEO_DEPTH_TENSORRT_NAMESPACE)
#error "VIDEO_DEPTH_TENSORRT_NAMESPACE names the major version: trt10 or trt11"
#endif

#define VIDEO_DEPTH_JOIN_(a, b) a##_##b
#define VIDEO_DEPTH_JOIN(a, b) VIDEO_DEPTH_JOIN_(a, b)
#define nvinfer1 VIDEO_DEPTH_JOIN(nvinfer1, VIDEO_DEPTH_TENSORRT_NAMESPACE)
#define nvonnxparser VIDEO_DEPTH_JOIN(nvonnxparser, VIDEO_DEPTH_TENSORRT_NAMESPACE)

#include <NvInfer.h>
#include <NvOnnxParser.h>

#if NV_TENSORRT_MAJOR < 10 || (NV_TENSORRT_MAJOR == 10 && NV_TENSORRT_MINOR < 3)
#error "TensorRT's headers are older than 10.3"
#endif

#include <type_traits>

namespace video_depth::tensorrt::VIDEO_DEPTH_TENSORRT_NAMESPACE {

/// 11 dropped two functions from the middle of IParser's table: with 10's header, errors and the destructor
/// would be looked up in the wrong places.
template <class Parser, class = void>
struct HasTensorRt10sTable : std::false_type {};
template <class Parser>
struct HasTensorRt10sTable<Parser, std::void_t<decltype(&Parser::supportsModel)>> : std::true_type {};
static_assert(NV_TENSORRT_MAJOR < 11 || !HasTensorRt10sTable<nvonnxparser::IParser>::value,
              "NvOnnxParser.h is TensorRT 10's, beside TensorRT 11's NvInfer.h");

} // namespace video_depth::tensorrt::VIDEO_DEPTH_TENSORRT_NAMESPACE

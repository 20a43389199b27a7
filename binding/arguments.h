// Owns: reading JavaScript values into checked C++ ones, and core errors into JavaScript ones.
// Must not know: what the values are for.
#pragma once

#include <napi.h>

#include <exception>
#include <string>

namespace video_depth_binding {

/// The largest integer that a JavaScript number holds exactly.
constexpr int64_t kMaxSafeInteger = 9007199254740991;

/// A TypeError in the house's wording.
Napi::Error unexpected(const std::string& expected, const std::string& parameter,
                       const Napi::Value& received);

/// None of these runs JavaScript, except `member` and `element`, which may call getters.
int64_t read_integer(const Napi::Value& value, const std::string& parameter, int64_t least, int64_t most);
double read_number(const Napi::Value& value, const std::string& parameter, int64_t least, int64_t most);
/// Finite, also as a float32.
float read_float(const Napi::Value& value, const std::string& parameter);
Napi::Object read_object(const Napi::Value& value, const std::string& parameter);
Napi::Array read_array(const Napi::Value& value, const std::string& parameter, uint32_t most);
Napi::Float32Array read_floats(const Napi::Value& value, const std::string& parameter);
Napi::Uint8Array read_bytes(const Napi::Value& value, const std::string& parameter);

Napi::Value member(const Napi::Object& object, const char* name);
Napi::Value element(const Napi::Array& array, uint32_t index);

inline std::string item(const std::string& list, uint32_t index) {
  return list + "[" + std::to_string(index) + "]";
}

/// What the core threw, as a RangeError with `operation`, or an Error, whose `code` is OUT_OF_MEMORY,
/// OUT_OF_THREADS or TOO_MANY_OPEN_FILES where that is what was short.
Napi::Value to_js_error(Napi::Env env, const std::exception_ptr& failure);

/// An error with code OUT_OF_MEMORY. @param what there was no memory for
Napi::Error out_of_memory(Napi::Env env, const std::string& what);

} // namespace video_depth_binding

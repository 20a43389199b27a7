// Owns: reading JavaScript values into checked C++ ones, and core errors into JavaScript ones.
// Must not know: what the values are for.

#include "arguments.h"

#include <cerrno>
#include <cmath>
#include <limits>
#include <new>
#include <system_error>

#include "error.h"
#include "job-arrays.h"

namespace video_depth_binding {

namespace {

std::string describe(const Napi::Value& value) {
  switch (value.Type()) {
    case napi_string:
      return "\"" + value.As<Napi::String>().Utf8Value() + "\"";
    case napi_number:
    case napi_boolean:
    case napi_null:
    case napi_undefined:
      return value.ToString().Utf8Value();
    case napi_function:
      return "a function";
    case napi_object:
      break;
    default:
      return "a value of another type";
  }
  if (value.IsArray()) return "an array of " + std::to_string(value.As<Napi::Array>().Length());
  if (value.IsTypedArray()) {
    return "a typed array of " + std::to_string(value.As<Napi::TypedArray>().ByteLength()) + " bytes";
  }
  return "an object";
}

std::string wording(const std::string& expected, const std::string& parameter, const Napi::Value& received) {
  return "Expected " + expected + " for " + parameter + ", received " + describe(received);
}

/// What the system had too little of; null where it was something else.
const char* code_of(int error) {
  switch (error) {
    case ENOMEM:
      return "OUT_OF_MEMORY";
    case EAGAIN:
      return "OUT_OF_THREADS";
    case EMFILE:
    case ENFILE:
      return "TOO_MANY_OPEN_FILES";
    default:
      return nullptr;
  }
}

bool is_typed(const Napi::Value& value, napi_typedarray_type type) {
  return value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == type;
}

} // namespace

Napi::Error unexpected(const std::string& expected, const std::string& parameter,
                       const Napi::Value& received) {
  return Napi::TypeError::New(received.Env(), wording(expected, parameter, received));
}

int64_t read_integer(const Napi::Value& value, const std::string& parameter, int64_t least, int64_t most) {
  const std::string expected = "an integer from " + std::to_string(least) + " to " + std::to_string(most);
  if (!value.IsNumber()) throw unexpected(expected, parameter, value);
  const double number = value.As<Napi::Number>().DoubleValue();
  const bool in_range = number >= static_cast<double>(least) && number <= static_cast<double>(most);
  if (!in_range || std::floor(number) != number) {
    throw Napi::RangeError::New(value.Env(), wording(expected, parameter, value));
  }
  return static_cast<int64_t>(number);
}

double read_number(const Napi::Value& value, const std::string& parameter, int64_t least, int64_t most) {
  const std::string expected = "a number from " + std::to_string(least) + " to " + std::to_string(most);
  if (!value.IsNumber()) throw unexpected(expected, parameter, value);
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most))) {
    throw Napi::RangeError::New(value.Env(), wording(expected, parameter, value));
  }
  return number;
}

float read_float(const Napi::Value& value, const std::string& parameter) {
  if (!value.IsNumber()) throw unexpected("a finite number", parameter, value);
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(std::abs(number) <= static_cast<double>(std::numeric_limits<float>::max()))) {
    throw Napi::RangeError::New(value.Env(), wording("a finite number", parameter, value));
  }
  return static_cast<float>(number);
}

Napi::Object read_object(const Napi::Value& value, const std::string& parameter) {
  if (!value.IsObject() || value.IsFunction()) throw unexpected("an object", parameter, value);
  return value.As<Napi::Object>();
}

Napi::Array read_array(const Napi::Value& value, const std::string& parameter, uint32_t most) {
  if (!value.IsArray()) throw unexpected("an array", parameter, value);
  const auto array = value.As<Napi::Array>();
  if (array.Length() > most) {
    const std::string expected = "an array of at most " + std::to_string(most);
    throw Napi::RangeError::New(value.Env(), wording(expected, parameter, value));
  }
  return array;
}

Napi::Float32Array read_floats(const Napi::Value& value, const std::string& parameter) {
  if (!is_typed(value, napi_float32_array)) throw unexpected("a Float32Array", parameter, value);
  return value.As<Napi::Float32Array>();
}

Napi::Uint8Array read_bytes(const Napi::Value& value, const std::string& parameter) {
  if (!is_typed(value, napi_uint8_array)) throw unexpected("a Uint8Array", parameter, value);
  return value.As<Napi::Uint8Array>();
}

Napi::Value member(const Napi::Object& object, const char* name) {
  return object.Get(name);
}

Napi::Value element(const Napi::Array& array, uint32_t index) {
  return array.Get(index);
}

Napi::Value to_js_error(Napi::Env env, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Napi::Error& error) {
    return error.Value();
  } catch (const video_depth::Error& error) {
    const Napi::Object value = Napi::RangeError::New(env, error.what()).Value();
    value.Set("operation", Napi::String::New(env, error.operation()));
    return value;
  } catch (const std::bad_alloc&) {
    return out_of_memory(env, "the frames, maps and weights").Value();
  } catch (const std::system_error& error) {
    const Napi::Object value = Napi::Error::New(env, error.what()).Value();
    if (const char* const code = code_of(error.code().value())) value.Set("code", code);
    return value;
  } catch (const std::exception& error) {
    return Napi::Error::New(env, error.what()).Value();
  }
}

Napi::Error out_of_memory(Napi::Env env, const std::string& what) {
  const Napi::Error error = Napi::Error::New(env, "Not enough memory for " + what);
  error.Value().Set("code", "OUT_OF_MEMORY");
  return error;
}

Napi::Value new_array(Napi::Env env, const ArrayKind& kind, size_t length) {
  Napi::Value array;
  try {
    const auto constructor = env.Global().Get(kind.constructor).As<Napi::Function>();
    array = constructor.New({Napi::Number::New(env, static_cast<double>(length))});
  } catch (const Napi::Error&) {
    throw out_of_memory(env, "an array of " + std::to_string(length) + " values");
  }
  // A program may put a function of its own in the constructor's place.
  if (is_typed(array, kind.type) && array.As<Napi::TypedArray>().ElementLength() == length) return array;
  throw unexpected(std::string("a ") + kind.constructor, "a new array", array);
}

} // namespace video_depth_binding

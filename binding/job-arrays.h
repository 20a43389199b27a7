// Owns: arrays that jobs off the JavaScript thread fill, and copies of those that they read. No call of N-API
// keeps an array's memory: its owner may transfer or resize it at any time, and it is gone.
// Must not know: what the arrays hold.
#pragma once

#include <napi.h>

#include <cstring>
#include <memory>
#include <vector>

namespace video_depth_binding {

struct ArrayKind {
  const char* constructor;
  napi_typedarray_type type;
};

template <class T>
inline constexpr ArrayKind kArrayKind{};
template <>
inline constexpr ArrayKind kArrayKind<uint8_t>{"Uint8Array", napi_uint8_array};
template <>
inline constexpr ArrayKind kArrayKind<uint16_t>{"Uint16Array", napi_uint16_array};
template <>
inline constexpr ArrayKind kArrayKind<float>{"Float32Array", napi_float32_array};
template <>
inline constexpr ArrayKind kArrayKind<double>{"Float64Array", napi_float64_array};

/// A zeroed array of `length` values. Throws Napi::Error OUT_OF_MEMORY where N-API's own functions would end
/// the process.
Napi::Value new_array(Napi::Env env, const ArrayKind& kind, size_t length);

template <class T>
Napi::TypedArrayOf<T> new_array_of(Napi::Env env, size_t length) {
  return new_array(env, kArrayKind<T>, length).template As<Napi::TypedArrayOf<T>>();
}

/// An array that a job fills. JavaScript sees it when the job has ended. Touched on the JavaScript thread
/// alone, but for what `data` points to.
template <class T>
class ResultArray {
 public:
  ResultArray(Napi::Env env, size_t length) : length_(length) {
    Napi::TypedArrayOf<T> array = new_array_of<T>(env, length);
    data_ = array.Data();
    reference_ = Napi::Persistent(array.template As<Napi::Object>());
  }

  T* data() const { return data_; }
  size_t length() const { return length_; }
  Napi::Value value() const { return reference_.Value(); }

 private:
  Napi::ObjectReference reference_;
  T* data_;
  size_t length_;
};

template <class T>
Napi::Array values_of(Napi::Env env, const std::vector<ResultArray<T>>& results) {
  const Napi::Array array = Napi::Array::New(env, results.size());
  for (uint32_t i = 0; i < results.size(); i++) array.Set(i, results[i].value());
  return array;
}

/// @param count arrays of `length` values
template <class T>
std::vector<ResultArray<T>> result_arrays(Napi::Env env, size_t count, size_t length) {
  std::vector<ResultArray<T>> results;
  for (size_t i = 0; i < count; i++) results.emplace_back(env, length);
  return results;
}

/// What a job reads. Not zeroed first, as a std::vector would be.
template <class T>
std::unique_ptr<T[]> copied(const T* data, size_t length) {
  std::unique_ptr<T[]> copy(new T[length]);
  if (length != 0) std::memcpy(copy.get(), data, length * sizeof(T));
  return copy;
}

} // namespace video_depth_binding

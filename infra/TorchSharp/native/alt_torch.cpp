// libtorch behind one generic call. The dispatcher knows every operator by name and takes its arguments boxed, so this file need not
// name any: C# passes an operator and a packed array of arguments. Compiles against libtorch 1.13 to 2.x, for the CPU or for CUDA.

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/GradMode.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

// Null where libtorch multiplies by another library.
extern "C" int openblas_get_num_threads() __attribute__((weak, visibility("default")));
extern "C" void openblas_set_num_threads(int threads) __attribute__((weak, visibility("default")));

namespace {

// OpenBLAS cuts a long sum in other places when it has one thread than when it has several, whose number then changes no bit: with one, a
// machine with one core would train other weights than all others.
[[maybe_unused]] const bool several_blas_threads = [] {
  if (openblas_get_num_threads && openblas_set_num_threads && openblas_get_num_threads() < 2) openblas_set_num_threads(2);
  return true;
}();

// The order of these names is PInvoke/NativeArgument.cs's.
enum class Kind : int32_t { None, Tensor, Int, Double, Bool, IntList, TensorList, Device, String };

// One argument or result. A list points at `count` elements: int64_t, at::Tensor* or char.
struct Argument {
  Kind kind;
  int32_t count;
  union {
    int64_t integer;
    double number;
    void* pointer;
  };
};

struct TensorInfo {
  void* data;
  int64_t elements;
  int32_t dimensions;
  int32_t scalar_type;
  int32_t element_size;
  int32_t device_type;
  int32_t device_index;
  int32_t is_contiguous;
  int32_t requires_grad;
  int32_t is_leaf;
};

thread_local std::string last_error;
std::atomic<int64_t> live_tensors{0};

// Runs an action; an exception becomes `failed`, with libtorch's message for alt_last_error.
template <typename Action>
auto guarded(decltype(std::declval<Action>()()) failed, Action action) noexcept -> decltype(action()) {
  try {
    return action();
  } catch (const c10::Error& error) {
    last_error = error.what_without_backtrace();
  } catch (const std::exception& error) {
    last_error = error.what();
  }
  return failed;
}

at::Tensor& unwrap(void* handle) { return *static_cast<at::Tensor*>(handle); }

at::Tensor* wrap(at::Tensor tensor) {
  live_tensors.fetch_add(1, std::memory_order_relaxed);
  return new at::Tensor(std::move(tensor));
}

c10::IValue unpack(const Argument& argument) {
  switch (argument.kind) {
    case Kind::None:
      return {};
    case Kind::Tensor:
      return unwrap(argument.pointer);
    case Kind::Int:
      return argument.integer;
    case Kind::Double:
      return argument.number;
    case Kind::Bool:
      return argument.integer != 0;
    case Kind::IntList:
      return at::ArrayRef<int64_t>(static_cast<int64_t*>(argument.pointer), argument.count);
    case Kind::TensorList: {
      c10::List<at::Tensor> list;
      list.reserve(argument.count);
      for (int32_t i = 0; i < argument.count; i++) {
        list.push_back(unwrap(static_cast<void**>(argument.pointer)[i]));
      }
      return list;
    }
    case Kind::Device:
      return c10::Device(static_cast<c10::DeviceType>(argument.count), static_cast<c10::DeviceIndex>(argument.integer));
    case Kind::String:
      return std::string(static_cast<char*>(argument.pointer), argument.count);
  }
  TORCH_CHECK(false, "unknown kind of argument: ", static_cast<int32_t>(argument.kind));
}

// A list of tensors becomes that many results.
void pack(const c10::IValue& value, std::vector<Argument>& results) {
  Argument result{};
  if (value.isTensor()) {
    result.kind = value.toTensor().defined() ? Kind::Tensor : Kind::None;
    result.pointer = value.toTensor().defined() ? wrap(value.toTensor()) : nullptr;
  } else if (value.isTensorList()) {
    for (const at::Tensor& tensor : value.toTensorVector()) {
      pack(tensor, results);
    }
    return;
  } else if (value.isInt()) {
    result.kind = Kind::Int;
    result.integer = value.toInt();
  } else if (value.isDouble()) {
    result.kind = Kind::Double;
    result.number = value.toDouble();
  } else if (value.isBool()) {
    result.kind = Kind::Bool;
    result.integer = value.toBool();
  } else {
    TORCH_CHECK(value.isNone(), "no support for a result of type ", value.tagKind());
  }
  results.push_back(result);
}

}  // namespace

EXPORT const char* alt_last_error() { return last_error.c_str(); }

EXPORT int64_t alt_live_tensors() { return live_tensors.load(std::memory_order_relaxed); }

// Finds an operator; `required` false answers null, without an error, where this libtorch has none of that name.
EXPORT void* alt_operator(const char* name, const char* overload, int32_t required) {
  return guarded<>(static_cast<void*>(nullptr), [&]() -> void* {
    auto& dispatcher = c10::Dispatcher::singleton();
    if (!required) {
      auto found = dispatcher.findSchema({name, overload});
      return found.has_value() ? new c10::OperatorHandle(*found) : nullptr;
    }
    return new c10::OperatorHandle(dispatcher.findSchemaOrThrow(name, overload));
  });
}

// Calls an operator. Arguments that are not given take the schema's defaults. Answers the number of results, or -1 for an error.
EXPORT int32_t alt_call(void* op, const Argument* arguments, int32_t count, Argument* results, int32_t capacity) {
  return guarded<>(-1, [&]() -> int32_t {
    const auto& handle = *static_cast<c10::OperatorHandle*>(op);
    const auto& parameters = handle.schema().arguments();
    torch::jit::Stack stack;
    stack.reserve(parameters.size());
    for (int32_t i = 0; i < count; i++) {
      stack.push_back(unpack(arguments[i]));
    }
    for (size_t i = count; i < parameters.size(); i++) {
      const auto& standard = parameters[i].default_value();
      TORCH_CHECK(standard.has_value(), handle.schema().name(), ": argument '", parameters[i].name(), "' is missing");
      stack.push_back(*standard);
    }

    handle.callBoxed(stack);
    if (capacity == 0) {
      return 0;  // An operator in place: its result is its first argument, which the caller holds already.
    }

    std::vector<Argument> packed;
    packed.reserve(stack.size());
    for (const auto& value : stack) {
      pack(value, packed);
    }
    if (packed.size() > static_cast<size_t>(capacity)) {
      for (const auto& result : packed) {
        if (result.kind == Kind::Tensor) {
          delete static_cast<at::Tensor*>(result.pointer);
          live_tensors.fetch_sub(1, std::memory_order_relaxed);
        }
      }
      TORCH_CHECK(false, handle.schema().name(), ": ", packed.size(), " results, room for ", capacity);
    }
    std::copy(packed.begin(), packed.end(), results);
    return static_cast<int32_t>(packed.size());
  });
}

EXPORT void alt_tensor_free(void* tensor) {
  delete static_cast<at::Tensor*>(tensor);
  live_tensors.fetch_sub(1, std::memory_order_relaxed);
}

EXPORT int32_t alt_tensor_info(void* tensor, TensorInfo* info) {
  return guarded<>(-1, [&]() -> int32_t {
    const auto& t = unwrap(tensor);
    *info = {t.data_ptr(),
             t.numel(),
             static_cast<int32_t>(t.dim()),
             static_cast<int32_t>(t.scalar_type()),
             static_cast<int32_t>(t.element_size()),
             static_cast<int32_t>(t.device().type()),
             t.device().index(),
             t.is_contiguous(),
             t.requires_grad(),
             t.is_leaf()};
    return 0;
  });
}

EXPORT int32_t alt_tensor_sizes(void* tensor, int64_t* sizes, int64_t* strides) {
  return guarded<>(-1, [&]() -> int32_t {
    const auto& t = unwrap(tensor);
    std::copy(t.sizes().begin(), t.sizes().end(), sizes);
    std::copy(t.strides().begin(), t.strides().end(), strides);
    return 0;
  });
}

EXPORT int32_t alt_tensor_set_requires_grad(void* tensor, int32_t value) {
  return guarded<>(-1, [&]() -> int32_t {
    unwrap(tensor).set_requires_grad(value != 0);
    return 0;
  });
}

// A new handle to the gradient, or null where there is none (or an error: then alt_last_error is not empty).
EXPORT void* alt_tensor_grad(void* tensor) {
  last_error.clear();
  return guarded<>(static_cast<void*>(nullptr), [&]() -> void* {
    const auto& gradient = unwrap(tensor).grad();
    return gradient.defined() ? wrap(gradient) : nullptr;
  });
}

EXPORT int32_t alt_tensor_set_grad(void* tensor, void* gradient) {
  return guarded<>(-1, [&]() -> int32_t {
    unwrap(tensor).mutable_grad() = gradient ? unwrap(gradient) : at::Tensor();
    return 0;
  });
}

// `gradient` is the tensor's own, or null for a tensor of one element.
EXPORT int32_t alt_backward(void* tensor, void* gradient, int32_t retain_graph, int32_t create_graph) {
  return guarded<>(-1, [&]() -> int32_t {
    torch::autograd::variable_list gradients;
    if (gradient) {
      gradients.push_back(unwrap(gradient));
    }
    torch::autograd::backward({unwrap(tensor)}, gradients, retain_graph != 0, create_graph != 0);
    return 0;
  });
}

EXPORT int32_t alt_grad_enabled() { return c10::GradMode::is_enabled(); }

EXPORT void alt_set_grad_enabled(int32_t enabled) { c10::GradMode::set_enabled(enabled != 0); }

EXPORT int32_t alt_get_num_threads() { return at::get_num_threads(); }

EXPORT int32_t alt_set_num_threads(int32_t threads) {
  return guarded<>(-1, [&]() -> int32_t {
    at::set_num_threads(threads);
    return 0;
  });
}

EXPORT int32_t alt_cuda_is_available() { return at::hasCUDA(); }

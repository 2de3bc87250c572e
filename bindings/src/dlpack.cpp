// bindings/src/dlpack.cpp - objects with __dlpack__ -> borrowed arrays, without a copy.
//
// The structures are those of the DLPack specification: versioned ones (DLPack 1.0 and later), which say whether the
// memory may be written, and the older ones, which do not.
#include "dlpack.hpp"

#include <fmt/format.h>

namespace engine::python {
namespace {

struct DlDevice {
  std::int32_t type;
  std::int32_t id;
};
struct DlDataType {
  std::uint8_t code;
  std::uint8_t bits;
  std::uint16_t lanes;
};
struct DlTensor {
  void* data;
  DlDevice device;
  std::int32_t ndim;
  DlDataType dtype;
  std::int64_t* shape;
  std::int64_t* strides;  ///< in elements; null: contiguous, the last axis fastest
  std::uint64_t byte_offset;
};
struct Managed {
  DlTensor tensor;
  void* context;
  void (*deleter)(Managed*);
};
struct ManagedVersioned {
  std::uint32_t major, minor;
  void* context;
  void (*deleter)(ManagedVersioned*);
  std::uint64_t flags;
  DlTensor tensor;
};
constexpr std::uint64_t kReadOnly = 1, kIsCopied = 2;
constexpr std::uint32_t kMajor = 1;
constexpr const char* kOwner = "engine.dlpack";

/// Devices whose memory the CPU reads: its own, and what CUDA and ROCm pinned for it.
bool is_host(std::int32_t device) { return device == 1 || device == 3 || device == 11; }

std::string device_name(DlDevice device) {
  static constexpr const char* kNames[] = {"",       "cpu",    "cuda",    "cuda (pinned)", "opencl",        "",        "",
                                           "vulkan", "metal",  "vpi",     "rocm",          "rocm (pinned)", "ext_dev", "cuda (managed)",
                                           "oneapi", "webgpu", "hexagon", "maia"};
  const char* name = device.type >= 0 && static_cast<std::size_t>(device.type) < std::size(kNames) ? kNames[device.type] : "";
  return *name ? fmt::format("{}:{}", name, device.id) : fmt::format("device {}:{}", device.type, device.id);
}

[[noreturn]] void refuse_device(const Subject& subject, DlDevice device) {
  const std::string name = device_name(device);
  std::string reason;
  for (const Backend& backend : backends())
    if (backend.name == "cuda" && !backend.usable && (device.type == 2 || device.type == 13))
      reason = fmt::format(", and the backend \"cuda\" is {}", backend.reason);
  throw BackendError({.what = fmt::format("{} is on {}{}", subject.who, name, reason.empty() ? ", which no backend reaches" : reason),
                      .labels = subject.labels(name),
                      .help = "copy it to the host's memory first",
                      .text = subject.text});
}

[[noreturn]] void refuse_dtype(const Subject& subject, DlDataType type) {
  static constexpr const char* kCodes[] = {"int", "uint", "float", "handle", "bfloat", "complex", "bool"};
  const std::string kind = type.code < std::size(kCodes) ? fmt::format("{}{}", kCodes[type.code], type.bits)
                                                         : fmt::format("DLPack type {} of {} bits", type.code, type.bits);
  const std::string name = type.lanes == 1 ? kind : fmt::format("{} in lanes of {}", kind, type.lanes);
  throw DTypeError({.what = fmt::format("{} has dtype {}, which is not supported", subject.who, name),
                    .labels = subject.labels(name),
                    .help = "engine knows bool, integers to 64 bits, floats to 64 bits and complex to 128 bits",
                    .text = subject.text});
}

DType dtype_of(const Subject& subject, DlDataType type) {
  const auto pick = [&](std::initializer_list<std::pair<int, DType>> list) {
    for (const auto& [bits, dtype] : list)
      if (bits == type.bits && type.lanes == 1) return dtype;
    refuse_dtype(subject, type);
  };
  switch (type.code) {
    case 0:
      return pick({{8, DType::Int8}, {16, DType::Int16}, {32, DType::Int32}, {64, DType::Int64}});
    case 1:
      return pick({{8, DType::UInt8}, {16, DType::UInt16}, {32, DType::UInt32}, {64, DType::UInt64}});
    case 2:
      return pick({{16, DType::Float16}, {32, DType::Float32}, {64, DType::Float64}});
    case 5:
      return pick({{64, DType::Complex64}, {128, DType::Complex128}});
    case 6:
      return pick({{8, DType::Bool}});
    default:
      refuse_dtype(subject, type);
  }
}

void read_tensor(const DlTensor& tensor, const Subject& subject, ArrayView& view) {
  if (!is_host(tensor.device.type)) refuse_device(subject, tensor.device);
  if (tensor.ndim > kMaxRank)
    throw ShapeError({.what = fmt::format("{} has {} axes", subject.who, tensor.ndim),
                      .labels = subject.labels(fmt::format("at most {}", kMaxRank)),
                      .help = "reshape it",
                      .text = subject.text});
  view.dtype = dtype_of(subject, tensor.dtype);
  const auto item = static_cast<std::int64_t>(item_size(view.dtype));
  view.data = static_cast<char*>(tensor.data) + tensor.byte_offset;
  const auto rank = static_cast<std::size_t>(tensor.ndim);
  view.shape = Shape(std::span<const std::int64_t>(tensor.shape, rank));
  view.strides.resize(tensor.ndim);
  std::int64_t packed = 1;
  for (int axis = tensor.ndim - 1; axis >= 0; --axis) {
    view.strides[axis] = (tensor.strides ? tensor.strides[axis] : packed) * item;
    packed *= view.shape[axis];
  }
}

/// Gives the memory back to who made it; an exception in flight stays as it is.
template <class T>
void give_back(PyObject* owner) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  auto* managed = static_cast<T*>(PyCapsule_GetPointer(owner, kOwner));
  if (managed->deleter) managed->deleter(managed);
  PyErr_Restore(type, value, traceback);
}

/// Takes what the capsule holds out of it: from here on `owner` gives it back.
template <class T>
T* take(PyObject* capsule, const char* name, const char* used_name, Ref& owner) {
  auto* managed = static_cast<T*>(PyCapsule_GetPointer(capsule, name));
  if (!managed) throw PythonError{};
  owner = Ref(PyCapsule_New(managed, kOwner, give_back<T>));
  if (!owner || PyCapsule_SetName(capsule, used_name) < 0) throw PythonError{};
  return managed;
}

/// Calls object.__dlpack__, asking for the versioned form; exporters older than that know no such argument.
Ref call_export(PyObject* object) {
  const Ref method(PyObject_GetAttrString(object, "__dlpack__"));
  const Ref keywords(Py_BuildValue("{s:(II)}", "max_version", kMajor, 0u)), none(PyTuple_New(0));
  if (!method || !keywords || !none) throw PythonError{};
  PyObject* capsule = PyObject_Call(method.get(), none.get(), keywords.get());
  if (!capsule && PyErr_ExceptionMatches(PyExc_TypeError)) {
    PyErr_Clear();
    capsule = PyObject_CallNoArgs(method.get());
  }
  return Ref(capsule);
}

}  // namespace

std::vector<Label> Subject::labels(std::string label) const {
  if (!span) return {};
  return {{*span, std::move(label)}};
}

bool has_dlpack(PyObject* object) {
  // Looked up on the type: an instance that answers to every name, as some proxies do, is no exporter.
  return PyObject_HasAttrString(reinterpret_cast<PyObject*>(Py_TYPE(object)), "__dlpack__") != 0;
}

void refuse_device_arrays(PyObject* object, const Subject& subject) {
  if (PyObject_HasAttrString(reinterpret_cast<PyObject*>(Py_TYPE(object)), "__cuda_array_interface__")) refuse_device(subject, {2, 0});
}

DlpackArray read_dlpack(PyObject* object, const Subject& subject) {
  if (PyObject_HasAttrString(object, "__dlpack_device__")) {
    // Asked first: an exporter would have to synchronise, or would refuse in words of its own.
    const Ref device(PyObject_CallMethod(object, "__dlpack_device__", nullptr));
    if (!device) throw PythonError{};
    DlDevice where{};
    const Ref pair(PySequence_Tuple(device.get()));
    if (!pair) throw PythonError{};
    const auto number = [&](Py_ssize_t i) {
      const Ref index(i < PyTuple_GET_SIZE(pair.get()) ? PyNumber_Index(PyTuple_GET_ITEM(pair.get(), i)) : nullptr);
      const long value = index ? PyLong_AsLong(index.get()) : -1;
      if (!index || (value == -1 && PyErr_Occurred())) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "__dlpack_device__() must give (device type, device id)");
        throw PythonError{};
      }
      return static_cast<std::int32_t>(value);
    };
    where.type = number(0);
    where.id = number(1);
    if (!is_host(where.type)) refuse_device(subject, where);
  }
  const Ref capsule = call_export(object);
  if (!capsule) {
    if (PyErr_ExceptionMatches(PyExc_BufferError) || PyErr_ExceptionMatches(PyExc_RuntimeError) ||
        PyErr_ExceptionMatches(PyExc_ValueError) || PyErr_ExceptionMatches(PyExc_TypeError))
      throw DTypeError({.what = fmt::format("{} of type '{}' cannot be taken by DLPack", subject.who, Py_TYPE(object)->tp_name),
                        .labels = subject.labels(Py_TYPE(object)->tp_name),
                        .help = "its own reason is the cause of this error",
                        .text = subject.text});
    throw PythonError{};
  }
  DlpackArray array;
  if (PyCapsule_IsValid(capsule.get(), "dltensor_versioned")) {
    const auto* managed = take<ManagedVersioned>(capsule.get(), "dltensor_versioned", "used_dltensor_versioned", array.owner);
    if (managed->major != kMajor)
      throw BackendError({.what = fmt::format("{} comes in version {}.{} of DLPack, engine reads version {}", subject.who, managed->major,
                                              managed->minor, kMajor),
                          .labels = subject.labels(Py_TYPE(object)->tp_name),
                          .help = "convert it to a NumPy array",
                          .text = subject.text});
    read_tensor(managed->tensor, subject, array.view);
    array.view.writable = !(managed->flags & kReadOnly);
    array.copied = (managed->flags & kIsCopied) != 0;
  } else if (PyCapsule_IsValid(capsule.get(), "dltensor")) {
    read_tensor(take<Managed>(capsule.get(), "dltensor", "used_dltensor", array.owner)->tensor, subject, array.view);
    array.view.writable = false;  // it does not say, and immutable arrays come in this form too
    array.legacy = true;
  } else {
    PyErr_Format(PyExc_TypeError, "%s.__dlpack__() gave no unused DLPack capsule", Py_TYPE(object)->tp_name);
    throw PythonError{};
  }
  return array;
}

}  // namespace engine::python

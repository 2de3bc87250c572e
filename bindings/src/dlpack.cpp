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

[[noreturn]] void refuse_tensor(const Subject& subject, const char* what) {
  throw ShapeError({.what = fmt::format("{} has {}", subject.who, what),
                    .labels = subject.labels("by DLPack"),
                    .help = "its exporter is wrong: report it to its library",
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

/// Devices whose memory CUDA's kernels read, by its ordinal: its own, and managed memory.
bool is_cuda(std::int32_t device) { return device == 2 || device == 13; }

void read_tensor(const DlTensor& tensor, const Subject& subject, bool on_device, ArrayView& view) {
  if (!(on_device ? is_cuda(tensor.device.type) : is_host(tensor.device.type))) refuse_device(subject, tensor.device);
  if (on_device) view.device = tensor.device.id;
  if (tensor.ndim < 0) refuse_tensor(subject, "a negative number of axes");
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

/// Calls object.__dlpack__, asking for the versioned form; exporters older than that know no such argument. `stream`: where
/// the memory will be used, null for the host's.
Ref call_export(PyObject* object, void* stream) {
  const Ref method(PyObject_GetAttrString(object, "__dlpack__"));
  const Ref keywords(PyDict_New()), version(Py_BuildValue("(II)", kMajor, 0u)), none(PyTuple_New(0));
  const Ref number(stream ? PyLong_FromVoidPtr(stream) : Py_NewRef(Py_None));
  if (!method || !keywords || !version || !none || !number) throw PythonError{};
  if (stream && PyDict_SetItemString(keywords.get(), "stream", number.get()) < 0) throw PythonError{};
  const Ref old(PyDict_Copy(keywords.get()));
  if (!old || PyDict_SetItemString(keywords.get(), "max_version", version.get()) < 0) throw PythonError{};
  PyObject* capsule = PyObject_Call(method.get(), none.get(), keywords.get());
  if (!capsule && PyErr_ExceptionMatches(PyExc_TypeError)) {
    PyErr_Clear();
    capsule = PyObject_Call(method.get(), none.get(), old.get());
  }
  return Ref(capsule);
}

/// What __dlpack_device__ says; empty where there is no such method. Asked first: an exporter would have to synchronise, or
/// would refuse in words of its own.
std::optional<DlDevice> device_of_exporter(PyObject* object) {
  if (!PyObject_HasAttrString(object, "__dlpack_device__")) return std::nullopt;
  const Ref device(PyObject_CallMethod(object, "__dlpack_device__", nullptr));
  const Ref pair(device ? PySequence_Tuple(device.get()) : nullptr);
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
  const std::int32_t type = number(0);
  return DlDevice{type, number(1)};
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

namespace {

DlpackArray import_from(PyObject* object, const Subject& subject, void* stream) {
  const Ref capsule = call_export(object, stream);
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
    read_tensor(managed->tensor, subject, stream, array.view);
    array.view.writable = !(managed->flags & kReadOnly);
    array.copied = (managed->flags & kIsCopied) != 0;
  } else if (PyCapsule_IsValid(capsule.get(), "dltensor")) {
    read_tensor(take<Managed>(capsule.get(), "dltensor", "used_dltensor", array.owner)->tensor, subject, stream, array.view);
    array.view.writable = false;  // it does not say, and immutable arrays come in this form too
    array.legacy = true;
  } else {
    PyErr_Format(PyExc_TypeError, "%s.__dlpack__() gave no unused DLPack capsule", Py_TYPE(object)->tp_name);
    throw PythonError{};
  }
  return array;
}

/// What a capsule of ours keeps: its numbers, and the memory.
template <class T>
struct Export {
  T managed{};
  Shape shape;
  Extents steps;
  std::shared_ptr<void> memory;
};

DlDataType type_of(DType dtype) {
  static constexpr std::uint8_t kCodes[kDTypes] = {6, 0, 1, 0, 1, 0, 1, 0, 1, 2, 2, 2, 5, 5};
  return {kCodes[static_cast<std::size_t>(dtype)], static_cast<std::uint8_t>(8 * item_size(dtype)), 1};
}

template <class T>
void end_of(PyObject* capsule, const char* name) {
  if (!PyCapsule_IsValid(capsule, name)) return;  // taken: who took it ends it
  auto* managed = static_cast<T*>(PyCapsule_GetPointer(capsule, name));
  managed->deleter(managed);
}

template <class T>
PyObject* make_capsule(const ArrayView& view, std::shared_ptr<void> memory, const char* name, PyCapsule_Destructor end) {
  auto kept = std::make_unique<Export<T>>();
  kept->shape = view.shape;
  kept->memory = std::move(memory);
  for (std::int64_t stride : view.strides) kept->steps.push_back(stride / static_cast<std::int64_t>(item_size(view.dtype)));
  T& managed = kept->managed;
  managed.context = kept.get();
  managed.deleter = [](T* ended) { delete static_cast<Export<T>*>(ended->context); };
  managed.tensor = {view.data, {2, view.device}, kept->shape.size(), type_of(view.dtype), kept->shape.begin(), kept->steps.begin(), 0};
  if constexpr (std::is_same_v<T, ManagedVersioned>) {
    managed.major = kMajor;
    managed.flags = view.writable ? 0 : kReadOnly;
  }
  PyObject* capsule = PyCapsule_New(&managed, name, end);
  if (!capsule) throw PythonError{};
  (void)kept.release();  // the capsule's now
  return capsule;
}

}  // namespace

DlpackArray read_dlpack(PyObject* object, const Subject& subject) {
  if (const std::optional<DlDevice> where = device_of_exporter(object); where && !is_host(where->type)) refuse_device(subject, *where);
  return import_from(object, subject, nullptr);
}

std::optional<DlpackArray> read_device_dlpack(PyObject* object, const Subject& subject) {
  const std::optional<DlDevice> where = device_of_exporter(object);
  if (!where || !is_cuda(where->type)) return std::nullopt;
  if (!probe(BackendChoice::Cuda).usable) refuse_device(subject, *where);
  return import_from(object, subject, stream_of(where->id));
}

PyObject* make_dlpack(const ArrayView& view, std::shared_ptr<void> memory, bool versioned) {
  for (std::int64_t stride : view.strides)
    if (stride % static_cast<std::int64_t>(item_size(view.dtype)) != 0) {
      PyErr_SetString(PyExc_BufferError, "DLPack counts strides in elements, and these are none");
      throw PythonError{};
    }
  if (versioned)
    return make_capsule<ManagedVersioned>(view, std::move(memory), "dltensor_versioned",
                                          [](PyObject* capsule) { end_of<ManagedVersioned>(capsule, "dltensor_versioned"); });
  return make_capsule<Managed>(view, std::move(memory), "dltensor", [](PyObject* capsule) { end_of<Managed>(capsule, "dltensor"); });
}

}  // namespace engine::python

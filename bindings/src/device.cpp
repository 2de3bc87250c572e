// bindings/src/device.cpp - see device.hpp. Exchange by __cuda_array_interface__ version 3 and DLPack 1.x, both ways, without
// copies and in the order of streams.
#define NO_IMPORT_ARRAY
#define PY_ARRAY_UNIQUE_SYMBOL engine_ARRAY_API
#include "device.hpp"

#include <fmt/format.h>
#include <numpy/arrayobject.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

namespace engine::python {
namespace {

PyTypeObject* device_array_type = nullptr;

/// Calls, and turns what the engine throws into Python's exceptions.
template <class Body>
auto translated(Body&& body) {
  try {
    return body();
  } catch (py::error_already_set&) {
    throw;
  } catch (py::builtin_exception&) {
    throw;
  } catch (...) {
    set_python_error();
    throw py::error_already_set();
  }
}

std::string place(int device) { return fmt::format("cuda:{}", device); }

// ---- layout ---------------------------------------------------------------------------------------------------------------

/// Low and high ends of what a view covers, in bytes from its first element.
std::pair<std::int64_t, std::int64_t> reach(const ArrayView& view) {
  std::int64_t low = 0, high = static_cast<std::int64_t>(item_size(view.dtype));
  for (int axis = 0; axis < view.shape.size(); ++axis) {
    const std::int64_t last = (view.shape[axis] - 1) * view.strides[axis];
    (last < 0 ? low : high) += last;
  }
  return {low, high};
}

/// Whether the elements fill what they cover, in some order of the axes.
bool is_dense(const ArrayView& view) {
  if (n_items(view.shape) == 0) return true;
  const auto [low, high] = reach(view);
  if (low < 0 || high != n_items(view.shape) * static_cast<std::int64_t>(item_size(view.dtype))) return false;
  std::array<int, kMaxRank> order{};
  std::iota(order.begin(), order.begin() + view.shape.size(), 0);
  std::sort(order.begin(), order.begin() + view.shape.size(), [&](int a, int b) { return view.strides[a] < view.strides[b]; });
  auto expected = static_cast<std::int64_t>(item_size(view.dtype));
  for (int i = 0; i < view.shape.size(); ++i) {
    const int axis = order[static_cast<std::size_t>(i)];
    if (view.shape[axis] == 1) continue;
    if (view.strides[axis] != expected) return false;
    expected *= view.shape[axis];
  }
  return true;
}
bool is_c_contiguous(const ArrayView& view) {
  auto expected = static_cast<std::int64_t>(item_size(view.dtype));
  for (int axis = view.shape.size(); axis-- > 0;) {
    if (view.shape[axis] != 1 && view.strides[axis] != expected) return false;
    expected *= view.shape[axis];
  }
  return true;
}

py::tuple as_tuple(const Extents& extents) {
  py::tuple tuple(static_cast<std::size_t>(extents.size()));
  for (int axis = 0; axis < extents.size(); ++axis) tuple[static_cast<std::size_t>(axis)] = extents[axis];
  return tuple;
}

// ---- to and from the host ---------------------------------------------------------------------------------------------------

struct Fresh {
  int device;
  Ref array;
};
void* allocate_fresh(void* context, DType dtype, const Shape& shape, const Strides& strides, std::size_t n_bytes) {
  auto& fresh = *static_cast<Fresh*>(context);
  return allocate_on_device(fresh.device, dtype, shape, strides, n_bytes, fresh.array);
}

/// The elements in C order without gaps, on the device.
DeviceArray packed(const DeviceArray& array) {
  static const Program program = Program::compile("a");
  Operand operand;
  operand.present = true;
  operand.weak = Weak::No;
  operand.array = array.view;
  Fresh fresh{array.view.device, {}};
  Execution execution(program, &operand, nullptr, Order::C, {&allocate_fresh, &fresh});
  execution.run();
  return *as_device_array(fresh.array.get());
}

py::object to_numpy(const DeviceArray& array) {
  return translated([&]() -> py::object {
    if (array.view.swapped || !is_dense(array.view)) return to_numpy(packed(array));
    Ref host;
    const std::size_t bytes = static_cast<std::size_t>(n_items(array.view.shape)) * item_size(array.view.dtype);
    void* const data = allocate_result(&host, array.view.dtype, array.view.shape, array.view.strides, bytes);
    if (bytes) {
      const py::gil_scoped_release released;
      copy_to_host(array.view.device, data, array.view.data, bytes);
    }
    return py::reinterpret_steal<py::object>(host.release());
  });
}

/// A copy of host memory on the device, in the same order of the axes where it fills what it covers, else in C order.
py::object to_device(const py::object& object, int device) {
  return translated([&]() -> py::object {
    find_wheels();
    Ref array(PyArray_CheckFromAny(object.ptr(), nullptr, 0, 0, NPY_ARRAY_NOTSWAPPED, nullptr));
    if (!array) throw PythonError{};
    // NumPy's own reading of dtypes, and its refusals, serve here as they do for operands.
    static const CachedProgramPtr program = compile_program(py::str("array").ptr(), {});
    Operand operand;
    read_operand(array, *program->program, 0, operand);
    if (operand.weak != Weak::No || !is_dense(operand.array)) {
      array = Ref(PyArray_CheckFromAny(array.get(), nullptr, 0, 0, NPY_ARRAY_CARRAY_RO | NPY_ARRAY_NOTSWAPPED, nullptr));
      if (!array) throw PythonError{};
      read_operand(array, *program->program, 0, operand);
    }
    const std::size_t bytes = static_cast<std::size_t>(n_items(operand.array.shape)) * item_size(operand.array.dtype);
    Ref made;
    void* const data = allocate_on_device(device, operand.array.dtype, operand.array.shape, operand.array.strides, bytes, made);
    if (bytes) {
      const py::gil_scoped_release released;
      copy_to_device(device, data, operand.array.data, bytes);
    }
    return py::reinterpret_steal<py::object>(made.release());
  });
}

// ---- views ------------------------------------------------------------------------------------------------------------------

py::object transposed(const DeviceArray& array) {
  DeviceArray turned = array;
  std::reverse(turned.view.shape.begin(), turned.view.shape.end());
  std::reverse(turned.view.strides.begin(), turned.view.strides.end());
  return py::reinterpret_steal<py::object>(make_device_array(turned.view, turned.memory));
}

/// Integers, slices, None and ..., as NumPy's basic indexing.
py::object subscript(const DeviceArray& array, const py::object& key) {
  const py::tuple items = py::isinstance<py::tuple>(key) ? py::reinterpret_borrow<py::tuple>(key) : py::make_tuple(key);
  const auto is_axis = [](py::handle item) { return !item.is_none() && !item.is(py::ellipsis()); };
  const auto n_axes = std::count_if(items.begin(), items.end(), is_axis);
  if (n_axes > array.view.shape.size()) throw py::index_error(fmt::format("{} indices for {} axes", n_axes, array.view.shape.size()));
  ArrayView view = array.view;
  view.shape = {};
  view.strides = {};
  int axis = 0;
  std::int64_t offset = 0;
  bool had_ellipsis = false;
  const auto keep = [&](std::int64_t extent, std::int64_t stride) {
    if (view.shape.size() == kMaxRank) throw py::index_error("more than 32 axes");
    view.shape.push_back(extent);
    view.strides.push_back(stride);
  };
  const auto keep_axes = [&](std::int64_t n) {
    for (; n > 0; --n, ++axis) keep(array.view.shape[axis], array.view.strides[axis]);
  };
  for (const py::handle item : items) {
    if (item.is_none()) {
      keep(1, 0);
    } else if (item.is(py::ellipsis())) {
      if (std::exchange(had_ellipsis, true)) throw py::index_error("an index may have one '...'");
      keep_axes(array.view.shape.size() - n_axes);
    } else if (py::isinstance<py::slice>(item)) {
      Py_ssize_t start, stop, step;
      if (PySlice_Unpack(item.ptr(), &start, &stop, &step) < 0) throw py::error_already_set();
      const Py_ssize_t length = PySlice_AdjustIndices(array.view.shape[axis], &start, &stop, step);
      if (length > 0) offset += start * array.view.strides[axis];
      keep(length, array.view.strides[axis] * step);
      ++axis;
    } else {
      const Py_ssize_t index = PyNumber_AsSsize_t(item.ptr(), PyExc_IndexError);
      if (index == -1 && PyErr_Occurred()) throw py::error_already_set();
      const std::int64_t extent = array.view.shape[axis];
      if (index < -extent || index >= extent)
        throw py::index_error(fmt::format("index {} is out of range for axis {} of length {}", index, axis, extent));
      offset += (index < 0 ? index + extent : index) * array.view.strides[axis];
      ++axis;
    }
  }
  keep_axes(array.view.shape.size() - axis);
  view.data = static_cast<char*>(view.data) + offset;
  return py::reinterpret_steal<py::object>(make_device_array(view, array.memory));
}

// ---- __cuda_array_interface__ ------------------------------------------------------------------------------------------------

const char* type_string(DType dtype) {
  static constexpr const char* kNames[kDTypes] = {"|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4",
                                                  "<i8", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16"};
  return kNames[static_cast<std::size_t>(dtype)];
}

py::dict cuda_array_interface(const DeviceArray& array) {
  return translated([&] {
    py::dict dict;
    dict["shape"] = as_tuple(array.view.shape);
    dict["typestr"] = type_string(array.view.dtype);
    const bool is_empty = n_items(array.view.shape) == 0;
    dict["data"] = py::make_tuple(is_empty ? 0 : reinterpret_cast<std::uintptr_t>(array.view.data), !array.view.writable);
    dict["strides"] = is_c_contiguous(array.view) ? py::object(py::none()) : py::object(as_tuple(array.view.strides));
    dict["stream"] = reinterpret_cast<std::uintptr_t>(stream_of(array.view.device));
    dict["version"] = 3;
    return dict;
  });
}

/// Integers of a sequence, at most kMaxRank.
Extents read_extents(const py::object& sequence, const Subject& subject) {
  const py::tuple items(sequence);
  if (items.size() > kMaxRank)
    throw ShapeError({.what = fmt::format("{} has {} axes", subject.who, items.size()),
                      .labels = subject.labels(fmt::format("at most {}", kMaxRank)),
                      .help = "reshape it",
                      .text = subject.text});
  Extents extents;
  for (const py::handle item : items) {
    const long long value = PyLong_AsLongLong(item.ptr());
    if (value == -1 && PyErr_Occurred()) throw PythonError{};
    extents.push_back(value);
  }
  return extents;
}

/// What is wrong with a foreign array becomes one of the engine's errors.
[[noreturn]] void refuse_interface(const Subject& subject, std::string what, std::string help) {
  throw DTypeError(
      {.what = fmt::format("{} {}", subject.who, what), .labels = subject.labels("here"), .help = std::move(help), .text = subject.text});
}

/// Checks that addresses of a view do not leave the address space: strides and shape are anybody's.
void check_reach(const ArrayView& view, const Subject& subject) {
  constexpr std::int64_t kMost = std::int64_t{1} << 47;
  std::int64_t items = 1, bytes = 0;
  for (int axis = 0; axis < view.shape.size(); ++axis) {
    if (view.shape[axis] < 0) refuse_interface(subject, "has a negative extent", "its interface is wrong: report it to its library");
    if (view.shape[axis] == 0) return;
  }
  for (int axis = 0; axis < view.shape.size(); ++axis) {
    std::int64_t reached;
    if (__builtin_mul_overflow(items, view.shape[axis], &items) || items > kMost ||
        __builtin_mul_overflow(view.shape[axis] - 1, view.strides[axis], &reached) || std::abs(reached) > kMost ||
        (bytes += std::abs(reached)) > kMost)
      refuse_interface(subject, "reaches beyond any memory", "its interface is wrong: report it to its library");
  }
  if (!view.data) refuse_interface(subject, "has no memory", "its interface is wrong: report it to its library");
}

void read_interface(const py::dict& dict, const Subject& subject, ArrayView& view, std::optional<std::uintptr_t>& stream) {
  const auto entry = [&](const char* name) -> py::object { return dict.contains(name) ? py::object(dict[name]) : py::object(py::none()); };
  const py::object shape = entry("shape"), typestr = entry("typestr"), data = entry("data"), strides = entry("strides");
  if (!py::isinstance<py::tuple>(shape) || !py::isinstance<py::str>(typestr) || !py::isinstance<py::tuple>(data) || py::len(data) != 2)
    refuse_interface(subject, "has a __cuda_array_interface__ that is none", "it needs shape, typestr and data");
  if (!entry("mask").is_none()) refuse_interface(subject, "has a mask, which would be lost", "pass data and mask as two operands");
  const std::string type = py::str(typestr);
  bool is_known = false;
  for (std::size_t i = 0; i < kDTypes && !is_known; ++i) {
    const std::string_view name = type_string(static_cast<DType>(i));
    if (type.size() < 2 || name.substr(1) != std::string_view(type).substr(1)) continue;
    is_known = type[0] == '<' || type[0] == '=' || type[0] == '|' || type[0] == '>';
    view.dtype = static_cast<DType>(i);
    view.swapped = type[0] == '>' && item_size(view.dtype) > 1;
  }
  if (!is_known)
    refuse_interface(subject, fmt::format("has dtype {}, which is not supported", type),
                     "engine knows bool, integers to 64 bits, floats to 64 bits and complex to 128 bits");
  view.shape = read_extents(shape, subject);
  view.strides = strides.is_none() ? c_strides(view.shape, item_size(view.dtype)) : read_extents(strides, subject);
  if (view.strides.size() != view.shape.size())
    refuse_interface(subject, "has strides of another length than its shape", "its interface is wrong: report it to its library");
  const py::tuple pair(data);
  const py::object address = pair[0];
  view.data =
      reinterpret_cast<void*>(static_cast<std::uintptr_t>(PyLong_AsUnsignedLongLong(address.ptr())));  // NOLINT(performance-no-int-to-ptr)
  if (PyErr_Occurred()) throw PythonError{};
  view.writable = !py::bool_(pair[1]);
  if (const py::object given = entry("stream"); !given.is_none()) {
    stream = static_cast<std::uintptr_t>(PyLong_AsUnsignedLongLong(given.ptr()));
    if (PyErr_Occurred()) throw PythonError{};
    if (*stream == 0) refuse_interface(subject, "has stream 0, which the interface forbids as ambiguous", "1 is the legacy default stream");
  }
}

}  // namespace

int read_device(PyObject* where, bool takes_host) {
  if (PyLong_Check(where) && !PyBool_Check(where)) {
    int overflow = 0;
    const long number = PyLong_AsLongAndOverflow(where, &overflow);
    if (number == -1 && PyErr_Occurred()) throw PythonError{};
    return overflow || number < 0 || number > std::numeric_limits<int>::max() ? std::numeric_limits<int>::max() : static_cast<int>(number);
  }
  const char* const text = PyUnicode_Check(where) ? PyUnicode_AsUTF8(where) : nullptr;
  const std::string_view word = text ? text : "";
  PyErr_Clear();
  if (takes_host && word == "cpu") return kHost;
  if (word == "cuda") return 0;
  if (word.starts_with("cuda:") && word.size() > 5 && word.size() < 10 &&
      std::all_of(word.begin() + 5, word.end(), [](unsigned char c) { return std::isdigit(c); }))
    return std::stoi(std::string(word.substr(5)));
  if ((word.starts_with("GPU-") || word.starts_with("MIG-")) && word.size() > 4) return find_device(word);
  PyErr_Format(PyExc_ValueError, "device must be %s'cuda', 'cuda:N', an id ('GPU-...', 'MIG-...'), an integer or None, not %R",
               takes_host ? "'cpu', " : "", where);
  throw PythonError{};
}

Ref copied_to(int device, PyObject* array) {
  py::object at = py::reinterpret_borrow<py::object>(array);
  if (const DeviceArray* there = as_device_array(array)) at = to_numpy(*there);
  if (device != kHost) at = to_device(at, device);
  return Ref(at.release().ptr());
}

// ---- the class ----------------------------------------------------------------------------------------------------------------

DeviceArray* as_device_array(PyObject* object) {
  if (Py_TYPE(object) != device_array_type) return nullptr;
  return py::handle(object).cast<DeviceArray*>();
}

PyObject* make_device_array(const ArrayView& view, std::shared_ptr<void> memory) {
  return py::cast(DeviceArray{view, std::move(memory)}).release().ptr();
}

void* allocate_on_device(int device, DType dtype, const Shape& shape, const Strides& strides, std::size_t n_bytes, Ref& array) {
  auto memory = std::make_shared<DeviceMemory>(device, std::max<std::size_t>(n_bytes, 1));
  void* const data = memory->data();
  ArrayView view;
  view.data = data;
  view.dtype = dtype;
  view.shape = shape;
  view.strides = strides;
  view.device = device;
  array = Ref(make_device_array(view, std::move(memory)));
  return data;
}

bool read_device_foreign(Ref& reference, const Subject& subject, ArrayView& view) {
  PyObject* const object = reference.get();
  auto* const type = reinterpret_cast<PyObject*>(Py_TYPE(object));
  find_wheels();
  if (has_dlpack(object)) {
    std::optional<DlpackArray> array = read_device_dlpack(object, subject);
    if (!array) return false;
    view = array->view;
    check_reach(view, subject);
    if (array->legacy) view.writable = false;
    reference = Ref(make_device_array(view, std::shared_ptr<void>(array->owner.release(), [](void* owner) {
                                        const py::gil_scoped_acquire acquired;
                                        Py_DECREF(static_cast<PyObject*>(owner));
                                      })));
    return true;
  }
  if (!PyObject_HasAttrString(type, "__cuda_array_interface__")) return false;
  const py::object found = py::reinterpret_steal<py::object>(PyObject_GetAttrString(object, "__cuda_array_interface__"));
  if (!found) throw PythonError{};
  if (!py::isinstance<py::dict>(found))
    refuse_interface(subject, "has a __cuda_array_interface__ that is no dict", "report it to its library");
  std::optional<std::uintptr_t> stream;
  read_interface(found, subject, view, stream);
  check_reach(view, subject);
  view.device = n_items(view.shape) == 0 ? 0 : device_of(view.data);
  if (view.device == kHost)
    throw BackendError({.what = fmt::format("{} offers memory that is on no CUDA device", subject.who),
                        .labels = subject.labels("here"),
                        .help = "its interface is wrong, or its device is hidden by CUDA_VISIBLE_DEVICES",
                        .text = subject.text});
  // The legacy default stream needs no event: the engine's keeps order with it.
  if (stream && *stream != 1) start_after(view.device, reinterpret_cast<void*>(*stream));  // NOLINT(performance-no-int-to-ptr)
  const std::uintptr_t other = stream.value_or(1);
  const int device = view.device;
  reference = Ref(make_device_array(view, std::shared_ptr<void>(Py_NewRef(object), [other, device](void* owner) {
                                      const py::gil_scoped_acquire acquired;
                                      try {  // what its owner does next with the memory, freed or not, comes after our work
                                        if (other != 1)
                                          make_wait(device, reinterpret_cast<void*>(other));  // NOLINT(performance-no-int-to-ptr)
                                      } catch (const Error&) {
                                      }
                                      Py_DECREF(static_cast<PyObject*>(owner));
                                    })));
  return true;
}

// ---- stream= ------------------------------------------------------------------------------------------------------------------

CallersStream::CallersStream(PyObject* stream) : object_(Py_NewRef(stream)) {
  Ref number;
  if (PyLong_Check(stream) && !PyBool_Check(stream)) {
    number = Ref(Py_NewRef(stream));
  } else if (PyObject_HasAttrString(stream, "__cuda_stream__")) {
    const Ref pair(PyObject_CallMethod(stream, "__cuda_stream__", nullptr));  // (version of the protocol, address)
    if (!pair) throw PythonError{};
    if (PyTuple_Check(pair.get()) && PyTuple_GET_SIZE(pair.get()) == 2) number = Ref(Py_NewRef(PyTuple_GET_ITEM(pair.get(), 1)));
  } else {
    for (const char* name : {"ptr", "cuda_stream"})
      if (!number && PyObject_HasAttrString(stream, name)) number = Ref(PyObject_GetAttrString(stream, name));
  }
  if (!number || !PyLong_Check(number.get())) {
    if (!PyErr_Occurred())
      PyErr_Format(PyExc_TypeError, "stream must be the address of a CUDA stream, or a stream of CuPy or torch, not %R", stream);
    throw PythonError{};
  }
  const unsigned long long address = PyLong_AsUnsignedLongLong(number.get());
  if (PyErr_Occurred()) throw PythonError{};
  if (address > 1) stream_ = reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));  // NOLINT(performance-no-int-to-ptr)
}

CallersStream::~CallersStream() {
  if (!stream_ || device_ == kHost) return;
  try {
    make_wait(device_, stream_);
  } catch (const Error&) {  // the context is lost: who asks next is told
  }
}

void CallersStream::start(int device) {
  if (device == kHost) {
    PyErr_SetString(PyExc_ValueError, "stream= orders work on a device, and the operands are in the host's memory");
    throw PythonError{};
  }
  if (stream_) start_after(device, stream_);
  device_ = device;
}

void CallersStream::keep(PyObject* array) const {
  DeviceArray* const made = array ? as_device_array(array) : nullptr;
  if (!made || !stream_) return;
  struct Kept {
    std::shared_ptr<void> memory;
    Ref stream;
  };
  auto kept = std::make_unique<Kept>(Kept{made->memory, Ref(Py_NewRef(object_.get()))});
  made->memory = std::shared_ptr<void>(kept.release(), [stream = stream_, device = device_](void* owner) {
    const py::gil_scoped_acquire acquired;
    const std::unique_ptr<Kept> last(static_cast<Kept*>(owner));
    try {
      start_after(device, stream);
    } catch (const Error&) {
    }
  });
}

void add_device_arrays(py::module_& module) {
  // The metaclass of every other type: pybind11's own serves static properties, of which there are none here.
  py::class_<DeviceArray> type(module, "DeviceArray", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)), py::is_final(),
                               R"(An array in the memory of a GPU, as engine.to_device() and expressions over such arrays make it.

Expressions run where their arrays are, and what they give is there too. Calls return before the work is done; numpy() waits
for it. CuPy, torch, numba and JAX take it without a copy (__dlpack__, __cuda_array_interface__), and it takes theirs.

shape, strides (in bytes), dtype, ndim, size, nbytes : as of an ndarray
device : 'cuda:0'
T      : the axes reversed, a view
a[...] : integers, slices, None and ..., a view

>>> a = engine.to_device(np.ones((2, 3)))  # doctest: +SKIP
>>> engine.evaluate("a + 1")  # doctest: +SKIP
DeviceArray(shape=(2, 3), dtype=float64, device='cuda:0'))");
  device_array_type = reinterpret_cast<PyTypeObject*>(type.ptr());
  // pybind11's would give one that no constructor ran for: its members, read, are whatever the memory held.
  device_array_type->tp_new = [](PyTypeObject*, PyObject*, PyObject*) -> PyObject* {
    PyErr_SetString(PyExc_TypeError, "DeviceArray has no constructor: engine.to_device() makes them");
    return nullptr;
  };
  type.def_property_readonly("shape", [](const DeviceArray& a) { return as_tuple(a.view.shape); })
      .def_property_readonly("strides", [](const DeviceArray& a) { return as_tuple(a.view.strides); })
      .def_property_readonly("dtype",
                             [](const DeviceArray& a) {
                               py::object dtype = py::module_::import("numpy").attr("dtype")(std::string(name(a.view.dtype)));
                               return a.view.swapped ? py::object(dtype.attr("newbyteorder")(">")) : dtype;
                             })
      .def_property_readonly("ndim", [](const DeviceArray& a) { return a.view.shape.size(); })
      .def_property_readonly("size", [](const DeviceArray& a) { return n_items(a.view.shape); })
      .def_property_readonly("itemsize", [](const DeviceArray& a) { return item_size(a.view.dtype); })
      .def_property_readonly(
          "nbytes", [](const DeviceArray& a) { return n_items(a.view.shape) * static_cast<std::int64_t>(item_size(a.view.dtype)); })
      .def_property_readonly("device", [](const DeviceArray& a) { return place(a.view.device); })
      .def_property_readonly("T", &transposed)
      .def_property_readonly("__cuda_array_interface__", &cuda_array_interface)
      .def("numpy", &to_numpy, "A copy in the host's memory, as an ndarray of the same shape and order; waits for the work before it.")
      .def("__getitem__", &subscript)
      .def("__len__",
           [](const DeviceArray& a) {
             if (a.view.shape.empty()) throw py::type_error("len() of an array without axes");
             return a.view.shape[0];
           })
      .def("__dlpack_device__", [](const DeviceArray& a) { return py::make_tuple(2, a.view.device); })
      .def(
          "__dlpack__",
          [](const DeviceArray& a, const py::object& stream, const py::object& max_version, const py::object& dl_device,
             const py::object& copy) {
            return translated([&] {
              if (a.view.swapped) throw py::buffer_error("DLPack has no byte orders but the machine's");
              if (!dl_device.is_none() && !dl_device.equal(py::make_tuple(2, a.view.device)))
                throw py::buffer_error("the array is on " + place(a.view.device) + "; numpy() copies it to the host");
              if (!copy.is_none() && py::bool_(copy)) throw py::buffer_error("the engine gives no copies by DLPack");
              const long long number = stream.is_none() ? 1 : stream.cast<long long>();
              if (number < -1 || number == 0) throw py::value_error("stream must be None, -1, 1, 2 or the address of a stream");
              // 1 is the legacy default stream, with which ours keeps order by itself.
              if (number > 1) make_wait(a.view.device, reinterpret_cast<void*>(number));  // NOLINT(performance-no-int-to-ptr)
              const bool versioned = !max_version.is_none() && py::cast<py::tuple>(max_version)[0].cast<int>() >= 1;
              if (!versioned && !a.view.writable) throw py::buffer_error("the array is read-only, which DLPack before 1.0 cannot say");
              return py::reinterpret_steal<py::object>(make_dlpack(a.view, a.memory, versioned));
            });
          },
          py::kw_only(), py::arg("stream") = py::none(), py::arg("max_version") = py::none(), py::arg("dl_device") = py::none(),
          py::arg("copy") = py::none())
      .def("__array__",
           [](const DeviceArray&, const py::args&, const py::kwargs&) -> py::object {
             throw py::type_error("a DeviceArray is not copied to the host without being asked: use its numpy()");
           })
      .def("__repr__", [](const DeviceArray& a) {
        return fmt::format("DeviceArray(shape={}, dtype={}, device='{}')", std::string(py::repr(as_tuple(a.view.shape))),
                           name(a.view.dtype), place(a.view.device));
      });
  module.def(
      "to_device",
      [](const py::object& array, const py::object& device) {
        return to_device(array, translated([&] { return device.is_none() ? 0 : read_device(device.ptr(), false); }));
      },
      py::arg("array"), py::arg("device") = py::none(),
      R"(A copy of an array in the memory of a GPU: a DeviceArray.

array  : an ndarray, or what numpy.asarray() makes one of
device : 'cuda', 'cuda:N', N, an id that begins with 'GPU-' or 'MIG-' (engine.doctor() has them), or None for the first
Raises BackendError where there is no such device, OutOfMemory, DTypeError for a dtype that engine does not know.

>>> a = engine.to_device(np.arange(3.0))  # doctest: +SKIP
>>> engine.evaluate("2*a + 1").numpy()  # doctest: +SKIP
array([1., 3., 5.]))");
}

}  // namespace engine::python

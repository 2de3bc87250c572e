// bindings/src/arrays.cpp - Python objects <-> borrowed arrays.
#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "bindings.hpp"
#include "device.hpp"

#define PY_ARRAY_UNIQUE_SYMBOL engine_ARRAY_API
#include <numpy/arrayobject.h>
#include <numpy/arrayscalars.h>

namespace engine::python {
namespace {

bool dtype_of(int type_num, DType& dtype) {
  switch (type_num) {
    case NPY_BOOL:
      dtype = DType::Bool;
      return true;
    case NPY_BYTE:
      dtype = DType::Int8;
      return true;
    case NPY_UBYTE:
      dtype = DType::UInt8;
      return true;
    case NPY_SHORT:
      dtype = DType::Int16;
      return true;
    case NPY_USHORT:
      dtype = DType::UInt16;
      return true;
    case NPY_INT:
      dtype = DType::Int32;
      return true;
    case NPY_UINT:
      dtype = DType::UInt32;
      return true;
    case NPY_LONG:
      dtype = sizeof(long) == 8 ? DType::Int64 : DType::Int32;
      return true;
    case NPY_ULONG:
      dtype = sizeof(long) == 8 ? DType::UInt64 : DType::UInt32;
      return true;
    case NPY_LONGLONG:
      dtype = DType::Int64;
      return true;
    case NPY_ULONGLONG:
      dtype = DType::UInt64;
      return true;
    case NPY_HALF:
      dtype = DType::Float16;
      return true;
    case NPY_FLOAT:
      dtype = DType::Float32;
      return true;
    case NPY_DOUBLE:
      dtype = DType::Float64;
      return true;
    case NPY_CFLOAT:
      dtype = DType::Complex64;
      return true;
    case NPY_CDOUBLE:
      dtype = DType::Complex128;
      return true;
    default:
      return false;
  }
}

int type_num_of(DType dtype) {
  static constexpr int numbers[kDTypes] = {NPY_BOOL,  NPY_INT8,   NPY_UINT8, NPY_INT16,   NPY_UINT16,  NPY_INT32,     NPY_UINT32,
                                           NPY_INT64, NPY_UINT64, NPY_HALF,  NPY_FLOAT32, NPY_FLOAT64, NPY_COMPLEX64, NPY_COMPLEX128};
  return numbers[static_cast<std::size_t>(dtype)];
}

std::string quoted(const Program& program, std::size_t index) { return fmt::format("'{}'", program.name(index)); }

[[noreturn]] void refuse(const Program& program, std::size_t index, std::string what, std::string label, std::string help) {
  throw DTypeError({.what = std::move(what),
                    .labels = {{program.first_span(index), std::move(label)}},
                    .help = std::move(help),
                    .text = program.text()});
}

/// As NumPy prints it.
std::string dtype_name(PyArrayObject* array) {
  const Ref text(PyObject_Str(reinterpret_cast<PyObject*>(PyArray_DESCR(array))));
  const char* utf8 = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
  PyErr_Clear();
  return utf8 ? utf8 : "unknown";
}

/// Whether `object` is a numpy.ma.MaskedArray; numpy.ma need not have been imported for the answer.
bool is_masked(PyObject* object) {
  const Ref key(PyUnicode_FromString("numpy.ma"));
  const Ref ma(key ? PyImport_GetModule(key.get()) : nullptr);
  const Ref type(ma ? PyObject_GetAttrString(ma.get(), "MaskedArray") : nullptr);
  const int answer = type ? PyObject_IsInstance(object, type.get()) : 0;
  if (!PyErr_Occurred()) return answer == 1;
  if (!PyErr_ExceptionMatches(PyExc_AttributeError)) throw PythonError{};
  PyErr_Clear();  // it is being imported: there are no masked arrays yet
  return false;
}

/// False where the dtype has no place here.
bool read_array(PyArrayObject* array, ArrayView& view) {
  if (!dtype_of(PyArray_TYPE(array), view.dtype)) return false;
  view.data = PyArray_DATA(array);
  view.swapped = PyArray_ISBYTESWAPPED(array);
  view.writable = PyArray_ISWRITEABLE(array);
  const int rank = PyArray_NDIM(array);
  view.shape =
      Shape(std::span<const std::int64_t>(reinterpret_cast<const std::int64_t*>(PyArray_DIMS(array)), static_cast<std::size_t>(rank)));
  view.strides =
      Strides(std::span<const std::int64_t>(reinterpret_cast<const std::int64_t*>(PyArray_STRIDES(array)), static_cast<std::size_t>(rank)));
  return true;
}
static_assert(sizeof(npy_intp) == sizeof(std::int64_t));

void read_ndarray(PyArrayObject* array, const Program& program, std::size_t index, Operand& operand) {
  if (PyArray_NDIM(array) > kMaxRank)
    throw ShapeError({.what = fmt::format("{} has {} axes", quoted(program, index), PyArray_NDIM(array)),
                      .labels = {{program.first_span(index), fmt::format("at most {}", kMaxRank)}},
                      .help = "reshape it",
                      .text = program.text()});
  if (read_array(array, operand.array)) {
    operand.weak = Weak::No;
    return;
  }
  const std::string name = dtype_name(array);
  std::string help = "engine knows bool, integers to 64 bits, floats to 64 bits and complex to 128 bits";
  switch (PyArray_TYPE(array)) {
    case NPY_OBJECT:
      help = "give it a numeric dtype: np.asarray(x, dtype=float)";
      break;
    case NPY_VOID:
      help = "pass its fields as operands of their own: x['field']";
      break;
    case NPY_DATETIME:
    case NPY_TIMEDELTA:
      help = "pass its integers, x.view(np.int64), and keep the unit yourself";
      break;
    case NPY_LONGDOUBLE:
    case NPY_CLONGDOUBLE:
      help = "cast it: x.astype(np.float64)";
      break;
    default:
      break;
  }
  refuse(program, index, fmt::format("{} has dtype {}, which is not supported", quoted(program, index), name), name, std::move(help));
}

void read_int(PyObject* object, const Program& program, std::size_t index, Operand& operand) {
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (value == -1 && PyErr_Occurred()) throw PythonError{};
  operand.weak = Weak::Int;
  if (overflow == 0) {
    operand.negative = value < 0;
    std::memcpy(operand.scalar, &value, 8);
    return;
  }
  if (overflow > 0) {
    const unsigned long long large = PyLong_AsUnsignedLongLong(object);
    if (!(large == static_cast<unsigned long long>(-1) && PyErr_Occurred())) {
      operand.negative = false;
      std::memcpy(operand.scalar, &large, 8);
      return;
    }
    PyErr_Clear();
  }
  throw LimitError({.what = fmt::format("{} is an integer beyond 64 bits", quoted(program, index)),
                    .labels = {{program.first_span(index), "here"}},
                    .help = "pass it as a float",
                    .text = program.text()});
}

void read_float(double value, Operand& operand) {
  operand.weak = Weak::Float;
  std::memcpy(operand.scalar, &value, sizeof value);
}

void read_complex(PyObject* object, Operand& operand) {
  const Py_complex value = PyComplex_AsCComplex(object);
  operand.weak = Weak::Complex;
  std::memcpy(operand.scalar, &value.real, sizeof value.real);
  std::memcpy(operand.scalar + sizeof value.real, &value.imag, sizeof value.imag);
}

[[noreturn]] void refuse_type(const Program& program, std::size_t index, const std::string& type) {
  refuse(program, index, fmt::format("{} is of type '{}', which is no array of numbers", quoted(program, index), type), type,
         "pass an array, a buffer, a number, or nested lists of equal length");
}

/// Puts the ndarray made of an object in its place. Where NumPy refused it, that becomes the cause; what has nothing to
/// do with the object, as running out of memory or Ctrl-C, goes on as it is.
void convert(Ref& object, PyObject* array, const Program& program, std::size_t index) {
  if (array) {
    object = Ref(array);
    return;
  }
  if (!PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_TypeError)) throw PythonError{};
  refuse_type(program, index, Py_TYPE(object.get())->tp_name);
}

/// An ndarray over memory that is somebody else's.
Ref make_ndarray(DlpackArray& from) {
  const ArrayView& view = from.view;
  npy_intp dims[kMaxRank], steps[kMaxRank];
  for (int axis = 0; axis < view.shape.size(); ++axis) {
    dims[axis] = view.shape[axis];
    steps[axis] = view.strides[axis];
  }
  void* data = n_items(view.shape) ? view.data : nullptr;  // of no elements the exporter may give any address
  Ref array(PyArray_New(&PyArray_Type, view.shape.size(), dims, type_num_of(view.dtype), data ? steps : nullptr, data, 0,
                        view.writable ? NPY_ARRAY_WRITEABLE : 0, nullptr));
  if (!array) throw PythonError{};
  if (data && PyArray_SetBaseObject(reinterpret_cast<PyArrayObject*>(array.get()), from.owner.release()) < 0) throw PythonError{};
  if (!view.writable) PyArray_CLEARFLAGS(reinterpret_cast<PyArrayObject*>(array.get()), NPY_ARRAY_WRITEABLE);
  return array;
}

/// Reads an object that is neither scalar nor ndarray: gives the bytes that had to be copied for it.
std::size_t read_foreign(Ref& reference, const Program& program, std::size_t index, Operand& operand) {
  PyObject* object = reference.get();
  const std::string type = Py_TYPE(object)->tp_name;
  const bool is_buffer = PyObject_CheckBuffer(object);
  const auto refuse_target = [&] {
    refuse(program, index, fmt::format("{} is of type '{}': what is written into it would be lost", quoted(program, index), type), type,
           "pass a NumPy array");
  };
  const Subject subject{quoted(program, index), program.first_span(index), program.text()};
  // Before buffers: CuPy's arrays claim to be some, and then refuse.
  if (read_device_foreign(reference, subject, operand.array)) {
    operand.weak = Weak::No;
    return 0;
  }
  if (!is_buffer && has_dlpack(object)) {
    DlpackArray array = read_dlpack(object, subject);
    if (array.copied && program.writes(index)) refuse_target();
    if (array.legacy && program.writes(index))
      throw ShapeError({.what = fmt::format("{} does not say whether it may be written: its DLPack is older than 1.0", subject.who),
                        .labels = subject.labels("is written to"),
                        .help = "pass a NumPy array of the same memory",
                        .text = subject.text});
    const bool copied = array.copied;
    reference = make_ndarray(array);
    read_ndarray(reinterpret_cast<PyArrayObject*>(reference.get()), program, index, operand);
    return copied ? static_cast<std::size_t>(n_items(operand.array.shape)) * item_size(operand.array.dtype) : 0;
  }
  // np.asarray: the buffer protocol first, then __array__ and its kin, then sequences.
  const bool is_sequence = PyList_Check(object) || PyTuple_Check(object) || PyRange_Check(object);
  convert(reference, PyArray_FromAny(object, nullptr, 0, 0, 0, nullptr), program, index);
  auto* array = reinterpret_cast<PyArrayObject*>(reference.get());
  if (PyArray_TYPE(array) == NPY_OBJECT) refuse_type(program, index, type);
  if (is_masked(reference.get()))
    refuse(program, index, fmt::format("{} has a mask, which would be lost", quoted(program, index)), type, "fill it first");
  if (program.writes(index) && !is_buffer) refuse_target();
  read_ndarray(array, program, index, operand);
  return is_sequence ? static_cast<std::size_t>(PyArray_NBYTES(array)) : 0;
}

}  // namespace

bool init_arrays() { return _import_array() >= 0; }

std::size_t read_operand(Ref& reference, const Program& program, std::size_t index, Operand& operand) {
  PyObject* object = reference.get();
  std::size_t copied = 0;
  bool is_scalar = false;
  operand.present = true;
  if (PyArray_CheckExact(object)) {
    read_ndarray(reinterpret_cast<PyArrayObject*>(object), program, index, operand);
  } else if (PyFloat_CheckExact(object)) {
    read_float(PyFloat_AS_DOUBLE(object), operand);
  } else if (PyBool_Check(object)) {
    operand.weak = Weak::Bool;
    operand.scalar[0] = static_cast<std::byte>(object == Py_True);
  } else if (PyLong_CheckExact(object)) {
    read_int(object, program, index, operand);
  } else if (PyArray_IsScalar(object, Generic)) {  // before float and complex: float64 and complex128 are subclasses of these
    convert(reference, PyArray_FromScalar(object, nullptr), program, index);
    read_ndarray(reinterpret_cast<PyArrayObject*>(reference.get()), program, index, operand);
    operand.array.writable = false;  // what is written into a copy would be lost
    is_scalar = true;
  } else if (PyArray_Check(object)) {
    if (is_masked(object))
      refuse(program, index, fmt::format("{} is a masked array: its mask would be lost", quoted(program, index)), "masked array",
             "fill it first, x.filled(0), or pass data and mask as two operands");
    // Subclasses of other libraries that mean more than their numbers say so by such an attribute.
    if (PyObject_HasAttrString(object, "unit") || PyObject_HasAttrString(object, "units"))
      refuse(program, index, fmt::format("{} carries a unit, which would be lost", quoted(program, index)), Py_TYPE(object)->tp_name,
             "pass its numbers, and keep the unit yourself");
    read_ndarray(reinterpret_cast<PyArrayObject*>(object), program, index, operand);
  } else if (PyLong_Check(object)) {
    read_int(object, program, index, operand);
  } else if (PyFloat_Check(object)) {
    read_float(PyFloat_AS_DOUBLE(object), operand);
  } else if (PyComplex_Check(object)) {
    read_complex(object, operand);
  } else if (const DeviceArray* array = as_device_array(object)) {
    operand.weak = Weak::No;
    operand.array = array->view;
  } else if (PyUnicode_Check(object) || PyBytes_Check(object)) {
    const bool is_text = PyUnicode_Check(object);
    refuse(program, index, fmt::format("{} is of type '{}': no operand holds text", quoted(program, index), Py_TYPE(object)->tp_name),
           Py_TYPE(object)->tp_name, is_text ? "convert it first: float(x)" : "bytes can be read as numbers: np.frombuffer(x, np.uint8)");
  } else {
    copied = read_foreign(reference, program, index, operand);
  }
  if (operand.weak == Weak::No && !operand.array.writable && program.writes(index))
    throw ShapeError({.what = fmt::format("{} is read-only", quoted(program, index)),
                      .labels = {{program.first_span(index), "is written to"}},
                      .help = is_scalar ? "a NumPy scalar cannot change: pass an array" : "pass a copy, x.copy()",
                      .text = program.text()});
  return copied;
}

namespace {

[[noreturn]] void refuse_out(const std::string& text, std::string what, std::string help) {
  throw DTypeError({.what = std::move(what), .labels = {}, .help = std::move(help), .text = text});
}

/// An out that is no plain ndarray: as one, in `array`, or as the memory of a device.
std::optional<ArrayView> read_other_out(PyObject* object, const std::string& text, Ref& array) {
  // bytes and NumPy scalars are buffers too, but none that could keep a result.
  const bool is_constant = PyBytes_Check(object) || PyArray_IsScalar(object, Generic);
  const Subject subject{"out", {}, text};
  if (const DeviceArray* device_array = as_device_array(object)) {
    array = Ref(Py_NewRef(object));
    return device_array->view;
  }
  if (!is_constant && !PyArray_Check(object)) {
    array = Ref(Py_NewRef(object));
    ArrayView view;
    if (read_device_foreign(array, subject, view)) {
      if (!view.writable) throw ShapeError({.what = "out is read-only", .labels = {}, .help = "pass a writable array", .text = text});
      return view;
    }
    array = Ref();
  }
  if (PyArray_Check(object)) {
    array = Ref(Py_NewRef(object));
  } else if (!is_constant && PyObject_CheckBuffer(object)) {
    array = Ref(PyArray_FromAny(object, nullptr, 0, 0, 0, nullptr));
    const bool is_refused = !array && (PyErr_ExceptionMatches(PyExc_ValueError) || PyErr_ExceptionMatches(PyExc_TypeError));
    // An object that refuses its buffer is taken by NumPy for a sequence, and copied: what is written would be lost.
    if (is_refused || (array && PyArray_CHKFLAGS(reinterpret_cast<PyArrayObject*>(array.get()), NPY_ARRAY_OWNDATA)))
      refuse_out(text, fmt::format("out is a buffer of type '{}' that NumPy cannot read in place", Py_TYPE(object)->tp_name),
                 "give its items another format, memoryview(out).cast('d')");
  } else if (!is_constant && has_dlpack(object)) {
    DlpackArray tensor = read_dlpack(object, subject);
    if (tensor.copied)
      refuse_out(text, fmt::format("out is of type '{}', which gives a copy of itself", Py_TYPE(object)->tp_name), "pass a NumPy array");
    if (tensor.legacy)
      throw ShapeError({.what = "out does not say whether it may be written: its DLPack is older than 1.0",
                        .labels = {},
                        .help = "pass a NumPy array of the same memory",
                        .text = text});
    array = make_ndarray(tensor);
  } else {
    refuse_out(text, fmt::format("out is of type '{}', which is no array", Py_TYPE(object)->tp_name),
               "pass a NumPy array or a writable buffer");
  }
  return std::nullopt;
}

}  // namespace

ArrayView read_out(PyObject* object, const std::string& text, Ref& array) {
  if (PyArray_CheckExact(object))
    array = Ref(Py_NewRef(object));
  else if (const std::optional<ArrayView> view = read_other_out(object, text, array))
    return *view;
  if (!array) throw PythonError{};
  if (!PyArray_CheckExact(array.get()) && is_masked(array.get()))
    refuse_out(text, "out is a masked array: its mask would be wrong", "pass out.data");
  auto* ndarray = reinterpret_cast<PyArrayObject*>(array.get());
  if (PyArray_NDIM(ndarray) > kMaxRank)
    throw ShapeError({.what = fmt::format("out has {} axes, more than {}", PyArray_NDIM(ndarray), kMaxRank),
                      .labels = {},
                      .help = "reshape it",
                      .text = text});
  ArrayView view;
  if (!read_array(ndarray, view))
    refuse_out(text, fmt::format("out has dtype {}, which is not supported", dtype_name(ndarray)), "pass a numeric array");
  if (!view.writable) throw ShapeError({.what = "out is read-only", .labels = {}, .help = "pass a writable array", .text = text});
  return view;
}

namespace {

/// What NumPy calls for the memory of arrays made while this handler is set; it stays with them for life.
PyObject* page_handler() {
  static PyDataMem_Handler handler{"engine_pages",
                                   1,
                                   {nullptr, [](void*, std::size_t bytes) { return take_pages(bytes); },
                                    [](void*, std::size_t n, std::size_t item) -> void* {
                                      if (item && n > SIZE_MAX / item) return nullptr;
                                      void* const memory = take_pages(n * item);
                                      return memory ? std::memset(memory, 0, n * item) : nullptr;
                                    },
                                    [](void*, void* memory, std::size_t bytes) { return resize_pages(memory, bytes); },
                                    [](void*, void* memory, std::size_t) { give_pages(memory); }}};
  static PyObject* const capsule = PyCapsule_New(&handler, "mem_handler", nullptr);  // for the life of the process
  return capsule;
}

/// Sets the handler for this thread as long as it lives.
class PageHandler {
 public:
  explicit PageHandler(bool wanted) {
    if (!wanted) return;
    if (PyObject* const handler = page_handler()) before_ = Ref(PyDataMem_SetHandler(handler));
    if (!before_) PyErr_Clear();
  }
  ~PageHandler() {
    if (before_ && !Ref(PyDataMem_SetHandler(before_.get()))) PyErr_Clear();
  }
  PageHandler(const PageHandler&) = delete;
  PageHandler& operator=(const PageHandler&) = delete;

 private:
  Ref before_;
};

}  // namespace

void* allocate_result(void* context, DType dtype, const Shape& shape, const Strides& strides, std::size_t n_bytes) {
  npy_intp dims[kMaxRank], steps[kMaxRank];
  bool is_c = true;
  auto expected = static_cast<npy_intp>(item_size(dtype));
  for (int axis = shape.size() - 1; axis >= 0; --axis) {
    dims[axis] = shape[axis];
    steps[axis] = strides[axis];
    is_c = is_c && (steps[axis] == expected || dims[axis] <= 1);
    expected *= dims[axis] ? dims[axis] : 1;
  }
  const PageHandler handler(n_bytes >= kRecycledBytes);
  PyObject* array = PyArray_New(&PyArray_Type, shape.size(), dims, type_num_of(dtype), is_c ? nullptr : steps, nullptr, 0, 0, nullptr);
  if (!array) {
    PyErr_Clear();
    throw std::bad_alloc();
  }
  *static_cast<Ref*>(context) = Ref(array);
  return PyArray_DATA(reinterpret_cast<PyArrayObject*>(array));
}

PyObject* as_result(PyObject* array) {
  if (as_device_array(array)) return array;  // 0-d, too: a number would have to be waited for
  return PyArray_Return(reinterpret_cast<PyArrayObject*>(array));
}

PyObject* as_region(PyObject* operand, const ArrayView& region) {
  if (const DeviceArray* whole = as_device_array(operand)) {
    const bool is_all = whole->view.data == region.data && whole->view.shape == region.shape && whole->view.strides == region.strides;
    return is_all ? Py_NewRef(operand) : make_device_array(region, whole->memory);
  }
  auto* array = reinterpret_cast<PyArrayObject*>(operand);
  bool whole = PyArray_NDIM(array) == region.shape.size() && PyArray_DATA(array) == region.data;
  for (int axis = 0; whole && axis < region.shape.size(); ++axis)
    whole = PyArray_DIM(array, axis) == region.shape[axis] && PyArray_STRIDE(array, axis) == region.strides[axis];
  if (whole) return Py_NewRef(operand);
  npy_intp dims[kMaxRank], steps[kMaxRank];
  for (int axis = 0; axis < region.shape.size(); ++axis) {
    dims[axis] = region.shape[axis];
    steps[axis] = region.strides[axis];
  }
  PyArray_Descr* descr = PyArray_DESCR(array);
  Py_INCREF(descr);
  PyObject* view = PyArray_NewFromDescr(&PyArray_Type, descr, region.shape.size(), dims, steps, region.data, NPY_ARRAY_WRITEABLE, nullptr);
  if (!view) return nullptr;
  Py_INCREF(operand);
  if (PyArray_SetBaseObject(reinterpret_cast<PyArrayObject*>(view), operand) < 0) {
    Py_DECREF(view);
    return nullptr;
  }
  return view;
}

}  // namespace engine::python

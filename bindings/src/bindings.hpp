// bindings/src/bindings.hpp - what the files of the Python module share.
#pragma once

#include <pybind11/pybind11.h>

#include <engine/engine.hpp>
#include <string>
#include <vector>

namespace engine::python {

namespace py = pybind11;

/// A reference that is given back at the end of the scope.
class Ref {
 public:
  Ref() = default;
  explicit Ref(PyObject* object) : object_(object) {}
  Ref(Ref&& other) noexcept : object_(other.release()) {}
  Ref& operator=(Ref&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  ~Ref() { Py_XDECREF(object_); }
  PyObject* get() const { return object_; }
  PyObject* release() {
    PyObject* object = object_;
    object_ = nullptr;
    return object;
  }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_ = nullptr;
};

/// Thrown when Python's error indicator is set.
struct PythonError {};

// ---- errors.cpp -----------------------------------------------------------------------------------------------------

/// Loads the exception classes of engine.errors.
void init_errors();
/// Sets Python's error indicator for the exception in flight; call inside catch (...).
void set_python_error() noexcept;

// ---- arrays.cpp -----------------------------------------------------------------------------------------------------

/// Imports NumPy's C API; false with the error indicator set.
bool init_arrays();
/// Reads one operand. What had to be converted is kept alive in `keep`. Throws engine::Error or PythonError.
void read_operand(PyObject* object, const Program& program, std::size_t index, Operand& operand, std::vector<Ref>& keep);
/// The caller's out as a view; `array` is the ndarray it is.
ArrayView read_out(PyObject* object, const std::string& text, Ref& array);
/// Allocates a fresh result; `context` is a PyObject** that receives the ndarray.
void* allocate_result(void* context, DType dtype, const Shape& shape, const Strides& strides, std::size_t n_bytes);
/// The ndarray, or the NumPy scalar where it is 0-d. Steals the reference.
PyObject* as_result(PyObject* array);
/// The region of `operand` that was written: the operand itself where that is all of it.
PyObject* as_region(PyObject* operand, const ArrayView& region);

// ---- evaluate.cpp ---------------------------------------------------------------------------------------------------

/// A program with its names as Python strings.
struct CachedProgram {
  std::shared_ptr<const Program> program;
  std::vector<Ref> names;
};
using CachedProgramPtr = std::shared_ptr<const CachedProgram>;

/// What evaluate() and its like take besides text and names.
struct CallOptions {
  Options options;
  PyObject* out = nullptr;       ///< borrowed; null for None
};
/// Reads one keyword argument. False if it is unknown; throws PythonError where the value is wrong.
bool read_option(CallOptions& call, PyObject* keyword, PyObject* value, bool with_out);

CachedProgramPtr compile_program(PyObject* text, const Options& options);

/// Where names are looked up: a mapping, keyword arguments, or the caller's frame.
struct Names {
  PyObject* mapping = nullptr;             ///< null: the caller's locals, then globals
  PyObject* const* values = nullptr;       ///< keyword arguments
  PyObject* keywords = nullptr;            ///< tuple of str
  Py_ssize_t n_keywords = 0;
};
PyObject* run(const CachedProgram& cached, const Names& names, PyObject* out, Order order);
/// Operands for explain(); fills `operands` and keeps what they refer to.
void read_operands(const CachedProgram& cached, const Names& names, std::vector<Operand>& operands, std::vector<Ref>& keep);

extern PyMethodDef evaluate_methods[];

// ---- program.cpp ----------------------------------------------------------------------------------------------------

/// Makes the type engine.Program.
PyObject* make_program_type();
PyObject* make_program(CachedProgramPtr cached);

}  // namespace engine::python

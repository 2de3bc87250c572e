// bindings/src/bindings.hpp - what the files of the Python module share.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <engine/engine.hpp>
#include <memory>
#include <optional>
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
/// Reads operand `index` of the program. What has to be converted takes the object's place, so that `operand` borrows from
/// `object` alone. Gives the bytes that were copied, mostly 0. Throws engine::Error or PythonError.
std::size_t read_operand(Ref& object, const Program& program, std::size_t index, Operand& operand);
/// The caller's out as a view; `array` is the ndarray it is.
ArrayView read_out(PyObject* object, const std::string& text, Ref& array);
/// Allocates a fresh result; `context` is a Ref* that receives the ndarray.
void* allocate_result(void* context, DType dtype, const Shape& shape, const Strides& strides, std::size_t n_bytes);
/// The ndarray, or the NumPy scalar where it is 0-d. Steals the reference.
PyObject* as_result(PyObject* array);
/// The region of the ndarray that was written: the array itself where that is all of it.
PyObject* as_region(PyObject* array, const ArrayView& region);

// ---- options.cpp ----------------------------------------------------------------------------------------------------

/// What a call takes besides text and names.
struct CallOptions {
  Options options;
  PyObject* out = nullptr;       ///< borrowed; null for None
  std::optional<int> device;     ///< where operands are brought first: kHost or an ordinal
  PyObject* stream = nullptr;    ///< borrowed; null for None
  bool wait = false;             ///< for a device's compiler
  PyObject* progress = nullptr;  ///< borrowed: called with a float from 0 to 1, or True; null for none
  LaunchGraph* graph = nullptr;  ///< that the launches go to
};
/// The options that not every function has.
enum Accepts : unsigned { kAcceptsNone = 0, kAcceptsOut = 1, kAcceptsOrder = 2, kAcceptsRest = 4, kAcceptsDevice = 8 };
/// Reads one keyword argument. False if it is unknown; throws PythonError where the value is wrong.
bool read_option(CallOptions& call, PyObject* keyword, PyObject* value, unsigned accepts);
/// Tells the engine where wheels have put the compiler of the backend "cuda"; once, and before it is asked for.
void find_wheels();
/// Whether a Python object is the str `word`.
bool equals(PyObject* text, const char* word);
/// Words and numbers as read_option takes them: casting, exactness, backend, threads, limits. A new dict.
PyObject* options_dict(const Options& options, int threads);

/// Whether engine.config was ever used; until then no call pays for it.
extern std::atomic<bool> config_used;
/// The options of engine.config, for those that a function accepts. Throws PythonError.
void apply_config(CallOptions& call, unsigned accepts);
/// Makes the context variable of engine.config: a new reference, or null with the error indicator set.
PyObject* make_options_var();

extern PyMethodDef options_methods[];

// ---- cache.cpp ------------------------------------------------------------------------------------------------------

/// A program with its names as interned Python strings.
struct CachedProgram {
  std::optional<Program> program;  ///< empty only while it is made
  std::vector<Ref> names;
};
using CachedProgramPtr = std::shared_ptr<const CachedProgram>;

/// The program of a str, found by the identity of the text, then by the text, else compiled.
CachedProgramPtr compile_program(PyObject* text, const Options& options);

// ---- names.cpp ------------------------------------------------------------------------------------------------------

/// Where names are looked up: a mapping, keyword arguments, or the caller's frame.
struct Names {
  PyObject* mapping = nullptr;        ///< null: the caller's locals, then globals
  PyObject* const* values = nullptr;  ///< keyword arguments
  PyObject* keywords = nullptr;       ///< tuple of str; null if there are none
};
/// Throws PythonError unless `mapping` is None or a mapping; None is left out.
void set_mapping(Names& names, PyObject* mapping, const char* function);

/// The operands of one call and the objects they borrow from.
class Operands {
 public:
  Operands(const CachedProgram& cached, const Names& names);
  /// Copies arrays that are elsewhere to that device, or to the host. Throws BackendError for one that is written.
  void bring_to(int device, const Program& program);
  const Operand* data() const { return operands_; }
  std::uint32_t copies() const { return copies_; }
  std::size_t bytes_copied() const { return bytes_copied_; }
  /// The object operand `index` borrows from.
  PyObject* object(std::size_t index) const { return objects_[index].get(); }

 private:
  static constexpr std::size_t kFew = 4;  // without the heap: most expressions have no more
  void take(const CachedProgram& cached, std::size_t index, Ref object);
  Operand few_[kFew];
  Ref few_objects_[kFew];
  std::vector<Operand> many_;
  std::vector<Ref> many_objects_;
  Operand* operands_ = few_;
  Ref* objects_ = few_objects_;
  std::uint32_t copies_ = 0;  ///< of operands that are no arrays
  std::size_t bytes_copied_ = 0;
};

/// Says why a variable of an enclosing function is not seen, where that may be the reason. Throws.
[[noreturn]] void explain_unknown(const Error& error, const Names& names);

// ---- evaluate.cpp ---------------------------------------------------------------------------------------------------

/// Of the call's options, order and threads; the others are the program's.
PyObject* run(const CachedProgram& cached, const Names& names, const CallOptions& call);
/// An engine.Explanation.
PyObject* make_explanation(const CachedProgram& cached, const Names& names, Order order);

extern PyMethodDef evaluate_methods[];

// ---- stencil.cpp ----------------------------------------------------------------------------------------------------

void add_stencils(py::module_& module);

// ---- program.cpp ----------------------------------------------------------------------------------------------------

/// Of Python's module `module`: calls its class `name` with keyword arguments. Steals `keywords`, which may be null.
PyObject* make_instance(const char* module, const char* name, PyObject* keywords);

/// Makes the type engine.Program.
PyObject* make_program_type();
PyObject* make_program(CachedProgramPtr cached, int threads);
/// What the vectorcall of a Program, or of its Graph, gives: null with the error indicator set where something is wrong.
PyObject* call_program(const CachedProgram& cached, PyObject* const* args, std::size_t nargsf, PyObject* kwnames, int threads,
                       LaunchGraph* graph);
/// The expression: a new str.
PyObject* text_of(const CachedProgram& cached);
/// {name: ((before, behind), …)}, None for an axis of which all is read.
py::dict halo_dict(const std::vector<Halo>& halos);

// ---- graph.cpp ------------------------------------------------------------------------------------------------------

PyObject* make_graph_type();
PyObject* make_graph(CachedProgramPtr cached);

}  // namespace engine::python

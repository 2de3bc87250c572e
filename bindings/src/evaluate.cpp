// bindings/src/evaluate.cpp - evaluate(), blitz(), compile(), explain(): raw vectorcall functions, for the time of a call
// with small arrays is mostly spent here.
#include <cxxabi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bindings.hpp"

namespace engine::python {
namespace {

/// Below this many element-operations releasing the GIL costs more than it gives.
constexpr double kReleaseAbove = 20'000;

/// Lets other Python threads run until the end of the scope.
class WithoutGil {
 public:
  WithoutGil() : state_(PyEval_SaveThread()) {}
  ~WithoutGil() {
    // Before 3.14, a thread that asks for the GIL of an ending interpreter is unwound by pthread_exit, which would end
    // the process here. It waits for the end instead, as it does from 3.14 on.
    try {
      PyEval_RestoreThread(state_);
    } catch (abi::__forced_unwind&) {
      while (true) pause();
    }
  }
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

  /// Takes the GIL back for as long as the handlers of pending signals need: whether one of them raised (Ctrl-C).
  bool interrupted() {
    PyEval_RestoreThread(state_);
    const bool raised = PyErr_CheckSignals() != 0;
    state_ = PyEval_SaveThread();
    return raised;
  }

 private:
  PyThreadState* state_;
};

/// Python handles signals in the main thread alone; there no other has to ask.
bool is_main_thread() { return syscall(SYS_gettid) == getpid(); }

void run_released(Execution& execution, int threads) {
  WithoutGil released;
  RunOptions options{.threads = threads};
  if (is_main_thread()) {
    options.interrupted = [](void* context) { return static_cast<WithoutGil*>(context)->interrupted(); };
    options.context = &released;
  }
  execution.run(options);
}

/// What a function of this file takes: evaluate(text, names=None, **options) and its like.
struct Signature {
  const char* name;
  bool takes_names;
  unsigned accepts;
  bool blitz;
};
struct Call {
  PyObject* text = nullptr;
  Names names;
  CallOptions options;
};

[[noreturn]] void type_error(const char* format, const char* function, PyObject* object = nullptr) {
  PyErr_Format(PyExc_TypeError, format, function, object);
  throw PythonError{};
}

Call read_call(const Signature& signature, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  Call call;
  call.options.options.blitz = signature.blitz;
  const Py_ssize_t most = signature.takes_names ? 2 : 1;
  if (nargs > most) {
    PyErr_Format(PyExc_TypeError, "%s() takes at most %zd positional argument%s (%zd given)", signature.name, most, most == 1 ? "" : "s",
                 nargs);
    throw PythonError{};
  }
  if (nargs > 0) call.text = args[0];
  if (nargs > 1) set_mapping(call.names, args[1], signature.name);
  const Py_ssize_t n = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* keyword = PyTuple_GET_ITEM(kwnames, i);
    PyObject* value = args[nargs + i];
    if (equals(keyword, "expression")) {
      if (call.text) type_error("%s() got its expression twice", signature.name);
      call.text = value;
    } else if (signature.takes_names && equals(keyword, "names")) {
      if (nargs > 1) type_error("%s() got its names twice", signature.name);
      set_mapping(call.names, value, signature.name);
    } else if (!read_option(call.options, keyword, value, signature.accepts)) {
      type_error("%s() got an unexpected keyword argument '%U'", signature.name, keyword);
    }
  }
  if (!call.text) type_error("%s() lacks its expression", signature.name);
  if (!PyUnicode_Check(call.text)) {
    PyErr_Format(PyExc_TypeError, "%s(): the expression must be a str, not %s", signature.name, Py_TYPE(call.text)->tp_name);
    throw PythonError{};
  }
  return call;
}

PyObject* evaluate(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static constexpr Signature kSignature{"evaluate", true, kAcceptsOut | kAcceptsOrder | kAcceptsRest, false};
  try {
    const Call call = read_call(kSignature, args, nargs, kwnames);
    const CachedProgramPtr program = compile_program(call.text, call.options.options);
    return run(*program, call.names, call.options.out, call.options.options);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* blitz(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static constexpr Signature kSignature{"blitz", true, kAcceptsOrder | kAcceptsRest, true};
  try {
    const Call call = read_call(kSignature, args, nargs, kwnames);
    const CachedProgramPtr program = compile_program(call.text, call.options.options);
    return run(*program, call.names, nullptr, call.options.options);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* compile(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static constexpr Signature kSignature{"compile", false, kAcceptsRest, false};
  try {
    const Call call = read_call(kSignature, args, nargs, kwnames);
    return make_program(compile_program(call.text, call.options.options), call.options.options.threads);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* explain(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static constexpr Signature kSignature{"explain", true, kAcceptsOrder | kAcceptsRest, false};
  try {
    const Call call = read_call(kSignature, args, nargs, kwnames);
    return make_explanation(*compile_program(call.text, call.options.options), call.names);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

}  // namespace

PyObject* run(const CachedProgram& cached, const Names& names, PyObject* out, const Options& options) {
  const Operands operands(cached, names);
  Ref out_array;
  ArrayView out_view;
  if (out) out_view = read_out(out, cached.program->text(), out_array);
  Ref fresh;
  try {
    Execution execution(*cached.program, operands.data(), out ? &out_view : nullptr, options.order, {&allocate_result, &fresh});
    if (out && execution.target_name() >= 0) {
      const std::string target(cached.program->name(static_cast<std::size_t>(execution.target_name())));
      PyErr_Format(PyExc_ValueError, "out has no use: the expression ends in an assignment to '%s', which is its value", target.c_str());
      throw PythonError{};
    }
    if (execution.work() > kReleaseAbove) {
      run_released(execution, options.threads);
    } else {
      execution.run({.threads = 1});
    }
    if (execution.target_name() >= 0) {
      PyObject* region = as_region(operands.object(static_cast<std::size_t>(execution.target_name())), execution.result());
      if (!region) throw PythonError{};
      return region;
    }
  } catch (const UnknownName& error) {
    explain_unknown(error, names);
  }
  return out ? Py_NewRef(out) : as_result(fresh.release());
}

PyObject* make_explanation(const CachedProgram& cached, const Names& names) {
  const Operands operands(cached, names);
  std::string text;
  try {
    text = cached.program->explain(operands.data());
  } catch (const UnknownName& error) {
    explain_unknown(error, names);
  }
  const Ref module(PyImport_ImportModule("engine"));
  const Ref words(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
  PyObject* explanation = module && words ? PyObject_CallMethod(module.get(), "Explanation", "O", words.get()) : nullptr;
  if (!explanation) throw PythonError{};
  return explanation;
}

#define ENGINE_FASTCALL(function) reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)), METH_FASTCALL | METH_KEYWORDS

PyMethodDef evaluate_methods[] = {
    {"evaluate", ENGINE_FASTCALL(evaluate),
     "evaluate(expression, names=None, *, out=None, order='K', casting='same_kind', exactness='strict', backend='auto', threads=None, "
     "limits=None)\n"
     "--\n\n"
     "Evaluate an array expression in one fused pass.\n\n"
     "expression : str, e.g. ``\"4*a + 5*a*b\"``; grammar in the README.\n"
     "names      : mapping of name to array or scalar; the caller's variables when None.\n"
     "out        : array of the broadcast shape; may be an operand, any overlap is handled.\n"
     "order      : memory order of a fresh result: 'K' (as NumPy's nditer chooses), 'C', 'F' or 'A'.\n"
     "casting    : what may be written into out and targets: NumPy's casting rules.\n"
     "exactness  : 'strict' (NumPy's bits) or 'relaxed'.\n"
     "backend    : 'auto' or 'interp'.\n"
     "threads    : at most so many threads; None leaves the choice to the engine.\n"
     "limits     : engine.Limits; None for its defaults.\n\n"
     "Returns an array of NumPy's result dtype and the broadcast shape of the operands, a NumPy scalar where all of them\n"
     "are 0-d; of a program that ends in an assignment, what was assigned.\n"
     "Raises ParseError, UnknownName, DTypeError, ShapeError, RangeError, LimitError (with a caret), BackendError.\n\n"
     ">>> import numpy as np, engine\n"
     ">>> engine.evaluate(\"2*a + 1\", {\"a\": np.arange(3)})\n"
     "array([1, 3, 5])\n"},
    {"blitz", ENGINE_FASTCALL(blitz),
     "blitz(expression, names=None, *, order='K', casting='same_kind', exactness='strict', backend='auto', threads=None, limits=None)\n"
     "--\n\n"
     "weave's form of evaluate: ``name = …`` writes into the operand of that name, which must have the result's shape.\n\n"
     ">>> import numpy as np, engine\n"
     ">>> a, b = np.arange(3.0), np.zeros(3)\n"
     ">>> _ = engine.blitz(\"b = 2*a\", {\"a\": a, \"b\": b})\n"
     ">>> b\n"
     "array([0., 2., 4.])\n"},
    {"compile", ENGINE_FASTCALL(compile),
     "compile(expression, *, casting='same_kind', exactness='strict', backend='auto', threads=None, limits=None)\n"
     "--\n\n"
     "Parse an expression once. Returns a Program, to be called with arrays as often as wanted.\n\n"
     ">>> import numpy as np, engine\n"
     ">>> hypot = engine.compile(\"sqrt(x*x + y*y)\")\n"
     ">>> hypot(x=np.array([3.0, 5.0]), y=np.array([4.0, 12.0]))\n"
     "array([ 5., 13.])\n"},
    {"explain", ENGINE_FASTCALL(explain),
     "explain(expression, names=None, *, order='K', casting='same_kind', exactness='strict', backend='auto', threads=None, limits=None)\n"
     "--\n\n"
     "The plan of an expression for operands like these: passes over memory, loads, operations, bytes.\n\n"
     "Takes what evaluate takes. Nothing is computed and nothing written. Returns an Explanation, whose str() is the text.\n\n"
     ">>> import numpy as np, engine\n"
     ">>> print(str(engine.explain(\"2*a\", {\"a\": np.ones(3)})).splitlines()[1])\n"
     "1 fused pass over memory, 0 intermediate buffers\n"},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace engine::python

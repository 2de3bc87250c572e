// bindings/src/evaluate.cpp - evaluate(), blitz(), compile(), explain(): raw vectorcall functions, for the time of a call
// with small arrays is mostly spent here.
#include <algorithm>
#include <optional>

#include "running.hpp"

namespace engine::python {
namespace {

/// What was converted for the calling thread's run of that number.
struct Conversions {
  std::uint64_t run = 0;
  std::uint32_t copies = 0;
  std::size_t bytes = 0;
};
constinit ENGINE_THREAD_LOCAL Conversions conversions;

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
  if (config_used.load(std::memory_order_relaxed)) apply_config(call.options, signature.accepts);
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
  static constexpr Signature kSignature{"evaluate", true, kAcceptsOut | kAcceptsOrder | kAcceptsRest | kAcceptsDevice, false};
  try {
    const Call call = read_call(kSignature, args, nargs, kwnames);
    const CachedProgramPtr program = compile_program(call.text, call.options.options);
    return run(*program, call.names, call.options);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* blitz(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static constexpr Signature kSignature{"blitz", true, kAcceptsOrder | kAcceptsRest | kAcceptsDevice, true};
  try {
    const Call call = read_call(kSignature, args, nargs, kwnames);
    const CachedProgramPtr program = compile_program(call.text, call.options.options);
    return run(*program, call.names, call.options);
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
    return make_explanation(*compile_program(call.text, call.options.options), call.names, call.options.options.order);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

}  // namespace

/// To Python's logger "engine", where somebody has imported logging: first calls on a device wait for its compiler, sorts for seconds.
static void log_compilations(const RunInfo& info, std::string_view text) {
  const Ref name(PyUnicode_FromString("logging"));
  const Ref logging(name ? PyImport_GetModule(name.get()) : nullptr);
  if (!logging && PyErr_Occurred()) throw PythonError{};
  if (!logging) return;
  const Ref logger(PyObject_CallMethod(logging.get(), "getLogger", "s", "engine"));
  const Ref seconds(PyFloat_FromDouble(info.compile_seconds));
  const Ref expression(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
  const Ref done(logger && seconds && expression ? PyObject_CallMethod(logger.get(), "info", "siOO", "compiled %d kernels in %.2f s for %s",
                                                                       info.kernels_compiled, seconds.get(), expression.get())
                                                 : nullptr);
  if (!done) throw PythonError{};
}

PyObject* run(const CachedProgram& cached, const Names& names, const CallOptions& call) {
  PyObject* const out = call.out;
  const Options& options = call.options;
  Operands operands(cached, names);
  if (call.device) operands.bring_to(*call.device, *cached.program);
  Ref out_array;
  ArrayView out_view;
  if (out) out_view = read_out(out, cached.program->text(), out_array);
  Ref fresh;
  try {
    Destination destination{&fresh, cached.program->device(operands.data(), out ? &out_view : nullptr)};
    if (destination.device == kHost && !call.stream && !call.progress && !call.graph &&
        cached.program->run_small(operands.data(), out ? &out_view : nullptr, options.order, {&Destination::allocate, &destination},
                                  options.threads, &Destination::start)) {
      destination.begun.reset();
      if (operands.copies()) conversions = {last_run().runs, operands.copies(), operands.bytes_copied()};
      return out ? Py_NewRef(out) : as_result(fresh.release());
    }
    std::optional<CallersStream> stream;
    if (call.stream) stream.emplace(call.stream).start(destination.device);
    Execution execution(*cached.program, operands.data(), out ? &out_view : nullptr, options.order, {&Destination::allocate, &destination});
    if (out && execution.target_name() >= 0) {
      const std::string target(cached.program->name(static_cast<std::size_t>(execution.target_name())));
      PyErr_Format(PyExc_ValueError, "out has no use: the expression ends in an assignment to '%s', which is its value", target.c_str());
      throw PythonError{};
    }
    Ref region;  // made before anything is written: there may be no memory for it
    if (execution.target_name() >= 0) {
      region = Ref(as_region(operands.object(static_cast<std::size_t>(execution.target_name())), execution.result()));
      if (!region) throw PythonError{};
    }
    const bool is_released = call.progress || execution.work() > kReleaseAbove;
    if (is_released)
      run_released(execution, destination, call, Bar(call.progress).get());
    else
      execution.run({.threads = 1, .graph = call.graph});
    if (operands.copies()) conversions = {last_run().runs, operands.copies(), operands.bytes_copied()};
    if (is_released && last_run().kernels_compiled > 0) log_compilations(last_run(), cached.program->text());
    if (region) return region.release();
    if (stream) stream->keep(fresh.get());
  } catch (const UnknownName& error) {
    explain_unknown(error, names);
  }
  return out ? Py_NewRef(out) : as_result(fresh.release());
}

PyObject* make_instance(const char* module_name, const char* name, PyObject* keywords) {
  // As a rule it is there, and the import system need not be asked, which does not bear a lack of memory well.
  const Ref given(keywords), key(PyUnicode_FromString(module_name)), none(PyTuple_New(0));
  if (!given || !key) return nullptr;
  Ref module(PyImport_GetModule(key.get()));
  if (!module && !PyErr_Occurred()) module = Ref(PyImport_Import(key.get()));
  const Ref type(module ? PyObject_GetAttrString(module.get(), name) : nullptr);
  return given && none && type ? PyObject_Call(type.get(), none.get(), given.get()) : nullptr;
}

PyObject* make_explanation(const CachedProgram& cached, const Names& names, Order order) {
  const Operands operands(cached, names);
  Explanation found;
  try {
    found = cached.program->describe(operands.data(), order);
  } catch (const UnknownName& error) {
    explain_unknown(error, names);
  }
  const auto decoded = [](const std::string& text) {
    return Ref(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
  };
  const Ref text = decoded(found.text), json = decoded(found.json);
  PyObject* explanation =
      text && json ? make_instance("engine", "Explanation", Py_BuildValue("{s:O,s:O}", "text", text.get(), "json", json.get())) : nullptr;
  if (!explanation) throw PythonError{};
  return explanation;
}

namespace {

/// What engine.Run is made of, as a dict; None before the thread's first run.
PyObject* last_run_facts(PyObject*, PyObject*) {
  const RunInfo info = last_run();  // a copy: what is made below may run Python code
  if (info.runs == 0) Py_RETURN_NONE;
  const bool converted = conversions.run == info.runs;
  const auto stages = [&] {
    Ref dict(PyDict_New());
    for (std::size_t i = 0; dict && info.compiled && i < kStages.size(); ++i) {
      if (i == 0 && info.stages[i] == 0) continue;  // the text had been read before
      const Ref seconds(PyFloat_FromDouble(static_cast<double>(info.stages[i]) * 1e-9));
      if (!seconds || PyDict_SetItemString(dict.get(), std::string(kStages[i]).c_str(), seconds.get()) < 0) return Ref();
    }
    return dict;
  }();
  const Ref seconds(info.seconds < 0 ? Py_NewRef(Py_None) : PyFloat_FromDouble(info.seconds));
  if (!stages || !seconds) return nullptr;
  const Traffic& t = info.traffic;
  const std::span<const Backend> all = backends();
  const Backend& backend = *std::find_if(all.begin(), all.end(), [&](const Backend& each) { return each.choice == info.backend; });
  return Py_BuildValue(
      "{s:s,s:O,s:O,s:I,s:i,s:K,s:K,s:K,s:I,s:K,s:O,s:O,s:i,s:d}", "backend", backend.name.data(), "compiled",
      info.compiled ? Py_True : Py_False, "stages", stages.get(), "kernels", t.kernels, "threads", info.threads, "operations",
      static_cast<unsigned long long>(t.operations), "bytes_read", static_cast<unsigned long long>(t.bytes_read), "bytes_written",
      static_cast<unsigned long long>(t.bytes_written), "copies", t.copies + (converted ? conversions.copies : 0), "bytes_copied",
      static_cast<unsigned long long>(t.bytes_copied + (converted ? conversions.bytes : 0)), "seconds", seconds.get(), "pending",
      info.pending ? Py_True : Py_False, "kernels_compiled", info.kernels_compiled, "compile_seconds", info.compile_seconds);
}

}  // namespace

#define ENGINE_FASTCALL(function) reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)), METH_FASTCALL | METH_KEYWORDS

PyMethodDef evaluate_methods[] = {
    {"evaluate", ENGINE_FASTCALL(evaluate),
     "evaluate(expression, names=None, *, out=None, order='K', casting='same_kind', exactness='strict', backend='auto', threads=None, "
     "limits=None, device=None, stream=None, wait=False, progress=False)\n"
     "--\n\n"
     "Evaluate an array expression in one fused pass.\n\n"
     "expression : str, e.g. ``\"4*a + 5*a*b\"``; grammar in the README.\n"
     "names      : mapping of name to array or scalar; the caller's variables when None.\n"
     "out        : array or writable buffer of the broadcast shape, given back as it is; may be an operand, any overlap\n"
     "             is handled. Bytes are uint8: memoryview(out).cast('d') makes them float64.\n"
     "order      : memory order of a fresh result: 'K' (as NumPy's nditer chooses), 'C', 'F' or 'A'.\n"
     "casting    : what may be written into out and targets: NumPy's casting rules.\n"
     "exactness  : 'strict' (NumPy's bits) or 'relaxed': float32 and float64 operations may be quicker ones, each within 4\n"
     "             ulp. Powers up to the fifth and quotients by numbers become products, x*y + z is rounded once, tan is\n"
     "             fast_tan. The same bits on every backend all the same.\n"
     "backend    : 'auto', 'interp', 'jit' or 'cuda'.\n"
     "threads    : at most so many threads; None leaves the choice to the engine.\n"
     "limits     : engine.Limits; None for its defaults.\n"
     "device     : 'cuda', 'cuda:1', 1 or an id ('GPU-...', 'MIG-...', as in doctor()): operands elsewhere are copied to that\n"
     "             device first, and the result is a DeviceArray there; 'cpu': device arrays are copied to the host. None: all are\n"
     "             where they are to be.\n"
     "stream     : of a device, an address (CUstream) or a stream of CuPy or torch: work comes after what that was given\n"
     "             before, and what it is given next after the work. None: in order with the default stream.\n"
     "wait       : True waits for a device's compiler at a first call; otherwise backend='auto' may leave that to another\n"
     "             thread and answer by the host meanwhile, with the same bits, where that is sooner: see precompile.\n"
     "progress   : True shows a bar (tqdm's, where that can be imported); or a callable that is told how much is done, from\n"
     "             0 to 1, every 20 ms or so and at the end. What it raises ends the evaluation.\n\n"
     "Returns an array of NumPy's result dtype and the broadcast shape of the operands, a NumPy scalar where all of them\n"
     "are 0-d; of a program that ends in an assignment, what was assigned.\n"
     "Raises ParseError, UnknownName, DTypeError, ShapeError, RangeError, LimitError (with a caret), BackendError.\n\n"
     ">>> import numpy as np, engine\n"
     ">>> engine.evaluate(\"2*a + 1\", {\"a\": np.arange(3)})\n"
     "array([1, 3, 5])\n"},
    {"blitz", ENGINE_FASTCALL(blitz),
     "blitz(expression, names=None, *, order='K', casting='same_kind', exactness='strict', backend='auto', threads=None, limits=None, "
     "device=None, stream=None, wait=False, progress=False)\n"
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
     "Takes what evaluate takes, but for out and device, and raises what it would. Nothing is computed and nothing written. Returns an\n"
     "Explanation: str() gives it in words, to_dict() as data.\n\n"
     ">>> import numpy as np, engine\n"
     ">>> print(str(engine.explain(\"2*a\", {\"a\": np.ones(3)})).splitlines()[1])\n"
     "1 fused pass over memory, 0 intermediate buffers\n"},
    {"_last_run", last_run_facts, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace engine::python

// bindings/src/evaluate.cpp - evaluate(), blitz(), compile(), explain(): raw vectorcall functions, for the time of a call
// with small arrays is mostly spent here. Programs are found by the identity of the text, then by the text.
#include <fmt/format.h>

#include <list>
#include <mutex>
#include <unordered_map>

#include "bindings.hpp"

namespace engine::python {
namespace {

constexpr std::size_t kIdentityEntries = 256;
constexpr std::size_t kTextEntries = 1024;
/// Below this many element-operations releasing the GIL costs more than it gives.
constexpr double kReleaseAbove = 20'000;

bool same_program(const Options& a, const Options& b) {
  return a.casting == b.casting && a.exactness == b.exactness && a.backend == b.backend && a.blitz == b.blitz && a.limits == b.limits;
}

/// Programs by text, the least recently used forgotten first.
class Cache {
 public:
  CachedProgramPtr find(PyObject* text, const Options& options) {
    const std::lock_guard lock(mutex_);
    Entry& entry = identities_[slot(text)];
    if (entry.text.get() == text && same_program(entry.options, options)) return entry.program;
    const auto it = programs_.find(key(text, options));
    if (it == programs_.end()) return nullptr;
    order_.splice(order_.begin(), order_, it->second);
    remember(text, options, it->second->second);
    return it->second->second;
  }

  void add(PyObject* text, const Options& options, const CachedProgramPtr& program) {
    // What is dropped is destroyed after the lock is: its names may run arbitrary code when they die.
    CachedProgramPtr dropped;
    const std::lock_guard lock(mutex_);
    std::string k = key(text, options);
    if (programs_.contains(k)) return;
    order_.emplace_front(k, program);
    programs_.emplace(std::move(k), order_.begin());
    if (order_.size() > kTextEntries) {
      dropped = std::move(order_.back().second);
      programs_.erase(order_.back().first);
      order_.pop_back();
    }
    remember(text, options, program);
  }

 private:
  struct Entry {
    Ref text;
    Options options;
    CachedProgramPtr program;
  };
  static std::size_t slot(PyObject* text) { return (reinterpret_cast<std::uintptr_t>(text) >> 4) * 0x9E3779B97F4A7C15ull >> 56; }
  static std::string key(PyObject* text, const Options& o) {
    Py_ssize_t size = 0;
    const char* utf8 = PyUnicode_AsUTF8AndSize(text, &size);
    if (!utf8) throw PythonError{};
    std::string k(utf8, static_cast<std::size_t>(size));
    k += '\0';
    k += fmt::format("{}{}{}{} {} {} {} {}", static_cast<int>(o.casting), static_cast<int>(o.exactness), static_cast<int>(o.backend),
                     static_cast<int>(o.blitz), o.limits.depth, o.limits.nodes, o.limits.names, o.limits.result_bytes);
    return k;
  }
  void remember(PyObject* text, const Options& options, const CachedProgramPtr& program) {
    Entry& entry = identities_[slot(text)];
    entry.text = Ref(Py_NewRef(text));
    entry.options = options;
    entry.program = program;
  }

  std::mutex mutex_;
  Entry identities_[kIdentityEntries];
  std::list<std::pair<std::string, CachedProgramPtr>> order_;
  std::unordered_map<std::string, std::list<std::pair<std::string, CachedProgramPtr>>::iterator> programs_;
};

/// Never destroyed: at interpreter exit its Python objects must not be touched any more.
Cache& cache() {
  static Cache* const the_cache = new Cache;
  return *the_cache;
}

[[noreturn]] void value_error(const char* format, PyObject* object) {
  PyErr_Format(PyExc_ValueError, format, object);
  throw PythonError{};
}

bool equals(PyObject* text, const char* word) { return PyUnicode_Check(text) && PyUnicode_CompareWithASCIIString(text, word) == 0; }

std::int64_t limit(PyObject* limits, const char* name, std::int64_t none) {
  const Ref value(PyObject_GetAttrString(limits, name));
  if (!value) throw PythonError{};
  if (value.get() == Py_None) return none;
  const long long number = PyLong_AsLongLong(value.get());
  if (number == -1 && PyErr_Occurred()) throw PythonError{};
  if (number < 0) {
    PyErr_Format(PyExc_ValueError, "limits.%s must not be negative", name);
    throw PythonError{};
  }
  return number;
}

void check_text(PyObject* text, const char* function) {
  if (PyUnicode_Check(text)) return;
  PyErr_Format(PyExc_TypeError, "%s(): the expression must be a str, not %s", function, Py_TYPE(text)->tp_name);
  throw PythonError{};
}

// ---- names ----------------------------------------------------------------------------------------------------------

/// The caller's variables: locals, then globals.
class Frame {
 public:
  Frame() {
    frame_ = PyEval_GetFrame();  // borrowed; a C function has no frame of its own, so this is the caller's
    if (!frame_) return;
    globals_ = Ref(PyFrame_GetGlobals(frame_));
#if PY_VERSION_HEX < 0x030c0000
    locals_ = Ref(PyFrame_GetLocals(frame_));
    if (!locals_) throw PythonError{};
    const Ref code(reinterpret_cast<PyObject*>(PyFrame_GetCode(frame_)));
    is_snapshot_ = (reinterpret_cast<PyCodeObject*>(code.get())->co_flags & CO_OPTIMIZED) != 0;
#endif
  }
  ~Frame() {
#if PY_VERSION_HEX < 0x030c0000
    // For a function, locals are a snapshot that the frame keeps, and with it every array in it. Where nobody else holds
    // the dictionary (the frame's reference and ours), what the look-up put there is taken out again.
    if (is_snapshot_ && locals_ && PyDict_CheckExact(locals_.get()) && Py_REFCNT(locals_.get()) == 2) {
      PyObject *type, *value, *traceback;
      PyErr_Fetch(&type, &value, &traceback);
      PyDict_Clear(locals_.get());
      PyErr_Restore(type, value, traceback);
    }
#endif
  }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  Ref find(PyObject* name) {
    if (!frame_) return {};
#if PY_VERSION_HEX >= 0x030c0000
    if (PyObject* value = PyFrame_GetVar(frame_, name)) return Ref(value);
    if (!PyErr_ExceptionMatches(PyExc_NameError)) throw PythonError{};
    PyErr_Clear();
    if (Ref locals = class_locals(); locals) {
      if (PyObject* value = PyObject_GetItem(locals.get(), name)) return Ref(value);
      PyErr_Clear();
    }
#else
    if (PyObject* value = PyObject_GetItem(locals_.get(), name)) return Ref(value);
    if (!PyErr_ExceptionMatches(PyExc_KeyError)) throw PythonError{};
    PyErr_Clear();
#endif
    PyObject* value = PyDict_GetItemWithError(globals_.get(), name);
    if (!value && PyErr_Occurred()) throw PythonError{};
    return Ref(Py_XNewRef(value));
  }

 private:
#if PY_VERSION_HEX >= 0x030c0000
  /// Of a class body or exec(): the namespace itself. Functions have none.
  Ref class_locals() {
    const Ref code(reinterpret_cast<PyObject*>(PyFrame_GetCode(frame_)));
    if (reinterpret_cast<PyCodeObject*>(code.get())->co_flags & CO_OPTIMIZED) return {};
    return Ref(PyFrame_GetLocals(frame_));
  }
#endif
  PyFrameObject* frame_ = nullptr;
  Ref globals_, locals_;
  bool is_snapshot_ = false;
};

/// Calls use(index, object) for each name that is there. Objects live until `keep` does.
template <class Use>
void look_up(const CachedProgram& cached, const Names& names, std::vector<Ref>& keep, Use use) {
  const std::size_t n = cached.names.size();
  if (names.values) {
    for (std::size_t i = 0; i < n; ++i)
      for (Py_ssize_t k = 0; k < names.n_keywords; ++k)
        if (PyTuple_GET_ITEM(names.keywords, k) == cached.names[i].get() ||
            PyUnicode_Compare(PyTuple_GET_ITEM(names.keywords, k), cached.names[i].get()) == 0)
          use(i, names.values[k]);
    return;
  }
  if (names.mapping && PyDict_CheckExact(names.mapping)) {
    for (std::size_t i = 0; i < n; ++i) {
      PyObject* object = PyDict_GetItemWithError(names.mapping, cached.names[i].get());
      if (object) {
        use(i, object);
      } else if (PyErr_Occurred()) {
        throw PythonError{};
      }
    }
    return;
  }
  if (names.mapping) {
    for (std::size_t i = 0; i < n; ++i) {
      Ref object(PyObject_GetItem(names.mapping, cached.names[i].get()));
      if (!object) {
        if (!PyErr_ExceptionMatches(PyExc_KeyError)) throw PythonError{};
        PyErr_Clear();
        continue;
      }
      PyObject* borrowed = object.get();
      keep.push_back(std::move(object));
      use(i, borrowed);
    }
    return;
  }
  Frame frame;
  for (std::size_t i = 0; i < n; ++i) {
    Ref object = frame.find(cached.names[i].get());
    if (!object) continue;
    PyObject* borrowed = object.get();
    keep.push_back(std::move(object));
    use(i, borrowed);
  }
}

/// Python makes a name of an enclosing function visible only to code that mentions it, and a text mentions nothing.
[[noreturn]] void explain_unknown(const Error& error, const Names& names) {
  Diagnostic d = error.diagnostic();
  if (!names.mapping && !names.values && d.help.empty() && !d.labels.empty()) {
    const Span span = d.labels[0].span;
    const std::string name = d.text.substr(span.begin, span.end - span.begin);
    d.help = fmt::format("a name used only in the text is no closure variable for Python, so '{0}' of an enclosing function is not seen: "
                         "pass a mapping, names={{\"{0}\": {0}}}", name);
  }
  throw UnknownName(std::move(d));
}

// ---- calls ----------------------------------------------------------------------------------------------------------

/// Text, names and options of evaluate(text, names=None, **options).
struct Call {
  PyObject* text = nullptr;
  Names names;
  CallOptions options;
};

Call read_call(const char* function, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames, bool with_out, bool blitz) {
  Call call;
  call.options.options.blitz = blitz;
  if (nargs > 2) {
    PyErr_Format(PyExc_TypeError, "%s() takes at most 2 positional arguments, the expression and the names (%zd given)", function, nargs);
    throw PythonError{};
  }
  if (nargs > 0) call.text = args[0];
  if (nargs > 1 && args[1] != Py_None) call.names.mapping = args[1];
  const Py_ssize_t n = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* keyword = PyTuple_GET_ITEM(kwnames, i);
    PyObject* value = args[nargs + i];
    if (equals(keyword, "expression") && !call.text) {
      call.text = value;
    } else if (equals(keyword, "names") && nargs < 2) {
      if (value != Py_None) call.names.mapping = value;
    } else if (!read_option(call.options, keyword, value, with_out)) {
      PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", function, keyword);
      throw PythonError{};
    }
  }
  if (!call.text) {
    PyErr_Format(PyExc_TypeError, "%s() lacks its expression", function);
    throw PythonError{};
  }
  if (call.names.mapping && !PyMapping_Check(call.names.mapping)) {
    PyErr_Format(PyExc_TypeError, "%s(): names must be a mapping, not %s", function, Py_TYPE(call.names.mapping)->tp_name);
    throw PythonError{};
  }
  check_text(call.text, function);
  return call;
}

PyObject* evaluate(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  try {
    const Call call = read_call("evaluate", args, nargs, kwnames, true, false);
    const CachedProgramPtr program = compile_program(call.text, call.options.options);
    return run(*program, call.names, call.options.out, call.options.options.order);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* blitz(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  try {
    const Call call = read_call("blitz", args, nargs, kwnames, false, true);
    const CachedProgramPtr program = compile_program(call.text, call.options.options);
    return run(*program, call.names, nullptr, call.options.options.order);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* compile(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  try {
    const Call call = read_call("compile", args, nargs, kwnames, false, false);
    return make_program(compile_program(call.text, call.options.options));
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* explain(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  try {
    const Call call = read_call("explain", args, nargs, kwnames, false, false);
    const CachedProgramPtr cached = compile_program(call.text, call.options.options);
    std::vector<Operand> operands;
    std::vector<Ref> keep;
    read_operands(*cached, call.names, operands, keep);
    try {
      const std::string text = cached->program->explain(operands.data());
      return PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
    } catch (const UnknownName& error) {
      explain_unknown(error, call.names);
    }
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

}  // namespace

bool read_option(CallOptions& call, PyObject* keyword, PyObject* value, bool with_out) {
  Options& o = call.options;
  if (with_out && equals(keyword, "out")) {
    call.out = value == Py_None ? nullptr : value;
    return true;
  }
  if (equals(keyword, "order")) {
    o.order = equals(value, "K")   ? Order::K
              : equals(value, "C") ? Order::C
              : equals(value, "F") ? Order::F
              : equals(value, "A") ? Order::A
                                   : (value_error("order must be one of 'K', 'C', 'F', 'A', not %R", value), Order::K);
    return true;
  }
  if (equals(keyword, "casting")) {
    o.casting = equals(value, "no")          ? Casting::No
                : equals(value, "equiv")     ? Casting::Equiv
                : equals(value, "safe")      ? Casting::Safe
                : equals(value, "same_kind") ? Casting::SameKind
                : equals(value, "unsafe")    ? Casting::Unsafe
                                             : (value_error("casting must be 'no', 'equiv', 'safe', 'same_kind' or 'unsafe', not %R", value), Casting::No);
    return true;
  }
  if (equals(keyword, "exactness")) {
    o.exactness = equals(value, "strict")    ? Exactness::Strict
                  : equals(value, "relaxed") ? Exactness::Relaxed
                                             : (value_error("exactness must be 'strict' or 'relaxed', not %R", value), Exactness::Strict);
    return true;
  }
  if (equals(keyword, "backend")) {
    o.backend = equals(value, "auto")     ? BackendChoice::Auto
                : equals(value, "interp") ? BackendChoice::Interp
                : equals(value, "jit")    ? BackendChoice::Jit
                : equals(value, "cuda")   ? BackendChoice::Cuda
                                          : (value_error("backend must be 'auto', 'interp', 'jit' or 'cuda', not %R", value), BackendChoice::Auto);
    return true;
  }
  if (equals(keyword, "threads")) {
    if (value == Py_None) return true;
    const long threads = PyLong_AsLong(value);
    if (threads == -1 && PyErr_Occurred()) throw PythonError{};
    if (threads < 1 || threads > 1'000'000) value_error("threads must be a positive integer, not %R", value);
    o.threads = static_cast<int>(threads);
    return true;
  }
  if (equals(keyword, "limits")) {
    if (value == Py_None) return true;
    const auto narrow = [](std::int64_t v) { return static_cast<std::uint32_t>(std::min<std::int64_t>(v, 0xffffffff)); };
    // The parser's recursion is bounded by this: beyond it a thread's stack could end first.
    o.limits.depth = std::min(narrow(limit(value, "depth", 256)), 2000u);
    o.limits.nodes = narrow(limit(value, "nodes", 100'000));
    o.limits.names = narrow(limit(value, "names", 4096));
    o.limits.result_bytes = limit(value, "result_bytes", -1);
    return true;
  }
  return false;
}

CachedProgramPtr compile_program(PyObject* text, const Options& options) {
  if (CachedProgramPtr found = cache().find(text, options)) return found;
  Py_ssize_t size = 0;
  const char* utf8 = PyUnicode_AsUTF8AndSize(text, &size);
  if (!utf8) throw PythonError{};
  auto cached = std::make_shared<CachedProgram>();
  Options kept = options;
  kept.order = Order::K;
  kept.threads = 0;
  cached->program = Program::compile(std::string(utf8, static_cast<std::size_t>(size)), kept);
  for (std::size_t i = 0; i < cached->program->n_names(); ++i) {
    const std::string_view name = cached->program->name(i);
    PyObject* unicode = PyUnicode_DecodeUTF8(name.data(), static_cast<Py_ssize_t>(name.size()), "strict");
    if (!unicode) throw PythonError{};
    PyUnicode_InternInPlace(&unicode);
    cached->names.emplace_back(unicode);
  }
  cache().add(text, options, cached);
  return cached;
}

void read_operands(const CachedProgram& cached, const Names& names, std::vector<Operand>& operands, std::vector<Ref>& keep) {
  operands.resize(cached.names.size());
  look_up(cached, names, keep, [&](std::size_t i, PyObject* object) { read_operand(object, *cached.program, i, operands[i], keep); });
}

PyObject* run(const CachedProgram& cached, const Names& names, PyObject* out, Order order) {
  // Four operands without the heap: most expressions have no more.
  constexpr std::size_t kFew = 4;
  const std::size_t n = cached.names.size();
  Operand few[kFew];
  PyObject* few_objects[kFew] = {};
  std::vector<Operand> many(n > kFew ? n : 0);
  std::vector<PyObject*> many_objects(n > kFew ? n : 0);
  Operand* operands = n > kFew ? many.data() : few;
  PyObject** objects = n > kFew ? many_objects.data() : few_objects;
  std::vector<Ref> keep;
  look_up(cached, names, keep, [&](std::size_t i, PyObject* object) {
    objects[i] = object;
    read_operand(object, *cached.program, i, operands[i], keep);
  });
  // Other threads may drop the arrays from their mapping while kernels run without the GIL.
  Ref out_array;
  ArrayView out_view;
  if (out) out_view = read_out(out, cached.program->text(), out_array);
  PyObject* fresh = nullptr;
  struct Drop {
    PyObject*& object;
    ~Drop() { Py_XDECREF(object); }
  } drop{fresh};
  try {
    Execution execution(*cached.program, operands, out ? &out_view : nullptr, order, {&allocate_result, &fresh});
    if (execution.work() > kReleaseAbove) {
      for (std::size_t i = 0; i < n; ++i)
        if (objects[i]) keep.emplace_back(Py_NewRef(objects[i]));
      const py::gil_scoped_release release;
      execution.run();
    } else {
      execution.run();
    }
    if (execution.target_name() >= 0) {
      const auto target = static_cast<std::size_t>(execution.target_name());
      PyObject* region = as_region(objects[target], execution.result());
      if (!region) throw PythonError{};
      return region;
    }
  } catch (const UnknownName& error) {
    explain_unknown(error, names);
  }
  if (out) return Py_NewRef(out);
  PyObject* array = fresh;
  fresh = nullptr;
  return as_result(array);
}

#define ENGINE_FASTCALL(function) reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)), METH_FASTCALL | METH_KEYWORDS

PyMethodDef evaluate_methods[] = {
    {"evaluate", ENGINE_FASTCALL(evaluate),
     "evaluate(expression, names=None, *, out=None, order='K', casting='same_kind', exactness='strict', backend='auto', threads=None, limits=None)\n"
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
     "limits     : engine.Limits.\n\n"
     "Returns an array of NumPy's result dtype and the broadcast shape of the operands, a NumPy scalar where all of them\n"
     "are 0-d; of a program that ends in an assignment, what was assigned.\n"
     "Raises ParseError, UnknownName, DTypeError, ShapeError, RangeError, LimitError (with a caret), BackendError.\n\n"
     ">>> import numpy as np, engine\n"
     ">>> engine.evaluate(\"2*a + 1\", {\"a\": np.arange(3)})\n"
     "array([1, 3, 5])\n"},
    {"blitz", ENGINE_FASTCALL(blitz),
     "blitz(expression, names=None, *, casting='same_kind', exactness='strict', backend='auto', threads=None, limits=None)\n"
     "--\n\n"
     "weave's form of evaluate: ``name = …`` writes into the operand of that name, which must have the result's shape.\n\n"
     ">>> import numpy as np, engine\n"
     ">>> a, b = np.arange(3.0), np.zeros(3)\n"
     ">>> _ = engine.blitz(\"b = 2*a\", {\"a\": a, \"b\": b})\n"
     ">>> b\n"
     "array([0., 2., 4.])\n"},
    {"compile", ENGINE_FASTCALL(compile),
     "compile(expression, *, casting='same_kind', exactness='strict', backend='auto', limits=None)\n"
     "--\n\n"
     "Parse an expression once. Returns a Program, to be called with arrays as often as wanted.\n\n"
     ">>> import numpy as np, engine\n"
     ">>> hypot = engine.compile(\"sqrt(x*x + y*y)\")\n"
     ">>> hypot(x=np.array([3.0, 5.0]), y=np.array([4.0, 12.0]))\n"
     "array([ 5., 13.])\n"},
    {"_explain", ENGINE_FASTCALL(explain), "The text of engine.explain()."},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace engine::python

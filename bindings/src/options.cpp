// bindings/src/options.cpp - keyword arguments -> Options.
#include <algorithm>
#include <limits>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "device.hpp"

namespace engine::python {
namespace {

/// The enumerator a word stands for; ValueError with `message` where it stands for none.
template <class T, std::size_t kWords>
T read_word(PyObject* value, const std::pair<const char*, T> (&words)[kWords], const char* message) {
  for (const auto& [word, meaning] : words)
    if (equals(value, word)) return meaning;
  PyErr_Format(PyExc_ValueError, message, value);
  throw PythonError{};
}

constexpr std::pair<const char*, Order> kOrders[] = {{"K", Order::K}, {"C", Order::C}, {"F", Order::F}, {"A", Order::A}};
constexpr std::pair<const char*, Casting> kCastings[] = {
    {"same_kind", Casting::SameKind}, {"no", Casting::No}, {"equiv", Casting::Equiv}, {"safe", Casting::Safe}, {"unsafe", Casting::Unsafe}};
constexpr std::pair<const char*, Exactness> kExactnesses[] = {{"strict", Exactness::Strict}, {"relaxed", Exactness::Relaxed}};
constexpr std::pair<const char*, BackendChoice> kBackends[] = {
    {"auto", BackendChoice::Auto}, {"interp", BackendChoice::Interp}, {"jit", BackendChoice::Jit}, {"cuda", BackendChoice::Cuda}};

int read_threads(PyObject* value) {
  if (value == Py_None) return 0;
  if (!PyLong_Check(value) || PyBool_Check(value)) {
    PyErr_Format(PyExc_TypeError, "threads must be a positive integer or None, not %s", Py_TYPE(value)->tp_name);
    throw PythonError{};
  }
  int overflow = 0;
  const long threads = PyLong_AsLongAndOverflow(value, &overflow);
  if (overflow < 0 || (overflow == 0 && threads < 1)) {
    PyErr_Format(PyExc_ValueError, "threads must be a positive integer or None, not %R", value);
    throw PythonError{};
  }
  return overflow > 0 ? std::numeric_limits<int>::max() : static_cast<int>(std::min<long>(threads, std::numeric_limits<int>::max()));
}

/// One budget of a Limits object; `none` stands for None, and a number beyond `most` for `most`.
std::int64_t read_limit(PyObject* limits, const char* name, std::int64_t most) {
  const Ref value(PyObject_GetAttrString(limits, name));
  if (!value && !PyErr_ExceptionMatches(PyExc_AttributeError)) throw PythonError{};
  if (!value || (value.get() != Py_None && !PyLong_Check(value.get()))) {
    PyErr_Clear();
    PyErr_Format(PyExc_TypeError, "limits must be an engine.Limits, not %R", limits);
    throw PythonError{};
  }
  if (value.get() == Py_None) return most;
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(value.get(), &overflow);
  if (overflow < 0 || (overflow == 0 && number < 0)) {
    PyErr_Format(PyExc_ValueError, "limits.%s must not be negative", name);
    throw PythonError{};
  }
  return overflow > 0 ? most : std::min<std::int64_t>(number, most);
}

template <class T, std::size_t kWords>
const char* word_of(T meaning, const std::pair<const char*, T> (&words)[kWords]) {
  for (const auto& [word, other] : words)
    if (other == meaning) return word;
  return "";
}

Limits read_limits(PyObject* value) {
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  // The parser's recursion is bounded by the depth: beyond this a thread's stack could end first.
  constexpr std::int64_t kDeepest = 2'000;
  Limits limits;
  if (value == Py_None) return limits;
  limits.depth = static_cast<std::uint32_t>(read_limit(value, "depth", kDeepest));
  limits.nodes = static_cast<std::uint32_t>(read_limit(value, "nodes", kMost));
  limits.names = static_cast<std::uint32_t>(read_limit(value, "names", kMost));
  limits.result_bytes = read_limit(value, "result_bytes", std::numeric_limits<std::int64_t>::max());
  if (limits.result_bytes == std::numeric_limits<std::int64_t>::max()) limits.result_bytes = -1;
  const Ref time(PyObject_GetAttrString(value, "time"));
  if (!time) throw PythonError{};
  if (time.get() != Py_None) {
    limits.seconds = PyFloat_AsDouble(time.get());
    if (limits.seconds == -1 && PyErr_Occurred()) throw PythonError{};
    if (!(limits.seconds > 0)) {
      PyErr_SetString(PyExc_ValueError, "limits.time must be positive, or None");
      throw PythonError{};
    }
  }
  return limits;
}

}  // namespace

bool equals(PyObject* text, const char* word) { return PyUnicode_Check(text) && PyUnicode_CompareWithASCIIString(text, word) == 0; }

bool read_option(CallOptions& call, PyObject* keyword, PyObject* value, unsigned accepts) {
  Options& o = call.options;
  if ((accepts & kAcceptsOut) && equals(keyword, "out")) {
    call.out = value == Py_None ? nullptr : value;
  } else if ((accepts & kAcceptsDevice) && equals(keyword, "device")) {
    call.device = value == Py_None ? std::optional<int>() : read_device(value, true);
  } else if ((accepts & kAcceptsDevice) && equals(keyword, "stream")) {
    call.stream = value == Py_None ? nullptr : value;
  } else if ((accepts & kAcceptsDevice) && equals(keyword, "wait")) {
    if (!PyBool_Check(value)) {
      PyErr_Format(PyExc_TypeError, "wait must be True or False, not %R", value);
      throw PythonError{};
    }
    call.wait = value == Py_True;
  } else if ((accepts & kAcceptsDevice) && equals(keyword, "progress")) {
    if (!PyBool_Check(value) && value != Py_None && !PyCallable_Check(value)) {
      PyErr_Format(PyExc_TypeError, "progress must be True, False or a callable, not %R", value);
      throw PythonError{};
    }
    call.progress = value == Py_False || value == Py_None ? nullptr : value;
  } else if ((accepts & kAcceptsOrder) && equals(keyword, "order")) {
    o.order = read_word(value, kOrders, "order must be 'K', 'C', 'F' or 'A', not %R");
  } else if (!(accepts & kAcceptsRest)) {
    return false;
  } else if (equals(keyword, "casting")) {
    o.casting = read_word(value, kCastings, "casting must be 'no', 'equiv', 'safe', 'same_kind' or 'unsafe', not %R");
  } else if (equals(keyword, "exactness")) {
    o.exactness = read_word(value, kExactnesses, "exactness must be 'strict' or 'relaxed', not %R");
  } else if (equals(keyword, "backend")) {
    o.backend = read_word(value, kBackends, "backend must be 'auto', 'interp', 'jit' or 'cuda', not %R");
    if (o.backend == BackendChoice::Cuda) find_wheels();
  } else if (equals(keyword, "threads")) {
    o.threads = read_threads(value);
  } else if (equals(keyword, "limits")) {
    o.limits = read_limits(value);
  } else {
    return false;
  }
  return true;
}

void find_wheels() {
  static std::atomic<bool> found{false};
  if (found.exchange(true)) return;
  const Ref module(PyImport_ImportModule("engine.wheels"));
  const Ref folders(module ? PyObject_CallMethod(module.get(), "folders", nullptr) : nullptr);
  if (!folders) throw PythonError{};
  std::vector<std::string> list;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(folders.get()); ++i)
    if (const char* folder = PyUnicode_AsUTF8(PyList_GET_ITEM(folders.get(), i))) list.emplace_back(folder);
  PyErr_Clear();  // of a folder whose name is no text
  add_library_folders(list);
}

PyObject* options_dict(const Options& options, int threads) {
  const Limits& l = options.limits;
  const Ref result_bytes(l.result_bytes < 0 ? Py_NewRef(Py_None) : PyLong_FromLongLong(l.result_bytes));
  const Ref time(l.seconds > 0 ? PyFloat_FromDouble(l.seconds) : Py_NewRef(Py_None));
  const Ref n_threads(threads > 0 ? PyLong_FromLong(threads) : Py_NewRef(Py_None));
  if (!result_bytes || !time || !n_threads) return nullptr;
  const Ref limits(make_instance("engine", "Limits",
                                 Py_BuildValue("{s:I,s:I,s:I,s:O,s:O}", "depth", l.depth, "nodes", l.nodes, "names", l.names,
                                               "result_bytes", result_bytes.get(), "time", time.get())));
  if (!limits) return nullptr;
  return Py_BuildValue("{s:s,s:s,s:s,s:O,s:O}", "casting", word_of(options.casting, kCastings), "exactness",
                       word_of(options.exactness, kExactnesses), "backend", word_of(options.backend, kBackends), "threads", n_threads.get(),
                       "limits", limits.get());
}

// ---- engine.config --------------------------------------------------------------------------------------------------

std::atomic<bool> config_used{false};

namespace {

std::mutex config_mutex;
PyObject* process_options = nullptr;  ///< a dict that is never changed, only replaced; null: empty
PyObject* options_var = nullptr;      ///< of (dict, what was in force before) or None; never given back

void apply(CallOptions& call, PyObject* options, unsigned accepts) {
  PyObject *key, *value;
  Py_ssize_t at = 0;
  while (PyDict_Next(options, &at, &key, &value)) read_option(call, key, value, accepts);
}

PyObject* check_options(PyObject*, PyObject* options) {
  try {
    CallOptions ignored;
    if (!PyDict_Check(options)) return PyErr_Format(PyExc_TypeError, "options must be a dict, not %s", Py_TYPE(options)->tp_name);
    apply(ignored, options, kAcceptsOrder | kAcceptsRest | kAcceptsDevice);
    Py_RETURN_NONE;
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* set_options(PyObject*, PyObject* options) {
  if (!PyDict_Check(options)) return PyErr_Format(PyExc_TypeError, "options must be a dict, not %s", Py_TYPE(options)->tp_name);
  PyObject* old = Py_NewRef(options);
  {
    const std::lock_guard lock(config_mutex);
    std::swap(old, process_options);
  }
  Py_XDECREF(old);
  config_used = true;
  Py_RETURN_NONE;
}

PyObject* use_config(PyObject*, PyObject*) {
  config_used = true;
  Py_RETURN_NONE;
}

}  // namespace

void apply_config(CallOptions& call, unsigned accepts) {
  Ref here;
  {
    const std::lock_guard lock(config_mutex);
    here = Ref(Py_XNewRef(process_options));
  }
  if (here) apply(call, here.get(), accepts);
  PyObject* value = nullptr;
  if (PyContextVar_Get(options_var, Py_None, &value) < 0) throw PythonError{};
  const Ref in_context(value);
  if (PyTuple_Check(value)) apply(call, PyTuple_GET_ITEM(value, 0), accepts);
}

PyObject* make_options_var() {
  options_var = PyContextVar_New("engine.config", nullptr);
  return Py_XNewRef(options_var);
}

PyMethodDef options_methods[] = {{"_check_options", check_options, METH_O, nullptr},
                                 {"_set_options", set_options, METH_O, nullptr},
                                 {"_use_config", use_config, METH_NOARGS, nullptr},
                                 {nullptr, nullptr, 0, nullptr}};

}  // namespace engine::python

// bindings/src/options.cpp - keyword arguments -> Options.
#include <algorithm>
#include <limits>
#include <utility>

#include "bindings.hpp"

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
  return limits;
}

}  // namespace

bool equals(PyObject* text, const char* word) { return PyUnicode_Check(text) && PyUnicode_CompareWithASCIIString(text, word) == 0; }

bool read_option(CallOptions& call, PyObject* keyword, PyObject* value, unsigned accepts) {
  Options& o = call.options;
  if ((accepts & kAcceptsOut) && equals(keyword, "out")) {
    call.out = value == Py_None ? nullptr : value;
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
  } else if (equals(keyword, "threads")) {
    o.threads = read_threads(value);
  } else if (equals(keyword, "limits")) {
    o.limits = read_limits(value);
  } else {
    return false;
  }
  return true;
}

}  // namespace engine::python

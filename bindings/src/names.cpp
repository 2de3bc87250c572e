// bindings/src/names.cpp - names -> objects: in a mapping, among keyword arguments, or in the caller's variables.
#include <fmt/format.h>

#include "device.hpp"

namespace engine::python {
namespace {

/// The value of a key of an exact dict; empty if it is absent.
Ref dict_item(PyObject* dict, PyObject* key) {
#if PY_VERSION_HEX >= 0x030d0000
  PyObject* value = nullptr;
  if (PyDict_GetItemRef(dict, key, &value) < 0) throw PythonError{};
  return Ref(value);
#else
  PyObject* value = PyDict_GetItemWithError(dict, key);
  if (!value && PyErr_Occurred()) throw PythonError{};
  return Ref(Py_XNewRef(value));
#endif
}

/// The value of a key of any mapping; empty if it is absent.
Ref mapping_item(PyObject* mapping, PyObject* key) {
  if (PyDict_CheckExact(mapping)) return dict_item(mapping, key);
  if (PyObject* value = PyObject_GetItem(mapping, key)) return Ref(value);
  if (!PyErr_ExceptionMatches(PyExc_KeyError)) throw PythonError{};
  PyErr_Clear();
  return {};
}

/// Where a name stands in a tuple of names, or -1. Both are interned as a rule, so identity settles most.
Py_ssize_t position(PyObject* names, PyObject* name) {
  const Py_ssize_t n = PyTuple_GET_SIZE(names);
  for (Py_ssize_t i = 0; i < n; ++i)
    if (PyTuple_GET_ITEM(names, i) == name) return i;
  for (Py_ssize_t i = 0; i < n; ++i)
    if (PyUnicode_Compare(PyTuple_GET_ITEM(names, i), name) == 0) return i;
  return -1;
}

Ref code_of(PyFrameObject* frame) { return Ref(reinterpret_cast<PyObject*>(PyFrame_GetCode(frame))); }
PyCodeObject* code_in(const Ref& code) { return reinterpret_cast<PyCodeObject*>(code.get()); }

/// The caller's variables: locals, then globals. A C function has no frame of its own, so the current one is the caller's.
class Frame {
 public:
  Frame() : frame_(PyEval_GetFrame()) {
    if (!frame_) {
      if (!PyEval_GetGlobals()) return;  // called by an embedding program: there are no variables
      PyErr_NoMemory();                  // for the frame object, which Python does not say
      throw PythonError{};
    }
    globals_ = Ref(PyFrame_GetGlobals(frame_));
    code_ = code_of(frame_);
    // Of a module, a class body or exec(), locals are the namespace itself; those of a function have no dictionary.
    is_function_ = (code_in(code_)->co_flags & CO_OPTIMIZED) != 0;
#if PY_VERSION_HEX >= 0x030c0000
    if (is_function_) return;
#endif
    locals_ = Ref(PyFrame_GetLocals(frame_));
    if (!locals_) throw PythonError{};
  }
  ~Frame() {
#if PY_VERSION_HEX < 0x030c0000
    if (is_function_ && locals_) take_out();
#endif
  }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  Ref find(PyObject* name) const {
    if (!frame_) return {};
#if PY_VERSION_HEX >= 0x030c0000
    // Also of modules and classes: a comprehension there keeps its variables in the frame (PEP 709).
    if (has_fast_local(name)) {
      if (PyObject* value = PyFrame_GetVar(frame_, name)) return Ref(value);
      if (!PyErr_ExceptionMatches(PyExc_NameError)) throw PythonError{};
      PyErr_Clear();
    }
#endif
    if (locals_)
      if (Ref value = mapping_item(locals_.get(), name)) return value;
    return dict_item(globals_.get(), name);
  }

 private:
#if PY_VERSION_HEX >= 0x030c0000
  bool has_fast_local(PyObject* name) const {
    PyObject* names = code_in(code_)->co_localsplusnames;
    const Py_ssize_t n = PyTuple_GET_SIZE(names);
    for (Py_ssize_t i = 0; i < n; ++i)
      if (PyTuple_GET_ITEM(names, i) == name) return true;  // both are interned
    return false;
  }
#else
  /// The locals of a function are a snapshot that its frame keeps, and with it every array in it. What asking for it put
  /// there - the function's variables - is taken out again, unless somebody else holds the dictionary: then it is theirs.
  void take_out() {
    constexpr Py_ssize_t kFrameAndOurs = 2;
    if (!PyDict_CheckExact(locals_.get()) || Py_REFCNT(locals_.get()) > kFrameAndOurs) return;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject* names = code_in(code_)->co_localsplusnames;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); ++i)
      if (PyDict_DelItem(locals_.get(), PyTuple_GET_ITEM(names, i)) < 0) PyErr_Clear();
    PyErr_Restore(type, value, traceback);
  }
#endif

  PyFrameObject* frame_ = nullptr;
  Ref globals_, locals_, code_;
  bool is_function_ = false;
};

}  // namespace

void set_mapping(Names& names, PyObject* mapping, const char* function) {
  if (mapping == Py_None) return;
  // What dict() takes for a mapping.
  if (!PyDict_Check(mapping) && !PyObject_HasAttrString(mapping, "keys")) {
    PyErr_Format(PyExc_TypeError, "%s(): names must be a mapping of names to arrays, not %s", function, Py_TYPE(mapping)->tp_name);
    throw PythonError{};
  }
  names.mapping = mapping;
}

Operands::Operands(const CachedProgram& cached, const Names& names) {
  const std::size_t n = cached.names.size();
  if (n > kFew) {
    many_.resize(n);
    many_objects_.resize(n);
    operands_ = many_.data();
    objects_ = many_objects_.data();
  }
  if (names.mapping) {
    for (std::size_t i = 0; i < n; ++i) take(cached, i, mapping_item(names.mapping, cached.names[i].get()));
  } else if (names.keywords) {
    for (std::size_t i = 0; i < n; ++i)
      if (const Py_ssize_t k = position(names.keywords, cached.names[i].get()); k >= 0) take(cached, i, Ref(Py_NewRef(names.values[k])));
  } else if (n > 0) {
    const Frame frame;
    for (std::size_t i = 0; i < n; ++i) take(cached, i, frame.find(cached.names[i].get()));
  }
}

void Operands::take(const CachedProgram& cached, std::size_t index, Ref object) {
  if (!object) return;
  objects_[index] = std::move(object);
  if (const std::size_t copied = read_operand(objects_[index], *cached.program, index, operands_[index])) {
    ++copies_;
    bytes_copied_ += copied;
  }
}

void Operands::bring_to(int device, const Program& program) {
  const std::size_t n = many_.empty() ? kFew : many_.size();
  for (std::size_t i = 0; i < n; ++i) {
    Operand& operand = operands_[i];
    if (!operand.present || operand.weak != Weak::No || operand.array.device == device) continue;
    if (device != kHost && operand.array.device == kHost && operand.array.shape.empty() && !program.writes(i)) continue;  // a number
    if (program.writes(i)) {
      const auto place = [](int ordinal) { return ordinal == kHost ? std::string("the host") : fmt::format("cuda:{}", ordinal); };
      throw BackendError({.what = fmt::format("'{}' is written, and is on {}: a copy on {} would be written instead", program.name(i),
                                              place(operand.array.device), place(device)),
                          .labels = {{program.first_span(i), "on " + place(operand.array.device)}},
                          .help = "bring it there before: engine.to_device(a), or a.numpy()",
                          .text = program.text()});
    }
    objects_[i] = copied_to(device, objects_[i].get());
    operand = {};
    read_operand(objects_[i], program, i, operand);
    ++copies_;
    bytes_copied_ += static_cast<std::size_t>(n_items(operand.array.shape)) * item_size(operand.array.dtype);
  }
}

void explain_unknown(const Error& error, const Names& names) {
  Diagnostic d = error.diagnostic();
  PyFrameObject* frame = PyEval_GetFrame();
  const bool in_frame = !names.mapping && !names.keywords && frame;
  if (in_frame && !d.labels.empty() && (code_in(code_of(frame))->co_flags & CO_NESTED)) {
    const Span span = d.labels[0].span;
    const std::string name = d.text.substr(span.begin, span.end - span.begin);
    if (!d.help.empty()) d.help += "; ";
    d.help += fmt::format(
        "a name used only in the text is no closure variable for Python, so '{0}' of an enclosing function is not seen: "
        "pass a mapping, names={{\"{0}\": {0}}}",
        name);
  }
  throw UnknownName(std::move(d));
}

}  // namespace engine::python

// bindings/src/errors.cpp - engine::Error -> the classes of engine/errors.py (contract §7).
#include <array>
#include <new>

#include "bindings.hpp"

namespace engine::python {
namespace {

std::array<PyObject*, 10> classes{};  // by ErrorKind; never given back

Ref decoded(std::string_view utf8) { return Ref(PyUnicode_DecodeUTF8(utf8.data(), static_cast<Py_ssize_t>(utf8.size()), "replace")); }

/// Bytes of UTF-8 -> characters: Python counts these.
std::uint32_t in_characters(std::string_view text, std::uint32_t offset) {
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < text.size() && i < offset; ++i) count += (text[i] & 0xC0) != 0x80;
  return count;
}

Ref spans_of(const Diagnostic& d) {
  Ref spans(PyTuple_New(static_cast<Py_ssize_t>(d.labels.size())));
  if (!spans) return {};
  for (std::size_t i = 0; i < d.labels.size(); ++i) {
    const Span span = d.labels[i].span;
    PyObject* pair = Py_BuildValue("(II)", in_characters(d.text, span.begin), in_characters(d.text, span.end));
    if (!pair) return {};
    PyTuple_SET_ITEM(spans.get(), static_cast<Py_ssize_t>(i), pair);
  }
  return spans;
}

/// Sets the error indicator; an error that Python had set before becomes the cause.
void raise(const Error& error) {
  PyObject *cause_type, *cause, *traceback;
  PyErr_Fetch(&cause_type, &cause, &traceback);
  if (cause_type) {
    PyErr_NormalizeException(&cause_type, &cause, &traceback);
    if (traceback) PyException_SetTraceback(cause, traceback);
  }
  const Ref owned_type(cause_type), owned_traceback(traceback);
  Ref owned_cause(cause);

  PyObject* type = classes[static_cast<std::size_t>(error.kind())];
  const Diagnostic& d = error.diagnostic();
  const Ref rendered = decoded(error.what()), what = decoded(d.what), help = decoded(d.help), text = decoded(d.text), spans = spans_of(d);
  if (!rendered || !what || !help || !text || !spans) return;
  const Ref exception(PyObject_CallFunctionObjArgs(type, rendered.get(), what.get(), spans.get(), help.get(), text.get(), nullptr));
  if (!exception) return;
  if (owned_cause) PyException_SetCause(exception.get(), owned_cause.release());
  PyErr_SetObject(type, exception.get());
}

}  // namespace

void init_errors() {
  const py::module_ module = py::module_::import("engine.errors");
  for (int kind = 1; kind <= 9; ++kind)
    classes[static_cast<std::size_t>(kind)] =
        py::object(module.attr(std::string(name(static_cast<ErrorKind>(kind))).c_str())).release().ptr();
}

namespace {

/// As set_python_error; throws std::bad_alloc where there is no memory for the message.
void set_from_current() {
  constexpr const char* kReport = "this is a defect of engine: please report it";
  try {
    throw;
  } catch (const PythonError&) {
  } catch (const Interrupted&) {  // what a signal handler raised is set already
  } catch (const Error& error) {
    raise(error);
  } catch (const std::bad_alloc&) {
    raise(OutOfMemory({.what = "out of memory", .labels = {}, .help = {}, .text = {}}));
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const std::exception& error) {
    raise(InternalError({.what = error.what(), .labels = {}, .help = kReport, .text = {}}));
  } catch (...) {
    raise(InternalError({.what = "an unknown exception", .labels = {}, .help = kReport, .text = {}}));
  }
}

}  // namespace

void set_python_error() noexcept {
  try {
    set_from_current();
  } catch (...) {
    PyErr_NoMemory();
  }
}

}  // namespace engine::python

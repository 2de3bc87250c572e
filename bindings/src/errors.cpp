// bindings/src/errors.cpp - engine::Error -> the classes of engine/errors.py (contract §7).
#include <array>
#include <new>

#include "bindings.hpp"

namespace engine::python {
namespace {

std::array<PyObject*, 10> classes{};  // by ErrorKind

void raise(const Error& error) {
  PyObject* type = classes[static_cast<std::size_t>(error.kind())];
  const Diagnostic& d = error.diagnostic();
  Ref spans(PyTuple_New(static_cast<Py_ssize_t>(d.labels.size())));
  if (!spans) return;
  for (std::size_t i = 0; i < d.labels.size(); ++i) {
    PyObject* span = Py_BuildValue("(II)", d.labels[i].span.begin, d.labels[i].span.end);
    if (!span) return;
    PyTuple_SET_ITEM(spans.get(), static_cast<Py_ssize_t>(i), span);
  }
  const auto text = [](std::string_view s) { return Ref(PyUnicode_DecodeUTF8(s.data(), static_cast<Py_ssize_t>(s.size()), "replace")); };
  const Ref rendered = text(error.what()), what = text(d.what), help = text(d.help);
  if (!rendered || !what || !help) return;
  const Ref exception(PyObject_CallFunctionObjArgs(type, rendered.get(), what.get(), spans.get(), help.get(), nullptr));
  if (exception) PyErr_SetObject(type, exception.get());
}

}  // namespace

void init_errors() {
  const py::module_ module = py::module_::import("engine.errors");
  for (int kind = 1; kind <= 9; ++kind)
    classes[static_cast<std::size_t>(kind)] = py::object(module.attr(std::string(name(static_cast<ErrorKind>(kind))).c_str())).release().ptr();
}

void set_python_error() noexcept {
  try {
    throw;
  } catch (const PythonError&) {
  } catch (const Error& error) {
    raise(error);
  } catch (const std::bad_alloc&) {
    raise(OutOfMemory({.what = "out of memory", .labels = {}, .help = {}, .text = {}}));
  } catch (const py::error_already_set& error) {
    py::error_already_set(error).restore();
  } catch (const std::exception& error) {
    raise(InternalError({.what = error.what(), .labels = {}, .help = "this is a defect of engine: please report it", .text = {}}));
  }
}

}  // namespace engine::python

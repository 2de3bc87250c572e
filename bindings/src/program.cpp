// bindings/src/program.cpp - engine.Program: a parsed expression that is called with arrays.
#include <fmt/format.h>

#include <new>

#include "bindings.hpp"
#include "structmember.h"

namespace engine::python {
namespace {

struct ProgramObject {
  PyObject_HEAD
  vectorcallfunc vectorcall;
  CachedProgramPtr cached;
};

PyTypeObject* program_type = nullptr;

ProgramObject* self_of(PyObject* object) { return reinterpret_cast<ProgramObject*>(object); }

/// program(names) or program(a=…, b=…), with out= and order= unless the expression has operands of those names.
PyObject* call(PyObject* callable, PyObject* const* args, std::size_t nargsf, PyObject* kwnames) {
  try {
    const CachedProgram& cached = *self_of(callable)->cached;
    const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    const Py_ssize_t n_keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    if (nargs > 1) {
      PyErr_Format(PyExc_TypeError, "a Program takes one mapping, or its operands by keyword (%zd positional arguments given)", nargs);
      throw PythonError{};
    }
    CallOptions options;
    Names names;
    if (nargs == 1 && args[0] != Py_None) names.mapping = args[0];
    if (names.mapping && !PyMapping_Check(names.mapping)) {
      PyErr_Format(PyExc_TypeError, "names must be a mapping, not %s", Py_TYPE(names.mapping)->tp_name);
      throw PythonError{};
    }
    bool by_keyword = false;
    for (Py_ssize_t i = 0; i < n_keywords; ++i) {
      PyObject* keyword = PyTuple_GET_ITEM(kwnames, i);
      bool operand = false;
      for (const Ref& name : cached.names) operand = operand || PyUnicode_Compare(keyword, name.get()) == 0;
      if (operand) {
        by_keyword = true;
        continue;
      }
      const bool option = PyUnicode_CompareWithASCIIString(keyword, "out") == 0 || PyUnicode_CompareWithASCIIString(keyword, "order") == 0;
      if (!option || !read_option(options, keyword, args[nargs + i], true)) {
        PyErr_Format(PyExc_TypeError, "the expression has no operand '%U'", keyword);
        throw PythonError{};
      }
    }
    if (by_keyword && names.mapping) {
      PyErr_SetString(PyExc_TypeError, "give the operands in a mapping or by keyword, not both");
      throw PythonError{};
    }
    if (by_keyword || (nargs == 0 && cached.names.empty())) {
      static PyObject* none[1] = {nullptr};
      names.values = n_keywords ? args + nargs : none;
      names.keywords = kwnames;
      names.n_keywords = n_keywords;
    }
    return run(cached, names, options.out, options.options.order);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* explain(PyObject* self, PyObject* args, PyObject* kwargs) {
  try {
    const CachedProgram& cached = *self_of(self)->cached;
    PyObject* mapping = Py_None;
    if (!PyArg_ParseTuple(args, "|O:explain", &mapping)) throw PythonError{};
    Names names;
    if (mapping != Py_None) names.mapping = mapping;
    else if (kwargs && PyDict_Size(kwargs) > 0) names.mapping = kwargs;
    std::vector<Operand> operands;
    std::vector<Ref> keep;
    read_operands(cached, names, operands, keep);
    const std::string text = cached.program->explain(operands.data());
    const Ref module(PyImport_ImportModule("engine"));
    if (!module) throw PythonError{};
    return PyObject_CallMethod(module.get(), "Explanation", "s#", text.data(), static_cast<Py_ssize_t>(text.size()));
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* get_text(PyObject* self, void*) {
  const std::string& text = self_of(self)->cached->program->text();
  return PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "strict");
}

PyObject* get_names(PyObject* self, void*) {
  const auto& names = self_of(self)->cached->names;
  PyObject* tuple = PyTuple_New(static_cast<Py_ssize_t>(names.size()));
  if (!tuple) return nullptr;
  for (std::size_t i = 0; i < names.size(); ++i) PyTuple_SET_ITEM(tuple, static_cast<Py_ssize_t>(i), Py_NewRef(names[i].get()));
  return tuple;
}

PyObject* get_signature(PyObject* self, void*) {
  const CachedProgram& cached = *self_of(self)->cached;
  std::string text = "(";
  for (std::size_t i = 0; i < cached.names.size(); ++i) {
    if (i > 0) text += ", ";
    if (cached.program->writes(i)) text += "inout ";
    text += cached.program->name(i);
  }
  text += ")";
  return PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "strict");
}

PyObject* repr(PyObject* self) {
  const Ref text(get_text(self, nullptr));
  return text ? PyUnicode_FromFormat("engine.compile(%R)", text.get()) : nullptr;
}

void dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  self_of(self)->cached.~CachedProgramPtr();
  type->tp_free(self);
  Py_DECREF(type);
}

PyMethodDef methods[] = {
    {"explain", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(explain)), METH_VARARGS | METH_KEYWORDS,
     "explain(names=None, /, **arrays)\n--\n\nThe plan for operands like these, as an Explanation."},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef properties[] = {{"text", get_text, nullptr, "The expression.", nullptr},
                            {"names", get_names, nullptr, "Names the expression uses from outside, in order of first appearance.", nullptr},
                            {"signature", get_signature, nullptr, "The operands, those that are written to marked 'inout'.", nullptr},
                            {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(ProgramObject, vectorcall), READONLY, nullptr},
                         {nullptr, 0, 0, 0, nullptr}};
char doc[] = "A parsed expression. Call it with a mapping or with operands by keyword; out= and order= as in evaluate.\n"
             "Made by engine.compile. One Program may be called from many threads at once.";
PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
                       {Py_tp_repr, reinterpret_cast<void*>(repr)},
                       {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                       {Py_tp_methods, methods},
                       {Py_tp_getset, properties},
                       {Py_tp_members, members},
                       {Py_tp_doc, doc},
                       {0, nullptr}};
PyType_Spec spec{"engine.Program", sizeof(ProgramObject), 0,
                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace

PyObject* make_program_type() {
  PyObject* type = PyType_FromSpec(&spec);
  program_type = reinterpret_cast<PyTypeObject*>(type);
  return type;
}

PyObject* make_program(CachedProgramPtr cached) {
  PyObject* object = program_type->tp_alloc(program_type, 0);
  if (!object) return nullptr;
  self_of(object)->vectorcall = call;
  new (&self_of(object)->cached) CachedProgramPtr(std::move(cached));
  return object;
}

}  // namespace engine::python

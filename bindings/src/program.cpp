// bindings/src/program.cpp - engine.Program: a parsed expression that is called with arrays.
#include <fmt/format.h>

#include <exception>
#include <new>
#include <vector>

#include "bindings.hpp"
#include "structmember.h"

namespace engine::python {
namespace {

struct ProgramObject {
  PyObject_HEAD vectorcallfunc vectorcall;
  CachedProgramPtr cached;
  int threads;
};

PyTypeObject* program_type = nullptr;

ProgramObject* self_of(PyObject* object) { return reinterpret_cast<ProgramObject*>(object); }

/// Whether the expression has an operand of that name. Both are interned as a rule, so identity settles most.
bool has_name(const CachedProgram& cached, PyObject* keyword) {
  for (const Ref& name : cached.names)
    if (name.get() == keyword) return true;
  if (PyUnicode_CHECK_INTERNED(keyword)) return false;  // as the names are
  for (const Ref& name : cached.names)
    if (PyUnicode_Compare(name.get(), keyword) == 0) return true;
  return false;
}

/// Reads program(names) or program(a=…, b=…); a keyword is an option only if the expression has no operand of that name.
void read_arguments(const CachedProgram& cached, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames, unsigned accepts, Names& names,
                    CallOptions& options) {
  if (nargs > 1) {
    PyErr_Format(PyExc_TypeError, "a Program takes one mapping, or its operands by keyword (%zd positional arguments given)", nargs);
    throw PythonError{};
  }
  if (nargs == 1) set_mapping(names, args[0], "Program");
  const Py_ssize_t n_keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  bool by_keyword = false;
  for (Py_ssize_t i = 0; i < n_keywords; ++i) {
    PyObject* keyword = PyTuple_GET_ITEM(kwnames, i);
    if (has_name(cached, keyword)) {
      by_keyword = true;
    } else if (!read_option(options, keyword, args[nargs + i], accepts)) {
      PyErr_Format(PyExc_TypeError, "the expression has no operand '%U'", keyword);
      throw PythonError{};
    }
  }
  if (!by_keyword) return;
  if (names.mapping) {
    PyErr_SetString(PyExc_TypeError, "give the operands in a mapping or by keyword, not both");
    throw PythonError{};
  }
  names.values = args + nargs;
  names.keywords = kwnames;
}

}  // namespace

PyObject* call_program(const CachedProgram& cached, PyObject* const* args, std::size_t nargsf, PyObject* kwnames, int threads,
                       LaunchGraph* graph) {
  try {
    Names names;
    CallOptions options;
    if (config_used.load(std::memory_order_relaxed)) apply_config(options, kAcceptsOrder | kAcceptsDevice);
    read_arguments(cached, args, PyVectorcall_NARGS(nargsf), kwnames, kAcceptsOut | kAcceptsOrder | kAcceptsDevice, names, options);
    if (graph && options.progress) {
      PyErr_SetString(PyExc_TypeError, "a Graph tells of no progress");
      throw PythonError{};
    }
    options.options.threads = threads;
    options.graph = graph;
    return run(cached, names, options);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* text_of(const CachedProgram& cached) {
  const std::string& text = cached.program->text();
  return PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "strict");
}

namespace {

PyObject* call(PyObject* callable, PyObject* const* args, std::size_t nargsf, PyObject* kwnames) {
  return call_program(*self_of(callable)->cached, args, nargsf, kwnames, self_of(callable)->threads, nullptr);
}

PyObject* explain(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  try {
    const CachedProgram& cached = *self_of(self)->cached;
    Names names;
    CallOptions options;
    if (config_used.load(std::memory_order_relaxed)) apply_config(options, kAcceptsOrder);
    read_arguments(cached, args, nargs, kwnames, kAcceptsNone, names, options);
    return make_explanation(cached, names, options.options.order);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* halo(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  try {
    const CachedProgram& cached = *self_of(self)->cached;
    Names names;
    CallOptions options;
    read_arguments(cached, args, nargs, kwnames, kAcceptsNone, names, options);
    const Operands operands(cached, names);
    return halo_dict(cached.program->halo(operands.data())).release().ptr();
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* predict(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  if (nargs < 1 || !PyUnicode_Check(args[0])) {
    PyErr_SetString(PyExc_TypeError, "predict() takes the architecture of a GPU first, as 'sm_90'");
    return nullptr;
  }
  try {
    const CachedProgram& cached = *self_of(self)->cached;
    Names names;
    CallOptions options;
    read_arguments(cached, args + 1, nargs - 1, kwnames, kAcceptsNone, names, options);
    const Operands operands(cached, names);
    Py_ssize_t n = 0;
    const char* const architecture = PyUnicode_AsUTF8AndSize(args[0], &n);
    if (!architecture) throw PythonError{};
    Prediction found;
    try {
      found = cached.program->predict(operands.data(), {architecture, static_cast<std::size_t>(n)});
    } catch (const UnknownName& error) {
      explain_unknown(error, names);
    }
    return make_instance("engine", "Prediction",
                         Py_BuildValue("{s:s,s:d,s:d,s:d,s:s}", "device", found.device.c_str(), "seconds", found.seconds, "bytes",
                                       found.bytes, "bytes_per_second", found.bytes_per_second, "text", found.text.c_str()));
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

/// _precompile(operands, device, wait): host arrays stand for such on that device.
PyObject* precompile(PyObject* self, PyObject* args) {
  try {
    PyObject* mapping = nullptr;
    int device = 0, wait = 1;
    if (!PyArg_ParseTuple(args, "O!ip:_precompile", &PyDict_Type, &mapping, &device, &wait)) return nullptr;
    find_wheels();
    const CachedProgram& cached = *self_of(self)->cached;
    Names names;
    set_mapping(names, mapping, "precompile");
    const Operands given(cached, names);
    std::vector<Operand> operands(given.data(), given.data() + cached.names.size());
    for (Operand& operand : operands) {
      if (!operand.present || operand.weak != Weak::No || operand.array.device != kHost || operand.array.shape.empty()) continue;
      operand.array.data = nullptr;
      operand.array.device = device;
    }
    int compiled = 0;
    std::exception_ptr failed;
    Py_BEGIN_ALLOW_THREADS;
    try {
      compiled = cached.program->precompile(operands.data(), nullptr, wait != 0);
    } catch (...) {
      failed = std::current_exception();
    }
    Py_END_ALLOW_THREADS;
    if (failed) std::rethrow_exception(failed);
    return PyLong_FromLong(compiled);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* graph(PyObject* self, PyObject*) {
  try {
    return make_graph(self_of(self)->cached);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* get_text(PyObject* self, void*) { return text_of(*self_of(self)->cached); }

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

PyObject* get_options(PyObject* self, void*) { return options_dict(self_of(self)->cached->program->options(), self_of(self)->threads); }

PyObject* get_stats(PyObject* self, void*) {
  const ProgramStats s = self_of(self)->cached->program->stats();
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  return make_instance(
      "engine.stats", "ProgramStats",
      Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:d,s:d,s:K,s:K}", "calls", number(s.hits + s.compilations), "hits", number(s.hits),
                    "compilations", number(s.compilations), "evictions", number(s.evictions), "plans", number(s.plans), "parse_seconds",
                    static_cast<double>(s.parse_ns) * 1e-9, "compile_seconds", static_cast<double>(s.compile_ns) * 1e-9, "jit_operations",
                    number(s.jit_operations), "interp_operations", number(s.interp_operations)));
}

/// Text and options: who reads it compiles again, for whatever machine it is then.
PyObject* reduce(PyObject* self, PyObject*) {
  const Ref text(get_text(self, nullptr)), options(get_options(self, nullptr)), module(PyImport_ImportModule("engine.pickling"));
  const Ref restore(module ? PyObject_GetAttrString(module.get(), "restore_program") : nullptr);
  return text && options && restore ? Py_BuildValue("O(OO)", restore.get(), text.get(), options.get()) : nullptr;
}

PyObject* same(PyObject* self, PyObject*) { return Py_NewRef(self); }

PyObject* compare(PyObject* self, PyObject* other, int operation) {
  if (!Py_IS_TYPE(other, program_type) || (operation != Py_EQ && operation != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  const ProgramObject &a = *self_of(self), &b = *self_of(other);
  const Program &p = *a.cached->program, &q = *b.cached->program;
  const Options &x = p.options(), &y = q.options();
  const bool equal = &p == &q || (p.text() == q.text() && x.casting == y.casting && x.exactness == y.exactness && x.backend == y.backend &&
                                  x.limits == y.limits);
  return PyBool_FromLong((equal && a.threads == b.threads) == (operation == Py_EQ));
}

Py_hash_t hash(PyObject* self) {
  const Ref text(get_text(self, nullptr));
  return text ? PyObject_Hash(text.get()) : -1;
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

PyMethodDef methods[] = {{"explain", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(explain)), METH_FASTCALL | METH_KEYWORDS,
                          "explain($self, names=None, /, **operands)\n--\n\n"
                          "The plan for operands like these, as an Explanation; they are given as in a call."},
                         {"halo", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(halo)), METH_FASTCALL | METH_KEYWORDS,
                          "halo($self, names=None, /, **operands)\n--\n\n"
                          "How far around an element of the result each array is read, given as in a call: a dict from names to\n"
                          "a pair (before, behind) for each axis, None where all of it is read."},
                         {"predict", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(predict)), METH_FASTCALL | METH_KEYWORDS,
                          "predict($self, architecture, names=None, /, **operands)\n--\n\n"
                          "What a static model says of the program on a GPU that need not be there, as 'sm_90', for operands given as in\n"
                          "a call: a Prediction. BackendError, which lists the data sheets, where there is none of it, and where what\n"
                          "there is to do follows from values."},
                         {"graph", graph, METH_NOARGS,
                          "graph($self, /)\n--\n\n"
                          "A Graph, which is called like the program and launches its kernels on a device at once."},
                         {"_precompile", precompile, METH_VARARGS, nullptr},
                         {"__reduce__", reduce, METH_NOARGS, nullptr},
                         {"__copy__", same, METH_NOARGS, nullptr},
                         {"__deepcopy__", same, METH_O, nullptr},
                         {nullptr, nullptr, 0, nullptr}};
PyGetSetDef properties[] = {
    {"text", get_text, nullptr, "The expression.", nullptr},
    {"names", get_names, nullptr, "Names the expression uses from outside, in order of first appearance.", nullptr},
    {"signature", get_signature, nullptr, "The operands, those that are written to marked 'inout'.", nullptr},
    {"options", get_options, nullptr, "The options it was compiled with, as compile() takes them.", nullptr},
    {"stats", get_stats, nullptr, "What became of its calls, and of evaluate's with the same text: a ProgramStats.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(ProgramObject, vectorcall), READONLY, nullptr},
                         {nullptr, 0, 0, 0, nullptr}};
char doc[] =
    "An expression made ready, by engine.compile: program(names=None, /, *, out=None, order='K', device=None, stream=None,\n"
    "wait=False, progress=False, **operands).\n\n"
    "Its operands are given in a mapping or by keyword; those of the caller's variables that it names are taken where there\n"
    "is neither. Options are as in evaluate. One Program may be called from many threads at once. Programs of equal\n"
    "text and options are equal; pickled or sent to another process, a Program is its text and options.\n\n"
    ">>> import numpy as np, engine\n"
    ">>> hypot = engine.compile(\"sqrt(x*x + y*y)\")\n"
    ">>> hypot.names\n"
    "('x', 'y')\n"
    ">>> hypot({\"x\": np.array([3.0, 5.0]), \"y\": 4}, order=\"C\")\n"
    "array([5.        , 6.40312424])\n";
PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
                       {Py_tp_richcompare, reinterpret_cast<void*>(compare)},
                       {Py_tp_hash, reinterpret_cast<void*>(hash)},
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

py::dict halo_dict(const std::vector<Halo>& halos) {
  py::dict dict;
  for (const Halo& halo : halos) {
    py::list axes;
    for (const Halo::Axis& axis : halo.axes)
      axes.append(axis.is_whole ? py::object(py::none()) : py::object(py::make_tuple(axis.low, axis.high)));
    dict[py::str(halo.name.data(), halo.name.size())] = py::tuple(axes);
  }
  return dict;
}

PyObject* make_program_type() {
  PyObject* type = PyType_FromSpec(&spec);
  program_type = reinterpret_cast<PyTypeObject*>(type);
  return type;
}

PyObject* make_program(CachedProgramPtr cached, int threads) {
  PyObject* object = program_type->tp_alloc(program_type, 0);
  if (!object) return nullptr;
  self_of(object)->vectorcall = call;
  self_of(object)->threads = threads;
  new (&self_of(object)->cached) CachedProgramPtr(std::move(cached));
  return object;
}

}  // namespace engine::python

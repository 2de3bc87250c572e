// bindings/src/graph.cpp - engine.Graph: a program whose kernels on a device are launched as one.
#include <engine/graph.hpp>

#include <new>

#include "bindings.hpp"
#include "structmember.h"

namespace engine::python {
namespace {

struct GraphObject {
  PyObject_HEAD vectorcallfunc vectorcall;
  CachedProgramPtr cached;
  LaunchGraph launches;
};

PyTypeObject* graph_type = nullptr;

GraphObject* self_of(PyObject* object) { return reinterpret_cast<GraphObject*>(object); }

PyObject* call(PyObject* callable, PyObject* const* args, std::size_t nargsf, PyObject* kwnames) {
  return call_program(*self_of(callable)->cached, args, nargsf, kwnames, 0, &self_of(callable)->launches);
}

PyObject* get_stats(PyObject* self, void*) {
  const LaunchGraphStats s = self_of(self)->launches.stats();
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  return make_instance("engine.stats", "GraphStats",
                       Py_BuildValue("{s:K,s:K,s:K,s:K}", "kernels", number(s.kernels), "captures", number(s.captures), "updates",
                                     number(s.updates), "replays", number(s.replays)));
}

PyObject* get_text(PyObject* self, void*) { return text_of(*self_of(self)->cached); }

PyObject* repr(PyObject* self) {
  const Ref text(get_text(self, nullptr));
  return text ? PyUnicode_FromFormat("engine.compile(%R).graph()", text.get()) : nullptr;
}

void dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  self_of(self)->launches.~LaunchGraph();
  self_of(self)->cached.~CachedProgramPtr();
  type->tp_free(self);
  Py_DECREF(type);
}

PyGetSetDef properties[] = {{"text", get_text, nullptr, "The expression.", nullptr},
                            {"stats", get_stats, nullptr, "What became of its calls: a GraphStats.", nullptr},
                            {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(GraphObject, vectorcall), READONLY, nullptr},
                         {nullptr, 0, 0, 0, nullptr}};
char doc[] =
    "A program's kernels on a device as one CUDA graph, by Program.graph(): graph(names=None, /, *, out=None, order='K',\n"
    "device=None, stream=None, wait=False, **operands).\n\n"
    "It is called as its program is, and gives the same bits. The first call captures what it launches; each call then\n"
    "launches all of it at once, with its own arrays and numbers. Where those need other kernels (another dtype, shape or\n"
    "alignment) it captures anew. Arrays are a device's: BackendError for those of the host, and for programs that read\n"
    "values of the device between their kernels (unique, a[mask], histogram, integer powers by arrays). It keeps the\n"
    "memory of the program's temporaries. A call is not interrupted, and tells of no progress; threads take turns.\n\n"
    ">>> import engine\n"
    ">>> graph = engine.compile(\"x = sin(a); x/sum(x)\").graph()\n"
    ">>> graph.stats.replays\n"
    "0\n";
PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
                       {Py_tp_repr, reinterpret_cast<void*>(repr)},
                       {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                       {Py_tp_getset, properties},
                       {Py_tp_members, members},
                       {Py_tp_doc, doc},
                       {0, nullptr}};
PyType_Spec spec{"engine.Graph", sizeof(GraphObject), 0,
                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace

PyObject* make_graph_type() {
  PyObject* type = PyType_FromSpec(&spec);
  graph_type = reinterpret_cast<PyTypeObject*>(type);
  return type;
}

PyObject* make_graph(CachedProgramPtr cached) {
  LaunchGraph launches;
  PyObject* object = graph_type->tp_alloc(graph_type, 0);
  if (!object) return nullptr;
  self_of(object)->vectorcall = call;
  new (&self_of(object)->cached) CachedProgramPtr(std::move(cached));
  new (&self_of(object)->launches) LaunchGraph(std::move(launches));
  return object;
}

}  // namespace engine::python

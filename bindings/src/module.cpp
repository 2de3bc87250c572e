// bindings/src/module.cpp - the module engine._core.
#include "device.hpp"

namespace engine::python {

PYBIND11_MODULE(_core, module, py::mod_gil_not_used()) {
  module.doc() = "The compiled part of engine.";
  if (!init_arrays()) throw py::error_already_set();
  init_errors();
  // Functions on the hot path go in as they are: pybind11's dispatch costs more than a small evaluation.
  if (PyModule_AddFunctions(module.ptr(), evaluate_methods) < 0) throw py::error_already_set();
  if (PyModule_AddFunctions(module.ptr(), options_methods) < 0) throw py::error_already_set();
  PyObject* options_var = make_options_var();
  if (!options_var || PyModule_AddObject(module.ptr(), "_options_var", options_var) < 0) throw py::error_already_set();
  PyObject* type = make_program_type();
  if (!type || PyModule_AddObject(module.ptr(), "Program", type) < 0) throw py::error_already_set();
  PyObject* graph = make_graph_type();
  if (!graph || PyModule_AddObject(module.ptr(), "Graph", graph) < 0) throw py::error_already_set();

  module.def("_gradient", [](const std::string& text, const std::string& wrt) {
    try {
      return gradient(text, wrt);
    } catch (...) {
      set_python_error();
      throw py::error_already_set();
    }
  });
  add_device_arrays(module);
  add_stencils(module);
  module.def("trim", &trim, py::call_guard<py::gil_scoped_release>());
  module.def("_allow_background_compilation", &allow_background_compilation, py::call_guard<py::gil_scoped_release>());
  module.def("wait_for_kernels", &wait_for_kernels, py::call_guard<py::gil_scoped_release>());
  module.def("num_threads", &num_threads);
  module.def("_set_num_threads", &set_num_threads);

  const auto text = [](std::string_view view) { return py::str(view.data(), view.size()); };
  module.def("_build_info", [text] {
    py::dict info;
    info["version"] = text(version());
    info["compiler"] = text(compiler());
    info["instruction_set"] = text(instruction_set());
    info["fused_multiply_add"] = fused_multiply_add();
    return info;
  });
  module.def("_backends", [text] {
    find_wheels();
    py::list list;
    for (const Backend& backend : backends()) list.append(py::make_tuple(text(backend.name), backend.usable, text(backend.reason)));
    return list;
  });

  module.def("_facts", [] {
    find_wheels();
    py::dict dict;
    for (const auto& [name, value] : facts(BackendChoice::Cuda)) dict[py::str(name)] = py::str(value);
    return dict;
  });

  py::list rows;
  for (std::size_t i = 0; i < n_functions(); ++i) {
    const Function row = function(i);
    rows.append(py::make_tuple(text(row.name), text(row.arguments), text(row.sentence), text(row.oracle), row.ulp, text(row.kind), row.low,
                               row.high));
  }
  module.attr("_functions") = py::tuple(rows);
  module.attr("__version__") = text(version());
}

}  // namespace engine::python

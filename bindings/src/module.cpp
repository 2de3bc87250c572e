// bindings/src/module.cpp - the module engine._core.
#include "bindings.hpp"

namespace engine::python {

PYBIND11_MODULE(_core, module, py::mod_gil_not_used()) {
  module.doc() = "The compiled part of engine.";
  if (!init_arrays()) throw py::error_already_set();
  init_errors();
  // Functions on the hot path go in as they are: pybind11's dispatch costs more than a small evaluation.
  if (PyModule_AddFunctions(module.ptr(), evaluate_methods) < 0) throw py::error_already_set();
  PyObject* type = make_program_type();
  if (!type || PyModule_AddObject(module.ptr(), "Program", type) < 0) throw py::error_already_set();

  module.def("_gradient", [](const std::string& text, const std::string& wrt) {
    try {
      return gradient(text, wrt);
    } catch (...) {
      set_python_error();
      throw py::error_already_set();
    }
  });
  module.def("num_threads", &num_threads);
  module.def("_set_num_threads", &set_num_threads);

  py::list rows;
  for (std::size_t i = 0; i < n_functions(); ++i) {
    const Function row = function(i);
    rows.append(py::make_tuple(py::str(row.name.data(), row.name.size()), py::str(row.arguments.data(), row.arguments.size()),
                               py::str(row.sentence.data(), row.sentence.size()), py::str(row.oracle.data(), row.oracle.size()), row.ulp,
                               py::str(row.kind.data(), row.kind.size()), row.low, row.high));
  }
  module.attr("_functions") = py::tuple(rows);
  module.attr("__version__") = py::str(version().data(), version().size());
}

}  // namespace engine::python

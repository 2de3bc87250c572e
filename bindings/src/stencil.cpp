// bindings/src/stencil.cpp - engine.stencil and engine.compile_stencil: what engine/stencil.py calls.
#include <engine/stencil.hpp>

#include <pybind11/complex.h>
#include <pybind11/stl.h>
#include <algorithm>
#include <exception>
#include <optional>

#include "running.hpp"

namespace engine::python {
namespace {

/// "wrap", ("reflect", "wrap"): the boundaries of one axis, as stencil.py has put them in order: pairs of words.
using Words = std::vector<std::pair<std::string, std::string>>;

Boundary boundary_of(const std::string& word) {
  Boundary boundary{};
  if (!find_boundary(word, boundary)) {
    PyErr_Format(PyExc_ValueError, "boundary must be 'reflect', 'mirror', 'nearest', 'wrap', 'constant', 'valid' or 'keep', not '%s'",
                 word.c_str());
    throw PythonError{};
  }
  return boundary;
}

Beyond beyond_of(const Words& words, std::complex<double> cval) {
  std::vector<Sides> sides;
  for (const auto& [low, high] : words) sides.emplace_back(boundary_of(low), boundary_of(high));
  return {std::move(sides), cval.real(), cval.imag()};
}

/// The operands of one call, and the objects they borrow from.
struct Given {
  std::vector<Ref> objects;
  std::vector<Operand> operands;
  Given(const Stencil& stencil, PyObject* arrays) : objects(stencil.n_names()), operands(stencil.n_names()) {
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const std::string_view name = stencil.name(i);
      const Ref key(PyUnicode_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size())));
      PyObject* const value = key ? PyDict_GetItemWithError(arrays, key.get()) : nullptr;
      if (!value) {
        if (PyErr_Occurred()) throw PythonError{};
        continue;
      }
      objects[i] = Ref(Py_NewRef(value));
      read_operand(objects[i], stencil.program(), i, operands[i]);
    }
  }
};

/// What Steps' functions are told.
struct Watched {
  WithoutGil& released;
  PyObject* stepped;
  const std::vector<std::string>& names;

  /// callback(step, fields): copies, since the memory of the steps is written again.
  static bool step(void* context, std::int64_t step, std::span<const ArrayView> fields) {
    const auto& self = *static_cast<Watched*>(context);
    return self.released.held([&] {
      try {
        const Ref dict(PyDict_New());
        if (!dict) return false;
        for (std::size_t k = 0; k < fields.size(); ++k) {
          Ref array;
          const Strides strides = c_strides(fields[k].shape, item_size(fields[k].dtype));
          const auto bytes = static_cast<std::size_t>(n_items(fields[k].shape)) * item_size(fields[k].dtype);
          Destination destination{&array, fields[k].device};
          void* const data = Destination::allocate(&destination, fields[k].dtype, fields[k].shape, strides, bytes);
          evaluate_into({data, fields[k].dtype, false, true, fields[k].shape, strides, fields[k].device}, "a", {{"a", fields[k]}});
          if (PyDict_SetItemString(dict.get(), self.names[k].c_str(), array.get()) < 0) return false;
        }
        const Ref answer(PyObject_CallFunction(self.stepped, "LO", static_cast<long long>(step), dict.get()));
        return static_cast<bool>(answer);
      } catch (...) {
        set_python_error();
        return false;
      }
    });
  }
};

class PyStencil {
 public:
  PyStencil(const std::string& text, const Words& words, std::complex<double> cval,
            const std::vector<std::tuple<std::string, Words, std::complex<double>>>& fields, const py::dict& options) {
    try {
      CallOptions call;
      if (config_used.load(std::memory_order_relaxed)) apply_config(call, kAcceptsRest);
      for (const auto& [key, value] : options)
        if (!read_option(call, key.ptr(), value.ptr(), kAcceptsRest)) {
          PyErr_Format(PyExc_TypeError, "stencil() got an unexpected keyword argument '%U'", key.ptr());
          throw PythonError{};
        }
      StencilOptions made{.beyond = beyond_of(words, cval), .fields = {}, .options = call.options};
      for (const auto& [name, own, value] : fields) made.fields.emplace_back(name, beyond_of(own, value));
      stencil_ = Stencil::compile(text, made);
    } catch (...) {
      set_python_error();
      throw py::error_already_set();
    }
  }

  std::vector<std::pair<std::string, bool>> names() const {
    std::vector<std::pair<std::string, bool>> list;
    for (std::size_t i = 0; i < stencil_->n_names(); ++i) list.emplace_back(stencil_->name(i), stencil_->required(i));
    return list;
  }

  /// The value of a bare expression, or a dict of the fields' new values; and how many steps were made.
  py::tuple run(const py::dict& arrays, const py::dict& outs, py::handle out, std::int64_t steps, const std::string& until,
                std::int64_t every, py::handle callback, py::handle progress) const {
    try {
      Given given(*stencil_, arrays.ptr());
      const bool repeats = steps != 1 || !until.empty() || !callback.is_none();
      const std::vector<Stencil::Updated> list = stencil_->updates(given.operands.data(), repeats);
      for (const auto& [field, array] : outs)
        if (std::none_of(list.begin(), list.end(),
                         [&](const Stencil::Updated& u) { return equals(field.ptr(), std::string(stencil_->name(u.name)).c_str()); })) {
          PyErr_Format(PyExc_TypeError, "out has an array for %R, which is no field that is updated", field.ptr());
          throw PythonError{};
        }
      const Bar bar(progress.is_none() ? nullptr : progress.ptr());
      if (list.empty()) return py::make_tuple(value(given, out, bar), 1);
      std::vector<Ref> made(list.size());
      std::vector<ArrayView> targets(list.size());
      std::vector<std::string> names;
      for (std::size_t k = 0; k < list.size(); ++k) {
        const Stencil::Updated& updated = list[k];
        names.emplace_back(stencil_->name(updated.name));
        PyObject* mine = !out.is_none() && list.size() == 1 ? out.ptr() : PyDict_GetItemString(outs.ptr(), names.back().c_str());
        if (mine) {
          targets[k] = read_out(mine, stencil_->text(), made[k]);
          made[k] = Ref(Py_NewRef(mine));
          continue;
        }
        const Strides strides = c_strides(updated.shape, item_size(updated.dtype));
        const auto bytes = static_cast<std::size_t>(n_items(updated.shape)) * item_size(updated.dtype);
        const int device = given.operands[updated.name].array.device;
        Destination destination{&made[k], device};
        void* const data = Destination::allocate(&destination, updated.dtype, updated.shape, strides, bytes);
        targets[k] = {data, updated.dtype, false, true, updated.shape, strides, device};
      }
      if (!out.is_none() && list.size() != 1) {
        PyErr_SetString(PyExc_TypeError, "several fields are updated: out must be a mapping from their names to arrays");
        throw PythonError{};
      }
      Steps options{.steps = steps, .until = until, .every = every};
      options.run.threads = stencil_->options().options.threads;
      std::int64_t done = 0;
      {
        WithoutGil released;
        Watched watched{released, callback.ptr(), names};
        options.context = &watched;
        if (!callback.is_none()) options.stepped = &Watched::step;
        Running running{released, bar.get()};
        running.put_into(options.run);
        done = stencil_->run(given.operands.data(), targets, options);
      }
      py::dict fields;
      for (std::size_t k = 0; k < list.size(); ++k) fields[py::str(names[k])] = py::reinterpret_steal<py::object>(made[k].release());
      return py::make_tuple(fields, done);
    } catch (...) {
      set_python_error();
      throw py::error_already_set();
    }
  }

  py::dict halo(const py::dict& arrays) const {
    try {
      const Given given(*stencil_, arrays.ptr());
      return halo_dict(stencil_->halo(given.operands.data()));
    } catch (...) {
      set_python_error();
      throw py::error_already_set();
    }
  }

  py::object explain(const py::dict& arrays) const {
    try {
      const Given given(*stencil_, arrays.ptr());
      const Explanation explanation = stencil_->describe(given.operands.data());
      return py::make_tuple(explanation.text, explanation.json);
    } catch (...) {
      set_python_error();
      throw py::error_already_set();
    }
  }

 private:
  py::object value(const Given& given, py::handle out, const Bar& bar) const {
    const Program& program = stencil_->program();
    Ref out_array, fresh;
    ArrayView out_view;
    const bool has_out = !out.is_none();
    if (has_out) out_view = read_out(out.ptr(), stencil_->text(), out_array);
    Destination destination{&fresh, program.device(given.operands.data(), has_out ? &out_view : nullptr)};
    Execution execution(program, given.operands.data(), has_out ? &out_view : nullptr, program.options().order,
                        {&Destination::allocate, &destination});
    if (bar.get() || execution.work() > kReleaseAbove)
      run_released(execution, destination, {.options = program.options()}, bar.get());
    else
      execution.run({.threads = 1});
    if (has_out) return py::reinterpret_borrow<py::object>(out);
    return py::reinterpret_steal<py::object>(destination.device == kHost ? as_result(fresh.release()) : fresh.release());
  }

  std::optional<Stencil> stencil_;  // set once it is made
};

}  // namespace

void add_stencils(py::module_& module) {
  py::class_<PyStencil>(module, "_Stencil")
      .def(py::init<const std::string&, const Words&, std::complex<double>,
                    const std::vector<std::tuple<std::string, Words, std::complex<double>>>&, const py::dict&>())
      .def_property_readonly("names", &PyStencil::names)
      .def("run", &PyStencil::run)
      .def("halo", &PyStencil::halo)
      .def("explain", &PyStencil::explain);
}

}  // namespace engine::python

// bindings/src/dlpack.hpp - objects with __dlpack__ -> borrowed arrays, without a copy.
#pragma once

#include <optional>

#include "bindings.hpp"

namespace engine::python {

/// Who an error speaks of: an operand, with its place in the text, or out.
struct Subject {
  std::string who;  ///< "'a'" or "out"
  std::optional<Span> span;
  std::string text;
  std::vector<Label> labels(std::string label) const;
};

/// An array in somebody else's memory.
struct DlpackArray {
  ArrayView view;
  bool copied = false;  ///< the exporter made a copy
  bool legacy = false;  ///< from before DLPack 1.0: nobody knows whether it may be written, so it is read-only
  Ref owner;            ///< gives the memory back at its end
};

bool has_dlpack(PyObject* object);
/// Throws BackendError for memory the CPU does not reach and versions to come, DTypeError, ShapeError, PythonError.
DlpackArray read_dlpack(PyObject* object, const Subject& subject);
/// Throws BackendError for an object that offers the memory of a GPU by __cuda_array_interface__.
void refuse_device_arrays(PyObject* object, const Subject& subject);

}  // namespace engine::python

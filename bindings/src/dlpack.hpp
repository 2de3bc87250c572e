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
/// The same of an object whose memory is a CUDA device's, for work on the engine's stream of it; empty where it is elsewhere.
std::optional<DlpackArray> read_device_dlpack(PyObject* object, const Subject& subject);
/// A capsule over an array, kept by `memory`, in the versioned form or the one from before 1.0. Throws PythonError.
PyObject* make_dlpack(const ArrayView& view, std::shared_ptr<void> memory, bool versioned);

}  // namespace engine::python

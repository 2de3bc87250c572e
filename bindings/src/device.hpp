// bindings/src/device.hpp - arrays in a GPU's memory: engine.DeviceArray, and those of others.
#pragma once

#include <memory>

#include "dlpack.hpp"

namespace engine::python {

/// What engine.DeviceArray is: a view, and what keeps its memory.
struct DeviceArray {
  ArrayView view;
  std::shared_ptr<void> memory;
};

/// Null where the object is no engine.DeviceArray.
DeviceArray* as_device_array(PyObject* object);
/// A new engine.DeviceArray. Throws PythonError.
PyObject* make_device_array(const ArrayView& view, std::shared_ptr<void> memory);

/// 'cuda', 'cuda:N' or N: an ordinal; 'cpu', where that is accepted: kHost. Throws PythonError, a ValueError, for all else.
int read_device(PyObject* where, bool takes_host);
/// A copy on that device, or (kHost) in the host's memory, of an ndarray or a DeviceArray.
Ref copied_to(int device, PyObject* array);

/// Memory for a result; `array` becomes its DeviceArray.
void* allocate_on_device(int device, DType dtype, const Shape& shape, const Strides& strides, std::size_t n_bytes, Ref& array);

/// A stream of the caller's, for one call: the engine's work comes after what it was given before, and what it is given next after that.
class CallersStream {
 public:
  /// An address (CUstream), or an object with __cuda_stream__(), `ptr` (CuPy's) or `cuda_stream` (torch's). Throws PythonError.
  explicit CallersStream(PyObject* stream);
  ~CallersStream();
  CallersStream(const CallersStream&) = delete;
  CallersStream& operator=(const CallersStream&) = delete;
  /// Throws BackendError, and PythonError, a ValueError, where it is no device.
  void start(int device);
  /// The memory of a fresh result is given back after what the stream does with it.
  void keep(PyObject* array) const;

 private:
  Ref object_;
  void* stream_ = nullptr;  ///< null: the legacy default stream, with which ours keeps order by itself
  int device_ = kHost;
};

/// Reads an object with __cuda_array_interface__, or __dlpack__ on a CUDA device; false where it has neither. The engine's work
/// waits for what was asked of its stream before. `reference` becomes the DeviceArray over its memory.
bool read_device_foreign(Ref& reference, const Subject& subject, ArrayView& view);

/// Adds the class and to_device() to the module.
void add_device_arrays(py::module_& module);

}  // namespace engine::python

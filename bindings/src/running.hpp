// bindings/src/running.hpp - what runs with the GIL released, and what it calls back.
#pragma once

#include <cxxabi.h>
#include <unistd.h>

#include "device.hpp"

namespace engine::python {

/// Below this many element-operations releasing the GIL costs more than it gives.
inline constexpr double kReleaseAbove = 20'000;

/// Lets other Python threads run until the end of the scope.
class WithoutGil {
 public:
  WithoutGil() : state_(PyEval_SaveThread()) {}
  ~WithoutGil() {
    // Before 3.14, a thread that asks for the GIL of an ending interpreter is unwound by pthread_exit, which would end
    // the process here. It waits for the end instead, as it does from 3.14 on.
    try {
      PyEval_RestoreThread(state_);
    } catch (abi::__forced_unwind&) {
      while (true) pause();
    }
  }
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

  /// What `what` gives, called with the GIL.
  template <class What>
  auto held(What what) {
    PyEval_RestoreThread(state_);
    struct Again {
      PyThreadState*& state;
      ~Again() { state = PyEval_SaveThread(); }
    } const again{state_};
    return what();
  }

  /// Takes the GIL back for as long as the handlers of pending signals need: whether one of them raised (Ctrl-C).
  bool interrupted() {
    return held([] { return PyErr_CheckSignals() != 0; });
  }

 private:
  PyThreadState* state_;
};

/// Whether the calling thread is the one that Python handles signals in: no other has to ask.
bool is_main_thread();

/// Where a fresh result is to be. A shape that only values tell is known while the GIL is released.
struct Destination {
  Ref* array;
  int device;
  WithoutGil* released = nullptr;
  std::optional<WithoutGil> begun;
  /// What is left to do takes no Python, until `begun` is reset.
  static void start(void* context) noexcept { static_cast<Destination*>(context)->begun.emplace(); }
  static void* allocate(void* context, DType dtype, const Shape& shape, const Strides& strides, std::size_t n_bytes) {
    const auto& to = *static_cast<Destination*>(context);
    const auto made = [&] {
      if (to.device == kHost) return allocate_result(to.array, dtype, shape, strides, n_bytes);
      return allocate_on_device(to.device, dtype, shape, strides, n_bytes, *to.array);
    };
    return to.released ? to.released->held(made) : made();
  }
};

/// What RunOptions' functions are told of a run.
struct Running {
  WithoutGil& released;
  PyObject* progress;

  /// Makes them those of a run, as long as this lives.
  void put_into(RunOptions& options) {
    options.context = this;
    if (is_main_thread()) options.interrupted = &Running::interrupted;
    if (progress) options.progressed = &Running::progressed;
  }
  static bool interrupted(void* context) { return static_cast<Running*>(context)->released.interrupted(); }
  static bool progressed(void* context, double share) {
    const auto& self = *static_cast<Running*>(context);
    return self.released.held([&] {
      const Ref value(PyFloat_FromDouble(share));
      const Ref answer(value ? PyObject_CallOneArg(self.progress, value.get()) : nullptr);
      return static_cast<bool>(answer);
    });
  }
};

/// Runs it so; `progress` is called with the share that is done, or null.
void run_released(Execution& execution, Destination& destination, const CallOptions& call, PyObject* progress);

/// The progress bar of progress=True, which is taken down whatever happens.
class Bar {
 public:
  explicit Bar(PyObject* progress) {
    if (progress != Py_True) {
      bar_ = Ref(Py_XNewRef(progress));
      return;
    }
    const Ref module(PyImport_ImportModule("engine.progressing"));
    bar_ = Ref(module ? PyObject_CallMethod(module.get(), "Bar", nullptr) : nullptr);
    if (!bar_) throw PythonError{};
    is_ours_ = true;
  }
  ~Bar() {
    if (!is_ours_) return;
    PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    const Ref closed(PyObject_CallMethod(bar_.get(), "close", nullptr));
    if (!closed) PyErr_Clear();
    PyErr_Restore(type, value, trace);
  }
  Bar(const Bar&) = delete;
  Bar& operator=(const Bar&) = delete;
  PyObject* get() const { return bar_.get(); }

 private:
  Ref bar_;
  bool is_ours_ = false;
};

}  // namespace engine::python

// engine/evaluate.hpp - text -> Program -> Execution -> array.
//
// evaluate(), at the end, is what most callers want. Program keeps a text parsed and planned; Execution gives control over
// memory and threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <engine/array.hpp>
#include <engine/backend.hpp>
#include <engine/error.hpp>
#include <engine/export.hpp>
#include <engine/functions.hpp>
#include <engine/handle.hpp>
#include <engine/options.hpp>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace engine ENGINE_API {

/// C++ numbers that stand for Python's: their dtype yields to that of an array (NEP 50), so `float32_array * 2.0` is float32.
/// To have a scalar of a dtype of its own, give an array of no axes.
template <class T>
concept Scalar = Element<T> && !std::is_same_v<T, Float16>;

/// What the caller gives for one name: an array, or a scalar.
///
///     const Operand factor = 2.0;
struct Operand {
  Operand() noexcept = default;
  /// A borrowed array.
  Operand(const ArrayView& view) noexcept : present(true), array(view) {}
  Operand(Array& owner) noexcept : present(true), array(owner.view()) {}
  Operand(const Array& owner) noexcept : present(true), array(owner.view()) {}
  /// A Python bool, int, float or complex of that value.
  template <Scalar T>
  Operand(T value) noexcept : present(true) {
    if constexpr (std::is_same_v<T, bool>) {
      set(Weak::Bool, value);
    } else if constexpr (std::is_integral_v<T>) {
      negative = value < T{0};
      set(Weak::Int, static_cast<std::int64_t>(value));
    } else if constexpr (std::is_floating_point_v<T>) {
      set(Weak::Float, static_cast<double>(value));
    } else {
      set(Weak::Complex, static_cast<double>(value.real()));
      const auto imaginary = static_cast<double>(value.imag());
      std::memcpy(scalar + sizeof imaginary, &imaginary, sizeof imaginary);
    }
  }

  bool present = false;
  Weak weak = Weak::No;                   ///< a Python scalar: `array` is ignored, `scalar` holds it
  bool negative = false;                  ///< Weak::Int: `scalar` holds an int64 below zero; otherwise a uint64
  ArrayView array;                        ///< of arrays and NumPy scalars; borrowed until the Execution has run
  alignas(16) std::byte scalar[16] = {};  ///< Bool: 1 byte; Int: 8; Float: a double; Complex: two doubles

 private:
  template <class T>
  void set(Weak kind, T value) noexcept {
    weak = kind;
    std::memcpy(scalar, &value, sizeof value);
  }
};

/// A name and what it stands for.
struct Named {
  std::string_view name;
  Operand value;
};

/// What the names of a text stand for. Names and arrays are borrowed.
///
///     evaluate("2*a + b", {{"a", view(field)}, {"b", 0.5}})
class Names {
 public:
  Names() noexcept = default;
  Names(std::initializer_list<Named> items);
  Names(std::vector<Named> items) noexcept;
  explicit Names(std::span<const Named> items);
  const Named* begin() const noexcept { return items_.data(); }
  const Named* end() const noexcept { return items_.data() + items_.size(); }
  /// The operand of that name, or null; the last one where there are several.
  const Operand* find(std::string_view name) const noexcept;

 private:
  std::vector<Named> items_;
};

/// Where a fresh result's memory comes from. Called at most once per execution, before anything runs; of a result whose shape
/// follows from values (unique, a[mask]) by run(), on its thread.
struct Allocator {
  /// Memory for an array of that dtype, shape and byte strides (all non-negative); aligned for its dtype. May throw.
  void* (*allocate)(void* context, DType dtype, const Shape& shape, const Strides& strides, std::size_t n_bytes);
  void* context;
};

class LaunchGraph;
class Program;

/// Indices [begin, end) of a first axis.
struct Rows {
  std::int64_t begin, end;
};

/// How one execution runs.
struct RunOptions {
  int threads = 0;  ///< at most so many; 0: num_threads(). Small work is done by the caller alone.
  /// Asked by the calling thread every 20 ms or so while kernels run; true makes run() throw Interrupted. May be null.
  bool (*interrupted)(void* context) = nullptr;
  void* context = nullptr;  ///< of both functions here
  double seconds = 0;       ///< run() throws LimitError after so long; 0: no limit
  /// Told by the calling thread how much of the work is done, from 0 to 1, every 20 ms or so, and after `progress_elements` more elements
  /// where that is not 0; last, 1. False makes run() throw Interrupted. May be null.
  bool (*progressed)(void* context, double share) = nullptr;
  std::int64_t progress_elements = 0;
  /// Of a device, with Options::backend Auto: true waits for its compiler where kernels have yet to be compiled. Otherwise that is left
  /// to another thread, where allow_background_compilation() was called, and the host answers, with the same bits, if it can sooner.
  /// Other backends always wait.
  bool wait = false;
  LaunchGraph* graph = nullptr;  ///< of a device: its launches are one, kept there for the next call (see graph.hpp)
};

/// The stages that prepare a program for its operands, in order.
inline constexpr std::array<std::string_view, 5> kStages{"parse", "build", "optimise", "plan", "code"};
using StageTimes = std::array<std::int64_t, kStages.size()>;  ///< in nanoseconds

/// What there is to do for one execution. It follows from plan and shapes, so it is the same however it is run.
struct Traffic {
  std::uint32_t kernels = 0;        ///< passes over memory
  std::uint32_t copies = 0;         ///< of values that overlap what is still to be read
  std::uint64_t operations = 0;     ///< on elements
  std::uint64_t bytes_read = 0;     ///< by operand: slices of one that overlap count once, and what is repeated by broadcasting
  std::uint64_t bytes_written = 0;  ///< by stores, and by reductions into their cells
  std::uint64_t bytes_copied = 0;
};

/// What the last Execution::run of a thread did.
struct RunInfo {
  std::uint64_t runs = 0;  ///< of this thread so far; 0: there was none, and the rest means nothing
  bool compiled = false;   ///< a plan had to be made
  StageTimes stages{};     ///< of making it; 0 for stages that were not run
  int threads = 0;
  BackendChoice backend = BackendChoice::Interp;  ///< that ran it
  double seconds = -1;                            ///< of the kernels; -1 where there was too little to do for a clock
  bool pending = false;                           ///< the host answered, while another thread waits for a device's compiler
  int kernels_compiled = 0;                       ///< meanwhile, by a device's compiler; others were found in a cache
  double compile_seconds = 0;                     ///< that took
  Traffic traffic;
};

/// Of the calling thread. Runs that threw leave no trace.
///
///     last_run().traffic.bytes_read
const RunInfo& last_run() noexcept;

/// A program bound to arrays: everything is checked, the result is allocated, nothing has run or been written. What follows from
/// shapes that only values tell is checked and allocated by run(). Lives on the stack of one call.
class Execution {
 public:
  /// operands[i] belongs to program.names()[i]. `out` is the caller's array for the result, or null.
  /// Throws ShapeError, DTypeError, UnknownName, RangeError, LimitError, OutOfMemory; `out` and operands are untouched. What
  /// `operands`, `out` and the allocator's context point at has to outlive run().
  ///
  ///     Execution execution(program, operands, &out, Order::K, {nullptr, nullptr});
  ///     execution.run({.threads = 1});
  Execution(const Program& program, const Operand* operands, const ArrayView* out, Order order, Allocator allocator)
      : Execution(program, operands, out, order, allocator, nullptr) {}
  /// Of a part of it (for stencils, whose targets are operands).
  Execution(const Program& program, const Operand* operands, const ArrayView* out, Order order, Allocator allocator, const Rows* rows);
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  /// Predicted work in element-operations: callers use it to decide whether to release locks.
  double work() const noexcept;
  /// Runs it, once. Throws RangeError (negative integer powers in the data: nothing is written then), OutOfMemory (before
  /// the first write), Interrupted, LimitError (time). The result is the same bits for any number of threads.
  void run(const RunOptions& options = {});
  /// Threads the last run() used at most.
  int threads_used() const noexcept;

  /// The program's value: the fresh result, the caller's out, or - after an assignment in place - the region of the
  /// operand that was written. `target_name()` is then the index of that name, else -1.
  const ArrayView& result() const noexcept;
  int target_name() const noexcept;

  struct State;

 private:
  static void run_plan(State& state, const RunOptions& options);
  static void run_on_device(State& state, const RunOptions& options);
  static bool answer_on_host(State& state, const RunOptions& options);
  static bool run_elsewhere(State& state, const RunOptions& options);
  static void run_limited(State& state, const RunOptions& options);
  alignas(64) std::byte storage_[16384];  ///< the state, in place for ordinary programs: a call allocates nothing
  State* state_;
};

struct Explanation {
  std::string text, json;
};

/// What a static model says of a program on a GPU that need not be there: no measurement.
struct Prediction {
  std::string device;           ///< whose data sheet the rates are from
  double seconds = 0;           ///< of the kernels, operands and results on the device
  double bytes = 0;             ///< that they move
  double bytes_per_second = 0;  ///< the device's
  std::string text;             ///< a line for each kernel: what an element takes, and which of it decides
};

/// How far around an element of the result an operand is read.
struct Halo {
  struct Axis {
    std::int64_t low = 0, high = 0;  ///< so many elements before and behind it
    bool is_whole = false;           ///< all of the axis, or where that has no bound: reductions, steps, single indices
  };
  std::string_view name;
  std::vector<Axis> axes;
};

/// What became of the executions of one program.
struct ProgramStats {
  std::uint64_t hits = 0;          ///< that found a plan for operands like theirs
  std::uint64_t compilations = 0;  ///< that made one
  std::uint64_t evictions = 0;     ///< plans dropped for newer ones
  std::uint64_t plans = 0;         ///< kept now
  std::int64_t parse_ns = 0, compile_ns = 0;
  /// Elementwise operations of plans for the host, as compiled: in machine code, and left to the interpreter.
  std::uint64_t jit_operations = 0, interp_operations = 0;
};

/// A parsed expression with the plans made for it so far. Immutable from outside, safe to use from many threads; copies are the same
/// program.
class Program {
 public:
  /// Runs at once what is small, has run before with such operands, and lies as it is best: whole arrays of one shape, without gaps,
  /// and numbers. False where it is not so: nothing has happened then, and Execution does it. Throws what `allocator` throws.
  /// `starts` is called with the allocator's context, if not null, before what takes some microseconds.
  bool run_small(const Operand* operands, const ArrayView* out, Order order, Allocator allocator, int threads = 0,
                 void (*starts)(void* context) noexcept = nullptr) const;

  /// Parses. Throws ParseError, UnknownName (functions), LimitError, BackendError, OutOfMemory. Here as everywhere it is
  /// std::bad_alloc itself where there is no memory even for a message.
  ///
  ///     const auto program = Program::compile("2*a + b");
  static Program compile(std::string text, const Options& options = {});

  const std::string& text() const noexcept;
  const Options& options() const noexcept;
  /// Names the text uses from outside, in order of first appearance.
  std::size_t n_names() const noexcept;
  std::string_view name(std::size_t index) const noexcept;
  /// Whether the name must be given: false for pi, e, inf, nan, which have a meaning of their own.
  bool required(std::size_t index) const noexcept;
  /// Whether the program writes into the operand of that name (subscripted or augmented assignment, blitz).
  bool writes(std::size_t index) const noexcept;
  /// Where a call with these operands runs: the ordinal of the device that they are on, or kHost. Throws BackendError where
  /// they are not together. The result is made there, so an Execution's allocator has to know.
  int device(const Operand* operands, const ArrayView* out) const;
  /// Where the name first stands in the text.
  Span first_span(std::size_t index) const noexcept;

  /// The plan for operands of these dtypes, shapes and scalars: in words, and as a JSON object with the same facts and
  /// more. Throws what an Execution would; computes and writes nothing.
  Explanation describe(const Operand* operands, Order order = Order::K) const;
  std::string explain(const Operand* operands) const { return describe(operands).text; }
  /// Of each array that is read, in order: its footprint, by shifts and by slices that differ in where they begin. Slices that no
  /// assignment relates to an element of the result have it in their middle. Throws what an Execution would.
  ///
  ///     program.halo(operands)[0].axes
  std::vector<Halo> halo(const Operand* operands) const;
  ///
  ///     std::puts(program.explain({{"a", view(field)}, {"b", 0.5}}).c_str());
  std::string explain(const Names& names) const;
  /// What a call with operands like these would take of a GPU of that architecture ("sm_75", 80, 86, 89, 90, 100, 120), from counted
  /// bytes and instructions and a data sheet. Only dtypes, shapes and strides are looked at. Throws what an Execution throws before it
  /// runs, and BackendError for another architecture, for what follows from values (`a[mask]`), where there is no backend for GPUs.
  ///
  ///     program.predict({{"a", view(field)}, {"b", 0.5}}, "sm_90").seconds
  Prediction predict(const Names& names, std::string_view architecture) const;
  Prediction predict(const Operand* operands, std::string_view architecture) const;

  /// Has the kernels compiled, and keeps them, that a call with operands like these launches on a device; computes nothing. Of arrays,
  /// dtype, shape, strides, device and alignment are looked at; where `data` is null they lie apart, aligned. How many were compiled:
  /// others were found in a cache, or the call runs on the host; without `wait` 0, as another thread compiles them. Throws what an
  /// Execution throws before it runs, BackendError.
  ///
  ///     program.precompile(operands);
  int precompile(const Operand* operands, const ArrayView* out = nullptr, bool wait = true) const;

  ProgramStats stats() const;

  /// What evaluate(), evaluate_into() and execute() do, without the look-up of the text.
  ///
  ///     const Array d = program.run({{"a", view(field)}, {"b", 0.5}});
  Array run(const Names& names = {}, const RunOptions& options = {}) const;
  void run_into(const ArrayView& out, const Names& names = {}, const RunOptions& options = {}) const;
  void execute(const Names& names = {}, const RunOptions& options = {}) const;

  struct Impl;
  const Impl& impl() const noexcept { return *impl_; }

 private:
  friend class Stencil;
  explicit Program(Handle<const Impl> impl) noexcept : impl_(std::move(impl)) {}
  Handle<const Impl> impl_;
};
extern template class Handle<const Program::Impl>;

// ---- one call ---------------------------------------------------------------------------------------------------------

/// Parses. As Program::compile: throws ParseError, UnknownName (functions), LimitError, BackendError.
///
///     const auto program = compile("2*a + b");
Program compile(std::string_view text, const Options& options = {});

/// The program's value, as an array of NumPy's result dtype and shape. Names that the text does not use are ignored. Programs
/// are kept by text and options, so a text that was seen before is not parsed again.
/// Throws engine::Error; operands that the text writes are untouched by errors found before anything ran.
///
///     const Array d = evaluate("2*a + b", {{"a", view(field)}, {"b", 0.5}});
Array evaluate(std::string_view text, const Names& names = {}, const Options& options = {});

/// The value written into `out`, which must have its shape and a dtype that Options::casting allows. `out` may overlap
/// operands in any way: the result is as if the right side had been finished first.
///
///     evaluate_into(view(field), "2*a", {{"a", view(field)}});
void evaluate_into(const ArrayView& out, std::string_view text, const Names& names = {}, const Options& options = {});

/// Runs a program for what it writes into its operands. Throws ShapeError where one of those is read-only.
///
///     execute("b[1:-1] = (a[:-2] + a[2:]) / 2", {{"a", view(field)}, {"b", view(smooth)}});
void execute(std::string_view text, const Names& names = {}, const Options& options = {});

}  // namespace engine ENGINE_API

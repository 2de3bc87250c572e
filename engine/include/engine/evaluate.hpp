// engine/evaluate.hpp - text -> Program -> Execution -> array.
#pragma once

#include <engine/array.hpp>
#include <engine/error.hpp>
#include <engine/export.hpp>
#include <engine/options.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace engine ENGINE_API {

/// What the caller gives for one name: an array, or a scalar.
struct Operand {
  bool present = false;
  Weak weak = Weak::No;                   ///< a Python scalar: `array` is ignored, `scalar` holds it
  bool negative = false;                  ///< Weak::Int: `scalar` holds an int64 below zero; otherwise a uint64
  ArrayView array;                        ///< of arrays and NumPy scalars; borrowed until the Execution has run
  alignas(16) std::byte scalar[16] = {};  ///< Bool: 1 byte; Int: 8; Float: a double; Complex: two doubles
};

/// Where a fresh result's memory comes from. Called at most once per execution, before anything runs.
struct Allocator {
  /// Memory for an array of that dtype, shape and byte strides (all non-negative); aligned for its dtype. May throw.
  void* (*allocate)(void* context, DType dtype, const Shape& shape, const Strides& strides, std::size_t n_bytes);
  void* context;
};

class Program;

/// How one execution runs.
struct RunOptions {
  int threads = 0;  ///< at most so many; 0: num_threads(). Small work is done by the caller alone.
  /// Asked by the calling thread every 20 ms or so while kernels run; true makes run() throw Interrupted. May be null.
  bool (*interrupted)(void* context) = nullptr;
  void* context = nullptr;
  double seconds = 0;  ///< run() throws LimitError after so long; 0: no limit
};

/// The stages that prepare a program for its operands, in order.
inline constexpr std::array<std::string_view, 5> kStages{"parse", "build", "optimise", "plan", "code"};
using StageTimes = std::array<std::int64_t, kStages.size()>;  ///< in nanoseconds

/// What there is to do for one execution. It follows from plan and shapes, so it is the same however it is run.
struct Traffic {
  std::uint32_t kernels = 0;        ///< passes over memory
  std::uint32_t copies = 0;         ///< of values that overlap what is still to be read
  std::uint64_t operations = 0;     ///< on elements
  std::uint64_t bytes_read = 0;     ///< each load on its own; what it repeats by broadcasting counts once
  std::uint64_t bytes_written = 0;  ///< by stores, and by reductions into their cells
  std::uint64_t bytes_copied = 0;
};

/// What the last Execution::run of a thread did.
struct RunInfo {
  std::uint64_t runs = 0;  ///< of this thread so far; 0: there was none, and the rest means nothing
  bool compiled = false;   ///< a plan had to be made
  StageTimes stages{};     ///< of making it; 0 for stages that were not run
  int threads = 0;
  double seconds = -1;  ///< of the kernels; -1 where there was too little to do for a clock
  Traffic traffic;
};

/// Of the calling thread. Runs that threw leave no trace.
const RunInfo& last_run() noexcept;

/// A program bound to arrays: everything is checked, the result is allocated, nothing has run or been written.
/// Lives on the stack of one call.
class Execution {
 public:
  /// operands[i] belongs to program.names()[i]. `out` is the caller's array for the result, or null.
  /// Throws ShapeError, DTypeError, UnknownName, RangeError, LimitError, OutOfMemory; `out` and operands are untouched.
  Execution(const Program& program, const Operand* operands, const ArrayView* out, Order order, Allocator allocator);
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
  static void run_limited(State& state, const RunOptions& options);
  alignas(64) std::byte storage_[16384];  ///< the state, in place for ordinary programs: a call allocates nothing
  State* state_;
};

struct Explanation {
  std::string text, json;
};

/// What became of the executions of one program.
struct ProgramStats {
  std::uint64_t hits = 0;          ///< that found a plan for operands like theirs
  std::uint64_t compilations = 0;  ///< that made one
  std::uint64_t evictions = 0;     ///< plans dropped for newer ones
  std::uint64_t plans = 0;         ///< kept now
  std::int64_t parse_ns = 0, compile_ns = 0;
};

/// A parsed expression with the plans made for it so far. Immutable from outside, safe to use from many threads.
class Program {
 public:
  /// Parses. Throws ParseError, UnknownName (functions), LimitError, OutOfMemory. Here as everywhere it is std::bad_alloc
  /// itself where there is no memory even for a message.
  static std::shared_ptr<const Program> compile(std::string text, const Options& options = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const std::string& text() const noexcept;
  const Options& options() const noexcept;
  /// Names the text uses from outside, in order of first appearance.
  std::size_t n_names() const noexcept;
  std::string_view name(std::size_t index) const noexcept;
  /// Whether the name must be given: false for pi, e, inf, nan, which have a meaning of their own.
  bool required(std::size_t index) const noexcept;
  /// Whether the program writes into the operand of that name (subscripted or augmented assignment, blitz).
  bool writes(std::size_t index) const noexcept;
  /// Where the name first stands in the text.
  Span first_span(std::size_t index) const noexcept;

  /// The plan for operands of these dtypes, shapes and scalars: in words, and as a JSON object with the same facts and
  /// more. Throws what an Execution would; computes and writes nothing.
  Explanation describe(const Operand* operands, Order order = Order::K) const;
  std::string explain(const Operand* operands) const { return describe(operands).text; }

  ProgramStats stats() const;

  struct Impl;
  const Impl& impl() const noexcept { return *impl_; }

 private:
  explicit Program(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// One row of the catalog, for help and documentation.
struct Function {
  std::string_view name;       ///< "hypot"
  std::string_view arguments;  ///< "x, y"
  std::string_view sentence;
  std::string_view oracle;   ///< NumPy's name: "hypot", "frexp[0]", "scipy.special.erf"; empty where it has none
  double ulp;                ///< largest error against NumPy, in units in the last place; 0: the same bits
  std::string_view kind;     ///< "elementwise", "reduction", "cast", "constant"
  double low = 0, high = 1;  ///< the range of arguments over which the accuracy is tested
};
std::size_t n_functions() noexcept;
Function function(std::size_t index) noexcept;

/// The derivative of an expression with respect to one of its names, as a text in the same language, simplified: as every
/// element of `wrt` grows alike, so elementwise the partial derivative, under a sum the sum of them.
/// Throws ParseError (where no derivative is known, or operands are written), UnknownName (wrt is not used), LimitError.
///
///     gradient("sin(a)*b", "a") == "b * cos(a)"
std::string gradient(std::string_view text, std::string_view wrt, const Options& options = {});

/// "0.1.0"
std::string_view version() noexcept;
/// What built the library: "GCC 12.2.0".
std::string_view compiler() noexcept;
/// What its kernels use on this machine: "avx512", "avx2" or "generic".
std::string_view instruction_set() noexcept;

/// Where expressions can run, and why not.
struct Backend {
  BackendChoice choice;
  std::string_view name;
  bool usable;
  std::string_view reason;  ///< "not part of this build"
};
std::span<const Backend> backends() noexcept;

}  // namespace engine ENGINE_API

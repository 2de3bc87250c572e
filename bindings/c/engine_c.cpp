// bindings/c/engine_c.cpp - the C interface over the C++ one: engine.h says what each function does.
//
// Everything that comes in is checked before the library sees it, and every exception becomes a code at the border.
#include <engine/engine.h>
#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <engine/engine.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "handles.hpp"

static_assert(ENGINE_BOOL == static_cast<int>(engine::DType::Bool) && ENGINE_COMPLEX128 == static_cast<int>(engine::DType::Complex128) &&
              ENGINE_INT64 == static_cast<int>(engine::DType::Int64) && ENGINE_FLOAT16 == static_cast<int>(engine::DType::Float16));
static_assert(ENGINE_PARSE_ERROR == static_cast<int>(engine::ErrorKind::Parse) &&
              ENGINE_INTERNAL_ERROR == static_cast<int>(engine::ErrorKind::Internal));
static_assert(ENGINE_MAX_NDIM == engine::kMaxRank);
static_assert(sizeof(void*) == 8, "handles are 64 bits");

namespace engine::c {
namespace {

// ---- errors ---------------------------------------------------------------------------------------------------------

/// A call that is wrong in itself: ENGINE_BAD_ARGUMENT.
struct BadArgument {
  std::string what;
};

/// What a thread's last call said. Without constructor and destructor: those of a thread_local are registered at its first use, and
/// glibc ends the process where there is no memory for that.
constexpr engine_error kNoError{ENGINE_OK, 0, "", "", "", "", 0, nullptr};
constinit ENGINE_THREAD_LOCAL engine_error last_error = kNoError;

/// What it points at.
struct Words {
  std::string message, what, help, text;
  std::vector<std::string> labels;
  std::vector<engine_span> spans;

  /// Of the calling thread, freed when that ends. Throws std::bad_alloc at its first call alone.
  static Words& of_thread() {
    static constinit ENGINE_THREAD_LOCAL Words* here = nullptr;
    if (here) return *here;
    static const Key key;
    auto made = std::make_unique<Words>();
    if (!key.is_valid || pthread_setspecific(key.id, made.get()) != 0) throw std::bad_alloc();
    return *(here = made.release());
  }

 private:
  struct Key {
    pthread_key_t id{};
    bool is_valid = pthread_key_create(&id, [](void* words) {
                      last_error = kNoError;
                      delete static_cast<Words*>(words);
                    }) == 0;
    ~Key() {
      if (is_valid) pthread_key_delete(id);
    }
  };
};

/// Where there is no memory for words: those that need none.
engine_code fail_plainly(engine_code code, const char* words) noexcept {
  last_error = kNoError;
  last_error.code = code;
  last_error.message = last_error.what = words;
  return code;
}

engine_code fail(engine_code code, std::string message, const Diagnostic& d) noexcept {
  try {
    last_error = kNoError;
    Words& e = Words::of_thread();
    e.message = std::move(message);
    e.what = d.what;
    e.help = d.help;
    e.text = d.text;
    e.labels.clear();
    e.spans.clear();
    for (const Label& label : d.labels) e.labels.push_back(label.text);
    for (std::size_t i = 0; i < d.labels.size(); ++i)
      e.spans.push_back({d.labels[i].span.begin, d.labels[i].span.end, e.labels[i].c_str()});
    last_error = {code,
                  static_cast<std::uint32_t>(e.spans.size()),
                  e.message.c_str(),
                  e.what.c_str(),
                  e.help.c_str(),
                  e.text.c_str(),
                  e.text.size(),
                  e.spans.data()};
    return code;
  } catch (...) {
    return fail_plainly(code, "the error could not be described: out of memory");
  }
}

/// Runs `body`, and gives the code of what it throws; success leaves the last error as it was.
template <class Body>
engine_code attempt(Body&& body) noexcept {
  try {
    body();
    return ENGINE_OK;
  } catch (const Error& error) {
    try {
      return fail(static_cast<engine_code>(error.kind()), error.what(), error.diagnostic());
    } catch (...) {
      return fail_plainly(static_cast<engine_code>(error.kind()), "the error could not be described: out of memory");
    }
  } catch (BadArgument& bad) {
    Diagnostic d;
    d.what = std::move(bad.what);
    try {
      return fail(ENGINE_BAD_ARGUMENT, d.what, d);
    } catch (...) {
      return fail_plainly(ENGINE_BAD_ARGUMENT, "the error could not be described: out of memory");
    }
  } catch (const Interrupted&) {
    return fail_plainly(ENGINE_INTERRUPTED, "the evaluation was interrupted");
  } catch (const std::bad_alloc&) {
    return fail_plainly(ENGINE_OUT_OF_MEMORY, "out of memory");
  } catch (...) {
    return fail_plainly(ENGINE_INTERNAL_ERROR, "an unexpected exception: please report it");
  }
}

template <class Body>
engine_code guarded(Body&& body) noexcept {
  const engine_code code = attempt(body);
  if (code == ENGINE_OK) last_error = kNoError;
  return code;
}

template <class T>
T& checked(T* pointer, const char* name) {
  if (!pointer) throw BadArgument{fmt::format("{} is NULL", name)};
  return *pointer;
}

// ---- handles --------------------------------------------------------------------------------------------------------

/// The names of a text as C has them.
struct CNames {
  std::vector<std::string> strings;
  std::vector<engine_name> names;

  /// `is_written`: of a name's index.
  template <class IsWritten>
  void read(const Program& program, IsWritten is_written) {
    const std::size_t n = program.n_names();
    for (std::size_t i = 0; i < n; ++i) strings.emplace_back(program.name(i));
    for (std::size_t i = 0; i < n; ++i) {
      const Span span = program.first_span(i);
      names.push_back({strings[i].c_str(), program.required(i), is_written(i), span.begin, span.end});
    }
  }
  const engine_name* at(std::size_t index, const char* whose) const {
    if (index >= names.size()) throw BadArgument{fmt::format("the {} has {} names, and none of index {}", whose, names.size(), index)};
    return &names[index];
  }
};

struct CProgram : CNames {
  std::optional<Program> program;
};

struct CResult {
  ArrayView view;
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> memory;  ///< null where it is the caller's
  DeviceMemory device_memory;          ///< the same of a value on a device
};

struct CStencil : CNames {
  std::optional<Stencil> stencil;
};

/// Never destroyed: other threads may still run when the process ends.
struct Tables {
  Handles<CProgram> programs{1};
  Handles<CResult> results{2};
  Handles<CStencil> stencils{3};
  Handles<LaunchGraph> graphs{4};
  std::mutex device_mutex;
  std::map<void*, DeviceMemory> device_memory;  ///< of engine_device_allocate
};
Tables& tables() {
  static Tables& all = []() -> Tables& {
    static Tables* made = new Tables;
    const auto lock = [] {
      made->programs.lock(), made->results.lock(), made->stencils.lock(), made->graphs.lock(), made->device_mutex.lock();
    };
    const auto unlock = [] {
      made->device_mutex.unlock(), made->graphs.unlock(), made->stencils.unlock(), made->results.unlock(), made->programs.unlock();
    };
    pthread_atfork(lock, unlock, unlock);
    return *made;
  }();
  return all;
}

int ordinal(std::int32_t device) {
  if (device <= ENGINE_HOST) throw BadArgument{fmt::format("device is {}, which is no ENGINE_CUDA_DEVICE", device)};
  return device - ENGINE_CUDA_DEVICE(0);
}

std::int32_t device_number(int ordinal) { return ordinal == kHost ? std::int32_t{ENGINE_HOST} : ENGINE_CUDA_DEVICE(ordinal); }

template <class Handle>
std::uint64_t number(const Handle* handle) {
  return reinterpret_cast<std::uintptr_t>(handle);
}
template <class Handle>
Handle* handle(std::uint64_t number) {
  return reinterpret_cast<Handle*>(static_cast<std::uintptr_t>(number));  // NOLINT(performance-no-int-to-ptr)
}

template <class T, class Handle>
std::shared_ptr<T> find(Handles<T>& table, const Handle* handle, const char* name) {
  checked(handle, name);
  std::shared_ptr<T> found = table.find(number(handle));
  if (!found) throw BadArgument{fmt::format("{} is no live {}: it was freed, or never was one", name, name)};
  return found;
}

// ---- what comes in --------------------------------------------------------------------------------------------------

/// What a struct says its size is: this library's, or more where the caller is of a later version.
template <class T>
std::size_t size_of(const T* given, const char* name) {
  constexpr std::size_t kMost = 4096;
  std::size_t size;
  std::memcpy(&size, given, sizeof size);
  if (size < sizeof(T) || size > kMost)
    throw BadArgument{fmt::format("{}.size is {}; it must be sizeof({}), {} here", name, size, name, sizeof(T))};
  return size;
}

/// A struct that begins with its size, as large as this library knows it. A caller of a later version may give more, as
/// long as it says nothing in the part that is not known here.
template <class T>
T read_struct(const T* given, const char* name) {
  T known{};
  if (!given) return known;
  const std::size_t size = size_of(given, name);
  std::memcpy(&known, given, sizeof(T));
  const char* bytes = reinterpret_cast<const char*>(given);
  if (std::any_of(bytes + sizeof(T), bytes + size, [](char byte) { return byte != 0; }))
    throw BadArgument{fmt::format("{} asks for something that this version, {}, does not have", name, version())};
  return known;
}

template <class T, std::size_t kWords>
T read_word(std::int32_t number, const T (&words)[kWords], const char* name) {
  if (number < 0 || static_cast<std::size_t>(number) >= kWords)
    throw BadArgument{fmt::format("{} is {}, which means nothing", name, number)};
  return words[number];
}

constexpr Order kOrders[] = {Order::K, Order::C, Order::F, Order::A};
constexpr Casting kCastings[] = {Casting::SameKind, Casting::No, Casting::Equiv, Casting::Safe, Casting::Unsafe};
constexpr Exactness kExactnesses[] = {Exactness::Strict, Exactness::Relaxed};
constexpr BackendChoice kBackends[] = {BackendChoice::Auto, BackendChoice::Interp, BackendChoice::Jit, BackendChoice::Cuda};
constexpr bool kSwitch[] = {false, true};
constexpr Boundary kBoundaries[] = {Boundary::Reflect,  Boundary::Mirror, Boundary::Nearest, Boundary::Wrap,
                                    Boundary::Constant, Boundary::Valid,  Boundary::Keep};

Options read_options(const engine_options* given) {
  const engine_options o = read_struct(given, "engine_options");
  // The parser's recursion is bounded by the depth: beyond this a thread's stack could end first.
  constexpr std::uint32_t kDeepest = 2'000;
  Options options;
  options.casting = read_word(o.casting, kCastings, "engine_options.casting");
  options.exactness = read_word(o.exactness, kExactnesses, "engine_options.exactness");
  options.backend = read_word(o.backend, kBackends, "engine_options.backend");
  options.blitz = read_word(o.blitz, kSwitch, "engine_options.blitz");
  if (o.reserved) throw BadArgument{"engine_options.reserved is not 0"};
  if (o.depth) options.limits.depth = std::min(o.depth, kDeepest);
  if (o.nodes) options.limits.nodes = o.nodes;
  if (o.names) options.limits.names = o.names;
  if (o.result_bytes < 0) throw BadArgument{"engine_options.result_bytes is negative"};
  if (o.result_bytes > 0) options.limits.result_bytes = o.result_bytes;
  if (!(o.seconds >= 0)) throw BadArgument{"engine_options.seconds is negative or NaN"};
  options.limits.seconds = o.seconds;
  return options;
}

std::string read_text(const char* text, std::size_t length, const char* name) {
  if (length == ENGINE_TERMINATED) return {&checked(text, name)};
  if (length > 0) checked(text, name);
  return {text, text + length};
}

/// The array a descriptor is about, for messages: an operand that stands in the text, or out.
struct Subject {
  std::string who;
  std::vector<Label> labels;
  std::string text;

  template <class E>
  [[noreturn]] void refuse(std::string what, std::string label, std::string help) const {
    std::vector<Label> at = labels;
    for (Label& one : at) one.text = label;
    throw E({.what = std::move(what), .labels = std::move(at), .help = std::move(help), .text = text});
  }
};

/// Refuses extents whose product, and strides whose reach, no memory has, so that later arithmetic on them cannot overflow.
/// Strides that lead nowhere, for there are no two elements to go between, become 0 where they are absurd.
void check_extent(ArrayView& view, const Subject& subject) {
  constexpr std::int64_t kFarthest = std::int64_t{1} << 57;  // beyond the address space of any machine
  const auto too_large = [&] {
    subject.refuse<ShapeError>(fmt::format("{} is larger than any memory", subject.who), "too large", "check shape and strides");
  };
  const bool empty = std::find(view.shape.begin(), view.shape.end(), 0) != view.shape.end();
  const auto item = static_cast<std::int64_t>(item_size(view.dtype));
  std::int64_t bytes = item, below = 0, above = item;
  for (int axis = 0; axis < view.shape.size(); ++axis) {
    const std::int64_t extent = view.shape[axis];
    std::int64_t& stride = view.strides[axis];
    if (__builtin_mul_overflow(bytes, std::max<std::int64_t>(extent, 1), &bytes)) too_large();
    if (empty || extent == 1) {
      if (stride > kFarthest || stride < -kFarthest) stride = 0;
      continue;
    }
    std::int64_t reach;
    if (__builtin_mul_overflow(extent - 1, stride, &reach) || reach > kFarthest || reach < -kFarthest) too_large();
    (reach < 0 ? below : above) += reach;  // 32 times 2**57 fits
    if (above > kFarthest || below < -kFarthest) too_large();
  }
  if (empty) return;
  if (!view.data) throw BadArgument{fmt::format("{} has elements, but its data is NULL", subject.who)};
  const auto address = reinterpret_cast<std::uintptr_t>(view.data);
  if (address + static_cast<std::uintptr_t>(above) < address || address < static_cast<std::uintptr_t>(-below)) too_large();
}

ArrayView read_array(const engine_array& array, const Subject& subject) {
  if (array.dtype < 0 || static_cast<std::size_t>(array.dtype) >= kDTypes)
    subject.refuse<DTypeError>(fmt::format("{} has the dtype {}, which is none", subject.who, array.dtype), "no such dtype",
                               "dtypes go from ENGINE_BOOL to ENGINE_COMPLEX128");
  if (array.ndim < 0 || array.ndim > kMaxRank)
    subject.refuse<ShapeError>(fmt::format("{} has {} axes", subject.who, array.ndim), "axes",
                               fmt::format("0 to {} are possible", kMaxRank));
  if (array.flags & ~std::uint32_t{ENGINE_READONLY | ENGINE_SWAPPED})
    throw BadArgument{fmt::format("{} has flags {:#x}, some of which mean nothing", subject.who, array.flags)};
  if (array.device < ENGINE_HOST) throw BadArgument{fmt::format("{} is on device {}, which is none", subject.who, array.device)};
  if (array.ndim > 0 && !array.shape) throw BadArgument{fmt::format("{} has axes, but its shape is NULL", subject.who)};

  ArrayView view;
  view.data = array.data;
  view.device = array.device == ENGINE_HOST ? kHost : ordinal(array.device);
  view.dtype = static_cast<DType>(array.dtype);
  view.swapped = (array.flags & ENGINE_SWAPPED) != 0;
  view.writable = (array.flags & ENGINE_READONLY) == 0;
  view.shape = Shape(std::span(array.shape, static_cast<std::size_t>(array.ndim)));
  for (int axis = 0; axis < array.ndim; ++axis)
    if (view.shape[axis] < 0)
      subject.refuse<ShapeError>(fmt::format("{} has the extent {} along axis {}", subject.who, view.shape[axis], axis), "negative extent",
                                 "extents are 0 or more");
  view.strides.resize(array.ndim);
  if (array.strides) {
    std::copy_n(array.strides, array.ndim, view.strides.begin());
  } else {
    auto stride = static_cast<std::int64_t>(item_size(view.dtype));
    for (int axis = array.ndim - 1; axis >= 0; --axis) {
      view.strides[axis] = stride;
      if (__builtin_mul_overflow(stride, std::max<std::int64_t>(view.shape[axis], 1), &stride))
        subject.refuse<ShapeError>(fmt::format("{} is larger than any memory", subject.who), "more than 2**63 bytes", "check its shape");
    }
  }
  check_extent(view, subject);
  // A wrong address would cost the process its context, not the call alone.
  if (view.device != kHost && n_items(view.shape) > 0 && device_of(view.data) != view.device)
    subject.refuse<BackendError>(fmt::format("{} is said to be on cuda:{}, and its memory is not", subject.who, view.device), "not there",
                                 "pass memory of that device, or its own number");
  return view;
}

Beyond read_beyond(const engine_beyond& given) {
  if (given.reserved) throw BadArgument{"engine_beyond.reserved is not 0"};
  if (given.n_axes < 0 || given.n_axes > kMaxRank) throw BadArgument{fmt::format("engine_beyond.n_axes is {}", given.n_axes)};
  Beyond beyond;
  beyond.cval = given.cval[0];
  beyond.cval_imag = given.cval[1];
  if (given.n_axes == 0) return beyond;
  checked(given.sides, "engine_beyond.sides");
  beyond.sides.clear();
  for (std::int32_t axis = 0; axis < given.n_axes; ++axis)
    beyond.sides.emplace_back(read_word(given.sides[2 * axis], kBoundaries, "a boundary"),
                              read_word(given.sides[2 * axis + 1], kBoundaries, "a boundary"));
  return beyond;
}

/// What the steps of a stencil call back.
struct StepsCalls {
  explicit StepsCalls(const engine_steps& steps) : given(steps) {
    if (given.steps < 0) throw BadArgument{fmt::format("engine_steps.steps is {}", given.steps)};
    if (given.every < 0) throw BadArgument{fmt::format("engine_steps.every is {}", given.every)};
    if (given.threads < 0) throw BadArgument{fmt::format("engine_steps.threads is {}", given.threads)};
    if (given.reserved) throw BadArgument{"engine_steps.reserved is not 0"};
  }
  Steps steps() {
    Steps made{.steps = std::max<std::int64_t>(given.steps, 1), .every = std::max<std::int64_t>(given.every, 1)};
    if (given.until) made.until = given.until;
    made.run.threads = given.threads;
    made.context = made.run.context = this;
    if (given.interrupted)
      made.run.interrupted = [](void* context) {
        const engine_steps& asked = static_cast<StepsCalls*>(context)->given;
        return asked.interrupted(asked.interrupted_context) != 0;
      };
    if (given.stepped)
      made.stepped = [](void* context, std::int64_t step, std::span<const ArrayView> fields) {
        const engine_steps& asked = static_cast<StepsCalls*>(context)->given;
        std::vector<engine_array> shown;
        for (const ArrayView& field : fields)
          shown.push_back({field.data, static_cast<std::int32_t>(field.dtype), field.shape.size(), field.shape.begin(),
                           field.strides.begin(), device_number(field.device),
                           ENGINE_READONLY | (field.swapped ? std::uint32_t{ENGINE_SWAPPED} : 0)});
        return asked.stepped(asked.stepped_context, step, shown.data(), shown.size()) == 0;
      };
    return made;
  }
  engine_steps given;
};

Subject operand_subject(const Program& program, std::size_t index) {
  return {fmt::format("'{}'", program.name(index)), {{program.first_span(index), {}}}, program.text()};
}

Operand read_operand(const engine_operand& given, const Program& program, std::size_t index) {
  Operand operand;
  operand.present = given.kind != ENGINE_OPERAND_ABSENT;
  if (given.reserved) throw BadArgument{fmt::format("the operand '{}' has a field 'reserved' that is not 0", program.name(index))};
  const auto put = [&](Weak weak, const void* value, std::size_t size) {
    operand.weak = weak;
    std::memcpy(operand.scalar, value, size);
  };
  switch (given.kind) {
    case ENGINE_OPERAND_ABSENT:
      return operand;
    case ENGINE_OPERAND_ARRAY: {
      const Subject subject = operand_subject(program, index);
      operand.array = read_array(given.value.array, subject);
      if (!operand.array.writable && program.writes(index))
        subject.refuse<ShapeError>(subject.who + " is read-only", "is written to", "pass a copy");
      return operand;
    }
    case ENGINE_OPERAND_BOOL: {
      if (given.value.i != 0 && given.value.i != 1)
        throw BadArgument{fmt::format("the operand '{}' is a bool of value {}", program.name(index), given.value.i)};
      const std::uint8_t value = given.value.i != 0;
      put(Weak::Bool, &value, sizeof value);
      return operand;
    }
    case ENGINE_OPERAND_INT:
      operand.negative = given.value.i < 0;
      put(Weak::Int, &given.value.i, sizeof given.value.i);
      return operand;
    case ENGINE_OPERAND_UINT:
      put(Weak::Int, &given.value.u, sizeof given.value.u);
      return operand;
    case ENGINE_OPERAND_FLOAT:
      put(Weak::Float, &given.value.f, sizeof given.value.f);
      return operand;
    case ENGINE_OPERAND_COMPLEX:
      put(Weak::Complex, given.value.c, sizeof given.value.c);
      return operand;
    default:
      throw BadArgument{fmt::format("the operand '{}' is of kind {}, which means nothing", program.name(index), given.kind)};
  }
}

/// operands[i] belongs to name i; null ones are absent.
std::vector<Operand> read_operands(const Program& program, const std::vector<const engine_operand*>& given) {
  std::vector<Operand> operands(given.size());
  for (std::size_t i = 0; i < given.size(); ++i)
    if (given[i]) operands[i] = read_operand(*given[i], program, i);
  return operands;
}

std::vector<const engine_operand*> in_order(const Program& program, const engine_operand* operands, std::size_t n) {
  if (n != program.n_names()) throw BadArgument{fmt::format("{} operands are given, but the program has {} names", n, program.n_names())};
  if (n > 0) checked(operands, "operands");
  std::vector<const engine_operand*> all(n);
  for (std::size_t i = 0; i < n; ++i) all[i] = operands + i;
  return all;
}

std::vector<const engine_operand*> by_name(const Program& program, const char* const* names, const engine_operand* operands,
                                           std::size_t n) {
  if (n > 0) checked(operands, "operands");
  if (n > 0) checked(names, "names");
  std::vector<const engine_operand*> all(program.n_names(), nullptr);
  for (std::size_t k = 0; k < n; ++k) {
    const std::string_view name = &checked(names[k], "a name among names");
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (program.name(i) != name) continue;
      if (all[i]) throw BadArgument{fmt::format("the operand '{}' is given twice", name)};
      all[i] = operands + k;
    }
  }
  return all;
}

// ---- running --------------------------------------------------------------------------------------------------------

constexpr std::size_t kAlignment = 64;

/// Where a fresh value goes: the caller's callback, or the result itself.
struct Destination {
  const engine_run_options& options;
  CResult* result;
  int device;  ///< where it is to be

  static void* allocate(void* context, DType dtype, const Shape& shape, const Strides& strides, std::size_t n_bytes) {
    auto& self = *static_cast<Destination*>(context);
    void* memory = nullptr;
    if (self.device != kHost && self.result) {
      self.result->device_memory = DeviceMemory(self.device, std::max<std::size_t>(n_bytes, 1));
      return self.result->device_memory.data();
    }
    if (self.options.allocate && self.device == kHost) {
      memory = self.options.allocate(self.options.allocate_context, static_cast<std::int32_t>(dtype), shape.size(), shape.begin(),
                                     strides.begin(), n_bytes);
      const std::size_t alignment = std::min<std::size_t>(item_size(dtype), 8);
      if (memory && reinterpret_cast<std::uintptr_t>(memory) % alignment)
        throw BadArgument{fmt::format("allocate gave memory that is not aligned to {} bytes", alignment)};
    } else if (self.result) {
      if (n_bytes <= SIZE_MAX - kAlignment && posix_memalign(&memory, kAlignment, std::max<std::size_t>(n_bytes, 1)) != 0) memory = nullptr;
      self.result->memory.reset(memory);
    } else {
      throw BadArgument{"there is no place for the value: out, result and allocate are NULL"};
    }
    if (!memory && n_bytes > 0)
      throw OutOfMemory({.what = fmt::format("cannot allocate {} bytes for the result", n_bytes), .labels = {}, .help = {}, .text = {}});
    return memory;
  }
};

void run(const Program& program, const std::vector<const engine_operand*>& given, const engine_array* out,
         const engine_run_options* given_options, engine_result** result) {
  const engine_run_options options = read_struct(given_options, "engine_run_options");
  const Order order = read_word(options.order, kOrders, "engine_run_options.order");
  if (options.threads < 0) throw BadArgument{"engine_run_options.threads is negative"};
  const auto graph = options.graph ? find(tables().graphs, options.graph, "graph") : nullptr;
  const std::vector<Operand> operands = read_operands(program, given);
  std::optional<ArrayView> out_view;
  if (out) {
    const Subject subject{"out", {}, program.text()};
    out_view = read_array(*out, subject);
    if (!out_view->writable) subject.refuse<ShapeError>("out is read-only", {}, "give an array that may be written");
  }

  // The handle is made before anything is computed: afterwards nothing can fail.
  struct Pending {
    std::shared_ptr<CResult> value;
    std::uint64_t number = 0;
    ~Pending() {
      if (number) tables().results.erase(number);
    }
  } pending;
  if (result) {
    pending.value = std::make_shared<CResult>();
    pending.number = tables().results.insert(pending.value);
  }
  Destination destination{options, pending.value.get(), program.device(operands.data(), out_view ? &*out_view : nullptr)};
  Execution execution(program, operands.data(), out_view ? &*out_view : nullptr, order, {&Destination::allocate, &destination});
  if (out && execution.target_name() >= 0)
    throw BadArgument{fmt::format("out has no use: the program ends in an assignment to '{}', which is its value",
                                  program.name(static_cast<std::size_t>(execution.target_name())))};
  RunOptions run_options{.threads = options.threads, .graph = graph.get()};
  if (options.interrupted) {
    run_options.interrupted = [](void* context) {
      const auto& o = *static_cast<const engine_run_options*>(context);
      return o.interrupted(o.interrupted_context) != 0;
    };
    run_options.context = const_cast<engine_run_options*>(&options);
  }
  execution.run(run_options);
  if (!result) return;
  pending.value->view = execution.result();
  *result = handle<engine_result>(std::exchange(pending.number, 0));
}

void write_text(std::string_view text, char* buffer, std::size_t capacity, std::size_t* length) {
  if (capacity > 0) {
    const std::size_t n = std::min(text.size(), capacity - 1);
    std::memcpy(buffer, text.data(), n);
    buffer[n] = '\0';
  }
  if (length) *length = text.size();
}

// ---- tables ---------------------------------------------------------------------------------------------------------

/// The catalog in strings that end in zero.
struct Catalog {
  std::vector<std::array<std::string, 5>> strings;
  std::vector<engine_function> rows;
  Catalog() {
    for (std::size_t i = 0; i < n_functions(); ++i) {
      const Function row = function(i);
      strings.push_back(
          {std::string(row.name), std::string(row.arguments), std::string(row.sentence), std::string(row.oracle), std::string(row.kind)});
    }
    for (std::size_t i = 0; i < strings.size(); ++i) {
      const Function row = function(i);
      const auto& s = strings[i];
      rows.push_back({s[0].c_str(), s[1].c_str(), s[2].c_str(), s[3].c_str(), s[4].c_str(), row.ulp, row.low, row.high});
    }
  }
};

struct BackendRows {
  std::vector<std::array<std::string, 2>> strings;
  std::vector<engine_backend> rows;
  BackendRows() {
    for (const Backend& row : backends()) strings.push_back({std::string(row.name), std::string(row.reason)});
    for (std::size_t i = 0; i < strings.size(); ++i) rows.push_back({strings[i][0].c_str(), backends()[i].usable, strings[i][1].c_str()});
  }
};

/// Text of static storage that ends in zero.
template <std::string_view (*kText)() noexcept>
const char* static_text() noexcept {
  static constexpr std::size_t kMost = 128;
  static const auto text = [] {
    std::array<char, kMost> all{};
    const std::string_view from = kText();
    std::memcpy(all.data(), from.data(), std::min(from.size(), kMost - 1));
    return all;
  }();
  return text.data();
}

}  // namespace
}  // namespace engine::c

using namespace engine;
using namespace engine::c;

extern "C" {

const char* engine_code_name(engine_code code) {
  static constexpr const char* kNames[] = {"",           "ParseError",   "UnknownName", "DTypeError",    "ShapeError",  "RangeError",
                                           "LimitError", "BackendError", "OutOfMemory", "InternalError", "BadArgument", "Interrupted"};
  return code >= 0 && static_cast<std::size_t>(code) < std::size(kNames) ? kNames[code] : nullptr;
}

const engine_error* engine_last_error() { return &last_error; }

const char* engine_dtype_name(int32_t dtype) {
  static constexpr const char* kNames[kDTypes] = {"bool",  "int8",   "uint8",   "int16",   "uint16",  "int32",     "uint32",
                                                  "int64", "uint64", "float16", "float32", "float64", "complex64", "complex128"};
  return dtype >= 0 && static_cast<std::size_t>(dtype) < kDTypes ? kNames[dtype] : nullptr;
}

size_t engine_dtype_size(int32_t dtype) {
  return dtype >= 0 && static_cast<std::size_t>(dtype) < kDTypes ? item_size(static_cast<DType>(dtype)) : 0;
}

engine_code engine_compile(const char* text, size_t length, const engine_options* options, engine_program** program) {
  return guarded([&] {
    checked(program, "program") = nullptr;
    auto made = std::make_shared<CProgram>();
    made->program = Program::compile(read_text(text, length, "text"), read_options(options));
    made->read(*made->program, [&](std::size_t i) { return made->program->writes(i); });
    *program = handle<engine_program>(tables().programs.insert(std::move(made)));
  });
}

engine_code engine_program_free(engine_program* program) {
  return attempt([&] {
    if (program && !tables().programs.erase(number(program))) throw BadArgument{"program was freed already, or never was one"};
  });
}

size_t engine_program_n_names(const engine_program* program) {
  std::size_t n = 0;
  guarded([&] { n = find(tables().programs, program, "program")->names.size(); });
  return n;
}

const engine_name* engine_program_name(const engine_program* program, size_t index) {
  const engine_name* name = nullptr;
  guarded([&] {
    const auto found = find(tables().programs, program, "program");
    name = found->at(index, "program");
  });
  return name;
}

engine_code engine_run(const engine_program* program, const engine_operand* operands, size_t n_operands, const engine_array* out,
                       const engine_run_options* options, engine_result** result) {
  return guarded([&] {
    if (result) *result = nullptr;
    const auto found = find(tables().programs, program, "program");
    c::run(*found->program, in_order(*found->program, operands, n_operands), out, options, result);
  });
}

engine_code engine_evaluate(const char* text, size_t length, const char* const* names, const engine_operand* operands, size_t n_operands,
                            const engine_array* out, const engine_options* options, const engine_run_options* run_options,
                            engine_result** result) {
  return guarded([&] {
    if (result) *result = nullptr;
    const auto program = Program::compile(read_text(text, length, "text"), read_options(options));
    c::run(program, by_name(program, names, operands, n_operands), out, run_options, result);
  });
}

engine_code engine_compile_stencil(const char* text, size_t length, const engine_beyond* beyond, size_t n_beyond,
                                   const engine_options* options, engine_stencil** stencil) {
  return guarded([&] {
    checked(stencil, "stencil") = nullptr;
    if (n_beyond > 0) checked(beyond, "beyond");
    StencilOptions made_of{.beyond = {}, .fields = {}, .options = read_options(options)};
    for (std::size_t i = 0; i < n_beyond; ++i) {
      if (beyond[i].field)
        made_of.fields.emplace_back(beyond[i].field, read_beyond(beyond[i]));
      else
        made_of.beyond = read_beyond(beyond[i]);
    }
    auto made = std::make_shared<CStencil>();
    made->stencil = Stencil::compile(read_text(text, length, "text"), made_of);
    made->read(made->stencil->program(), [&](std::size_t i) { return made->stencil->assigns(i); });
    *stencil = handle<engine_stencil>(tables().stencils.insert(std::move(made)));
  });
}

engine_code engine_stencil_free(engine_stencil* stencil) {
  return attempt([&] {
    if (stencil && !tables().stencils.erase(number(stencil))) throw BadArgument{"stencil was freed already, or never was one"};
  });
}

size_t engine_stencil_n_names(const engine_stencil* stencil) {
  std::size_t n = 0;
  guarded([&] { n = find(tables().stencils, stencil, "stencil")->names.size(); });
  return n;
}

const engine_name* engine_stencil_name(const engine_stencil* stencil, size_t index) {
  const engine_name* name = nullptr;
  guarded([&] {
    const auto found = find(tables().stencils, stencil, "stencil");
    name = found->at(index, "stencil");
  });
  return name;
}

engine_code engine_stencil_run(const engine_stencil* stencil, const engine_operand* operands, size_t n_operands, const engine_array* outs,
                               size_t n_outs, const engine_steps* steps, int64_t* n_made) {
  return guarded([&] {
    if (n_made) *n_made = 0;
    const auto found = find(tables().stencils, stencil, "stencil");
    const Program& program = found->stencil->program();
    const std::vector<Operand> given = read_operands(program, in_order(program, operands, n_operands));
    if (n_outs > 0) checked(outs, "outs");
    std::vector<ArrayView> targets;
    for (std::size_t i = 0; i < n_outs; ++i) targets.push_back(read_array(outs[i], {fmt::format("outs[{}]", i), {}, program.text()}));
    StepsCalls calls{read_struct(steps, "engine_steps")};
    const std::int64_t made = found->stencil->run(given.data(), targets, calls.steps());
    if (n_made) *n_made = made;
  });
}

engine_code engine_result_array(const engine_result* result, engine_array* array) {
  return guarded([&] {
    const auto found = find(tables().results, result, "result");
    const ArrayView& view = found->view;
    checked(array, "array") = {view.data,
                               static_cast<std::int32_t>(view.dtype),
                               view.shape.size(),
                               view.shape.begin(),
                               view.strides.begin(),
                               device_number(view.device),
                               view.swapped ? std::uint32_t{ENGINE_SWAPPED} : 0};
  });
}

engine_code engine_result_free(engine_result* result) {
  return attempt([&] {
    if (result && !tables().results.erase(number(result))) throw BadArgument{"result was freed already, or never was one"};
  });
}

engine_code engine_device_allocate(int32_t device, size_t n_bytes, void** data) {
  return guarded([&] {
    checked(data, "data") = nullptr;
    DeviceMemory memory(ordinal(device), std::max<std::size_t>(n_bytes, 1));
    void* const address = memory.data();
    const std::lock_guard lock(tables().device_mutex);
    tables().device_memory.emplace(address, std::move(memory));
    *data = address;
  });
}

engine_code engine_device_free(void* data) {
  return attempt([&] {
    DeviceMemory memory;  // given back when the lock is
    const std::lock_guard lock(tables().device_mutex);
    const auto found = tables().device_memory.find(data);
    if (data && found == tables().device_memory.end()) throw BadArgument{"data was freed already, or never was of engine_device_allocate"};
    if (!data) return;
    memory = std::move(found->second);
    tables().device_memory.erase(found);
  });
}

engine_code engine_copy_to_device(int32_t device, void* to, const void* from, size_t n_bytes) {
  return guarded([&] {
    if (n_bytes)
      copy_to_device(ordinal(device), &checked(static_cast<char*>(to), "to"), &checked(static_cast<const char*>(from), "from"), n_bytes);
  });
}

engine_code engine_copy_to_host(int32_t device, void* to, const void* from, size_t n_bytes) {
  return guarded([&] {
    if (n_bytes)
      copy_to_host(ordinal(device), &checked(static_cast<char*>(to), "to"), &checked(static_cast<const char*>(from), "from"), n_bytes);
  });
}

engine_code engine_device_of(const void* data, int32_t* device) {
  return guarded([&] { checked(device, "device") = device_number(device_of(data)); });
}

engine_code engine_stream_of(int32_t device, void** stream) {
  return guarded([&] { checked(stream, "stream") = stream_of(ordinal(device)); });
}

engine_code engine_start_after(int32_t device, void* stream) {
  return guarded([&] { start_after(ordinal(device), stream); });
}

engine_code engine_make_wait(int32_t device, void* stream) {
  return guarded([&] { make_wait(ordinal(device), stream); });
}

size_t engine_trim() { return trim(); }

engine_code engine_graph_create(engine_graph** graph) {
  return guarded([&] {
    checked(graph, "graph") = nullptr;
    *graph = handle<engine_graph>(tables().graphs.insert(std::make_shared<LaunchGraph>()));
  });
}

engine_code engine_graph_free(engine_graph* graph) {
  return attempt([&] {
    if (graph && !tables().graphs.erase(number(graph))) throw BadArgument{"graph was freed already, or never was one"};
  });
}

engine_code engine_graph_info(const engine_graph* graph, engine_graph_stats* stats) {
  return guarded([&] {
    const std::size_t size = size_of(&checked(stats, "stats"), "engine_graph_stats");
    const LaunchGraphStats found = find(tables().graphs, graph, "graph")->stats();
    const engine_graph_stats known{size, found.kernels, found.captures, found.updates, found.replays};
    std::memset(stats, 0, size);
    std::memcpy(stats, &known, sizeof known);
  });
}

engine_code engine_last_run(engine_run_info* info) {
  return guarded([&] {
    const std::size_t size = size_of(&checked(info, "info"), "engine_run_info");
    const RunInfo& run = last_run();
    const Traffic& t = run.traffic;
    const engine_run_info known{size,
                                run.runs,
                                run.compiled,
                                run.threads,
                                run.seconds,
                                t.kernels,
                                t.operations,
                                t.bytes_read,
                                t.bytes_written,
                                t.copies,
                                t.bytes_copied,
                                static_cast<std::int32_t>(run.backend),
                                0};
    std::memset(info, 0, size);
    std::memcpy(info, &known, sizeof known);
  });
}

engine_code engine_explain(const engine_program* program, const engine_operand* operands, size_t n_operands, int32_t order, int32_t format,
                           char* buffer, size_t capacity, size_t* length) {
  return guarded([&] {
    if (length) *length = 0;
    const auto found = find(tables().programs, program, "program");
    if (capacity > 0) checked(buffer, "buffer") = '\0';
    const bool as_json = read_word(format, kSwitch, "format");
    const auto given = in_order(*found->program, operands, n_operands);
    const Explanation words = found->program->describe(read_operands(*found->program, given).data(), read_word(order, kOrders, "order"));
    write_text(as_json ? words.json : words.text, buffer, capacity, length);
  });
}

engine_code engine_gradient(const char* text, size_t text_length, const char* wrt, char* buffer, size_t capacity, size_t* length) {
  return guarded([&] {
    if (length) *length = 0;
    if (capacity > 0) checked(buffer, "buffer") = '\0';
    write_text(gradient(read_text(text, text_length, "text"), &checked(wrt, "wrt")), buffer, capacity, length);
  });
}

const char* engine_version() { return static_text<version>(); }
const char* engine_compiler() { return static_text<compiler>(); }
const char* engine_instruction_set() { return static_text<instruction_set>(); }
int32_t engine_abi_version() { return ENGINE_ABI_VERSION; }

int32_t engine_num_threads() { return num_threads(); }
engine_code engine_set_num_threads(int32_t n) {
  return guarded([&] {
    if (n < 0) throw BadArgument{"the number of threads is negative"};
    set_num_threads(n);
  });
}

size_t engine_n_functions() { return n_functions(); }
const engine_function* engine_function_at(size_t index) {
  const engine_function* row = nullptr;
  guarded([&] {
    static const Catalog catalog;
    if (index >= catalog.rows.size())
      throw BadArgument{fmt::format("there are {} functions, and none of index {}", catalog.rows.size(), index)};
    row = &catalog.rows[index];
  });
  return row;
}

size_t engine_n_backends() { return backends().size(); }
const engine_backend* engine_backend_at(size_t index) {
  const engine_backend* row = nullptr;
  guarded([&] {
    static const BackendRows all;
    if (index >= all.rows.size()) throw BadArgument{fmt::format("there are {} backends, and none of index {}", all.rows.size(), index)};
    row = &all.rows[index];
  });
  return row;
}

}  // extern "C"

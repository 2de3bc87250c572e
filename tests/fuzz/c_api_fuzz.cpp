// Any calls of the C interface with sound addresses: codes, never a crash, and never a byte outside the arrays.
//
// Descriptors are random in all that can be checked. Where shape and strides reach no farther than some kilobytes, the data
// is put into exactly as much memory, so that whatever the library touches beyond is found; all others it must refuse.
#include <engine/engine.h>
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace {

using Wide = __int128;
constexpr std::int64_t kMemory = 4096;  // most bytes behind an array, and most elements
constexpr std::size_t kAxes = ENGINE_MAX_NDIM;
constexpr std::size_t kOperands = 4;

void demand(bool claim) {
  if (!claim) std::abort();
}

struct Descriptor {
  engine_array array{};
  std::int64_t shape[kAxes] = {}, strides[kAxes] = {};
  std::unique_ptr<char[]> memory;  // exactly as much as the descriptor claims
  bool is_sound = false;
};

bool has_valid_fields(const engine_array& a) {
  if (a.ndim < 0 || a.ndim > ENGINE_MAX_NDIM || engine_dtype_size(a.dtype) == 0 || a.device != ENGINE_HOST) return false;
  if ((a.flags & ~3u) || (a.ndim > 0 && !a.shape)) return false;
  for (int axis = 0; axis < a.ndim; ++axis)
    if (a.shape[axis] < 0) return false;
  return true;
}

/// Gives a descriptor memory for what it reaches, counted without overflow. Data of what no memory has is some address, so
/// that only its extents tell; data of what is merely large is NULL.
void place(Descriptor& d) {
  static char somewhere;
  engine_array& a = d.array;
  a.data = &somewhere;
  if (!has_valid_fields(a)) return;
  const Wide item = static_cast<Wide>(engine_dtype_size(a.dtype)), beyond = Wide{1} << 64;  // larger than what is allowed
  Wide low = 0, high = item, count = 1;
  bool empty = false;
  for (int axis = a.ndim - 1; axis >= 0; --axis) {
    const Wide extent = a.shape[axis], stride = a.strides ? Wide{a.strides[axis]} : std::min(std::min(count, beyond) * item, beyond >> 2);
    empty |= extent == 0;
    if (extent > 1 && low > -beyond && high < beyond) ((extent - 1) * stride < 0 ? low : high) += (extent - 1) * stride;
    if (extent > 1) count = std::min(count, beyond >> 2) * extent;
  }
  count = std::min(count, beyond);
  if (count * item > INT64_MAX) return;  // also where it is empty: NumPy makes no such array
  if (empty) {
    a.data = nullptr;
    d.is_sound = true;
    return;
  }
  if (high - low > Wide{1} << 62) return;
  a.data = nullptr;
  if (high - low > kMemory || count > kMemory) return;
  const auto size = static_cast<std::size_t>(high - low);
  d.memory.reset(new char[size]);
  // Bools are 0 or 1.
  for (std::size_t i = 0; i < size; ++i) d.memory[i] = static_cast<char>(a.dtype == ENGINE_BOOL ? i % 3 == 0 : i * 37 + 11);
  a.data = d.memory.get() - static_cast<std::ptrdiff_t>(low);
  d.is_sound = true;
}

/// True once in `n` times; false when the input is used up, so that short inputs are plain calls.
bool rarely(FuzzedDataProvider& in, int n) { return in.ConsumeIntegralInRange(1, n) == n; }

std::int64_t number(FuzzedDataProvider& in) {
  if (rarely(in, 8)) return in.ConsumeIntegral<std::int64_t>();
  if (rarely(in, 8)) return in.PickValueInArray<std::int64_t>({INT64_MIN, INT64_MAX, INT64_MIN + 1, INT32_MAX, std::int64_t{1} << 57});
  return in.ConsumeIntegralInRange<std::int64_t>(-3, 9);
}

void fill(FuzzedDataProvider& in, Descriptor& d) {
  engine_array& a = d.array;
  a.dtype = rarely(in, 64) ? in.ConsumeIntegral<std::int32_t>() : in.ConsumeIntegralInRange(0, 13);
  a.ndim = rarely(in, 32) ? in.ConsumeIntegralInRange(-2, 34) : in.ConsumeIntegralInRange(0, 4);
  if (rarely(in, 128)) a.ndim = in.ConsumeIntegral<std::int32_t>();
  const auto known = static_cast<std::size_t>(a.ndim < 0 ? 0 : a.ndim > static_cast<int>(kAxes) ? kAxes : a.ndim);
  const std::int64_t usual = in.ConsumeIntegralInRange<std::int64_t>(0, 5);  // axes of one length broadcast
  for (std::size_t axis = 0; axis < known; ++axis) {
    d.shape[axis] = rarely(in, 64) ? number(in) : rarely(in, 4) ? in.ConsumeIntegralInRange<std::int64_t>(0, 5) : usual;
    d.strides[axis] = rarely(in, 16) ? number(in) : 8 * in.ConsumeIntegralInRange<std::int64_t>(-4, 4);
  }
  a.shape = rarely(in, 128) ? nullptr : d.shape;
  a.strides = rarely(in, 3) ? nullptr : d.strides;
  a.flags = rarely(in, 64) ? in.ConsumeIntegral<std::uint32_t>() : rarely(in, 8) ? in.ConsumeIntegralInRange(0u, 3u) : 0;
  a.device = rarely(in, 64) ? in.ConsumeIntegral<std::int32_t>() : 0;
  place(d);
}

constexpr const char* kTexts[] = {"a + b*c",          "a[::2] * b",         "b[1:-1] = a[:-2] + a[2:]", "sum(a*b, axis=0)",
                                  "a.T + n",          "where(a > b, a, b)", "a[..., None] - b",         "a += b; a * 2",
                                  "max(a) - mean(b)", "a[n:] // 3",         "b[...] = a; a[...] = b",   "argmax(a)",
                                  "a[::-1]",          "index(0) * a",       "x = a*a; var(x)"};

void* allocate(void* context, std::int32_t, std::int32_t ndim, const std::int64_t* shape, const std::int64_t* strides,
               std::size_t n_bytes) {
  for (int axis = 0; axis < ndim; ++axis) demand(shape[axis] >= 0 && strides[axis] >= 0);
  auto& memory = *static_cast<std::vector<std::max_align_t>*>(context);
  if (n_bytes > 1 << 20) return nullptr;
  memory.resize(n_bytes / sizeof(std::max_align_t) + 1);
  return memory.data();
}

int stop_soon(void* context) { return ++*static_cast<int*>(context) > 5; }

/// An error says what it is; a success says nothing.
void check_error(engine_code code) {
  const engine_error* error = engine_last_error();
  demand(code >= ENGINE_OK && code <= ENGINE_INTERRUPTED && code != ENGINE_INTERNAL_ERROR);
  demand(error->code == code && (error->message[0] != '\0') == (code != ENGINE_OK));
  for (std::uint32_t i = 0; i < error->n_spans; ++i)
    demand(error->spans[i].begin <= error->spans[i].end && error->spans[i].end <= error->text_length && error->spans[i].label);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzedDataProvider in(data, size);
  engine_options options{};
  options.size = rarely(in, 64) ? in.ConsumeIntegralInRange<std::size_t>(0, sizeof options) : sizeof options;
  options.casting = rarely(in, 64)
                        ? in.ConsumeIntegral<std::int32_t>()
                        : in.PickValueInArray<std::int32_t>({ENGINE_CASTING_UNSAFE, ENGINE_CASTING_NO, ENGINE_CASTING_SAME_KIND});
  options.blitz = rarely(in, 4);
  options.backend = rarely(in, 64) ? in.ConsumeIntegral<std::int32_t>() : 0;
  options.result_bytes = 1 << 20;
  options.seconds = 2;
  const std::string text = rarely(in, 8) ? in.ConsumeRandomLengthString(40) : in.PickValueInArray(kTexts);
  engine_program* program = nullptr;
  const engine_code compiled = engine_compile(text.data(), text.size(), &options, &program);
  check_error(compiled);
  demand((compiled == ENGINE_OK) == (program != nullptr));
  if (!program) return 0;

  const std::size_t n = engine_program_n_names(program);
  if (n <= kOperands) {
    std::array<Descriptor, kOperands + 1> descriptors;
    std::array<engine_operand, kOperands> operands{};
    bool all_sound = true;
    const auto take = [&](Descriptor& d) {
      fill(in, d);
      all_sound &= d.is_sound;
    };
    for (std::size_t i = 0; i < n; ++i) {
      operands[i].kind = rarely(in, 4)    ? in.ConsumeIntegralInRange(2, 6)
                         : rarely(in, 64) ? in.ConsumeIntegral<std::int32_t>()
                                          : ENGINE_OPERAND_ARRAY;
      if (operands[i].kind == ENGINE_OPERAND_ARRAY) {
        take(descriptors[i]);
        operands[i].value.array = descriptors[i].array;
      } else {
        operands[i].value.i = operands[i].kind == ENGINE_OPERAND_BOOL ? rarely(in, 2) : number(in);
        operands[i].value.c[1] = in.ConsumeFloatingPoint<double>();
      }
    }
    const bool has_out = rarely(in, 3);
    Descriptor& out = descriptors[kOperands];
    if (has_out) {
      // Some outs share their shape or their memory with an operand: those get further.
      if (n > 0 && !rarely(in, 3) && operands[0].kind == ENGINE_OPERAND_ARRAY)
        out.array = operands[0].value.array;
      else
        take(out);
    }
    engine_run_options run_options{};
    std::vector<std::max_align_t> memory;
    int asked = 0;
    run_options.size = sizeof run_options;
    run_options.order = rarely(in, 64) ? in.ConsumeIntegral<std::int32_t>() : in.ConsumeIntegralInRange(0, 3);
    run_options.threads = rarely(in, 64) ? in.ConsumeIntegral<std::int32_t>() : in.ConsumeIntegralInRange(0, 2);
    if (in.ConsumeBool()) run_options.allocate = allocate, run_options.allocate_context = &memory;
    if (in.ConsumeBool()) run_options.interrupted = stop_soon, run_options.interrupted_context = &asked;
    engine_result* result = nullptr;
    const engine_code code = engine_run(program, operands.data(), n, has_out ? &out.array : nullptr, &run_options, &result);
    check_error(code);
    demand((code == ENGINE_OK) == (result != nullptr));
    demand(all_sound || code != ENGINE_OK);
    if (result) {
      engine_array value;
      demand(engine_result_array(result, &value) == ENGINE_OK);
      demand(value.ndim >= 0 && value.ndim <= ENGINE_MAX_NDIM && engine_dtype_name(value.dtype));
      demand(engine_result_free(result) == ENGINE_OK && engine_result_free(result) == ENGINE_BAD_ARGUMENT);
    }
    char words[64];
    check_error(
        engine_explain(program, operands.data(), n, run_options.order, in.ConsumeIntegralInRange(0, 2), words, sizeof words, nullptr));
  }
  demand(engine_program_free(program) == ENGINE_OK && engine_program_free(program) == ENGINE_BAD_ARGUMENT);
  return 0;
}

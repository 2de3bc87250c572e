// evaluate.cpp - the pipeline, top to bottom: text -> syntax tree -> graph -> smaller graph -> plan -> code -> array.
#include <engine/evaluate.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <vector>

#include "engine/base/json.hpp"
#include "engine/catalog/evaluate.hpp"
#include "engine/frontend/derive.hpp"
#include "engine/frontend/parser.hpp"
#include "engine/ir/build.hpp"
#include "engine/opt/pipeline.hpp"
#include "engine/placement.hpp"
#include "engine/plan/bind.hpp"
#include "engine/plan/explain.hpp"
#include "engine/program.hpp"
#include "engine/run/backend.hpp"
#include "engine/run/executor.hpp"
#include "engine/run/jit/jit.hpp"

namespace engine {
namespace {

/// ENGINE_DUMP=ast,ir,opt,plan,code writes each stage's value to stderr, for people who work on the engine.
bool wants_dump(std::string_view stage) {
  static const char* const list = std::getenv("ENGINE_DUMP");
  if (!list) return false;
  const std::string_view all = list;
  for (std::size_t at = 0; at <= all.size();) {
    const std::size_t end = std::min(all.find(',', at), all.size());
    if (all.substr(at, end - at) == stage) return true;
    at = end + 1;
  }
  return false;
}
void dump(std::string_view stage, const std::string& text) {
  std::fprintf(stderr, "-- %.*s\n%s\n", static_cast<int>(stage.size()), stage.data(), text.c_str());
}

[[noreturn]] void out_of_memory(std::string_view doing, std::string_view text) {
  throw OutOfMemory({.what = fmt::format("out of memory while {}", doing), .labels = {}, .help = {}, .text = std::string(text)});
}

std::int64_t nanoseconds(Clock::duration time) { return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count(); }

/// Takes the time of each stage and looks at the deadline after it.
class Stages {
 public:
  explicit Stages(const Deadline& deadline) : deadline_(deadline), last_(Clock::now()) {}
  void done(std::string_view stage) {
    const Clock::time_point now = Clock::now();
    times[static_cast<std::size_t>(std::find(kStages.begin(), kStages.end(), stage) - kStages.begin())] = nanoseconds(now - last_);
    last_ = now;
    deadline_.left();
  }
  StageTimes times{};

 private:
  const Deadline& deadline_;
  Clock::time_point last_;
};

/// What the calling thread did last. Written on every call: the figures of simple plans are left to who asks for them.
struct ThreadRecord {
  RunInfo run;
  bool is_simple = false;  ///< then run.traffic follows from:
  plan::SimpleWork simple;
  std::uint64_t total = 0;
  const void* parsed = nullptr;  ///< the program this thread parsed last, until it is first compiled
};
constinit ENGINE_THREAD_LOCAL ThreadRecord record;

/// The integer a rank-0 integer operand holds, as OperandType wants it.
void read_integer(const ArrayView& array, ir::OperandType& type) {
  alignas(16) std::byte raw[16];
  std::memcpy(raw, array.data, item_size(array.dtype));
  if (array.swapped) std::reverse(raw, raw + item_size(array.dtype));
  if (array.dtype == DType::UInt64) {
    std::uint64_t value;
    std::memcpy(&value, raw, 8);
    type.value = ir::Value::of(value);
    type.negative = false;
  } else {
    std::int64_t value = 0;
    catalog::cast_scalar(array.dtype, DType::Int64, raw, &value);
    type.value = ir::Value::of(value);
    type.negative = value < 0;
  }
}

DType weak_default(Weak weak) {
  switch (weak) {
    case Weak::Bool:
      return DType::Bool;
    case Weak::Int:
      return DType::Int64;
    case Weak::Float:
      return DType::Float64;
    default:
      return DType::Complex128;
  }
}

}  // namespace

ir::OperandType type_of(const Operand& operand, bool with_value) {
  ir::OperandType type;
  type.weak = operand.weak;
  if (operand.weak == Weak::No) {
    type.dtype = operand.array.dtype;
    type.rank = static_cast<std::uint8_t>(operand.array.shape.size());
    if (with_value && type.rank == 0 && (is_integer(type.dtype) || type.dtype == DType::Bool)) {
      type.has_value = true;
      read_integer(operand.array, type);
    }
    return type;
  }
  type.dtype = weak_default(operand.weak);
  if (with_value || operand.weak == Weak::Int || operand.weak == Weak::Bool) {
    type.has_value = true;
    type.negative = operand.negative;
    const std::size_t size = operand.weak == Weak::Bool ? 1 : operand.weak == Weak::Complex ? 16 : 8;
    std::memcpy(type.value.bytes.data(), operand.scalar, size);
  }
  return type;
}

ExtentClass extents_of(const Operand* operands, std::size_t n) noexcept {
  constexpr std::int64_t kFew = 512;  // of which a function takes as long as a pass over a few of them
  ExtentClass all;
  std::array<std::int64_t, kMaxRank> most;
  int rank = 0;
  std::int64_t product = 1, largest = 1;  // of all extents of all operands, and of those of one, as far as they are of interest
  for (std::size_t i = 0; i < n; ++i) {
    if (!operands[i].present || operands[i].weak != Weak::No) continue;
    const Shape& shape = operands[i].array.shape;
    while (rank < shape.size()) most[static_cast<std::size_t>(rank++)] = 1;
    std::int64_t size = 1;
    for (int axis = 0; axis < shape.size(); ++axis) {
      const std::int64_t extent = shape[shape.size() - 1 - axis];
      if (extent == 1) continue;
      all.longer |= std::uint32_t{1} << axis;
      std::int64_t& of_all = most[static_cast<std::size_t>(axis)];
      of_all = std::max(of_all, extent);
      size = std::min(size * std::min(extent, kFew), kFew);
    }
    product = std::min(product * size, kFew);
    largest = std::max(largest, size);
  }
  std::int64_t elements = 1;
  for (int axis = 0; axis < rank && elements < kFew; ++axis) elements *= std::min(most[static_cast<std::size_t>(axis)], kFew);
  all.are_few = elements < kFew;
  all.are_few_spread = std::max(product, largest * largest) < kFew;  // an operand may be spread against itself
  return all;
}
std::uint32_t axes_of_one(const Operand& operand, const ExtentClass& all) noexcept {
  if (!operand.present || operand.weak != Weak::No) return 0;
  std::uint32_t ones = 0;
  const Shape& shape = operand.array.shape;
  for (int axis = 0; axis < shape.size(); ++axis)
    if (shape[shape.size() - 1 - axis] == 1) ones |= std::uint32_t{1} << axis;
  return ones & all.longer;
}

/// Where a call runs: on the device of its arrays, or kHost. Numbers, and host arrays of rank 0 that are only read, go along.
int Program::Impl::device_of(const Operand* operands, const ArrayView* out) const {
  int device = out ? out->device : kHost;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (operands[i].present && operands[i].weak == Weak::No && operands[i].array.device != kHost) device = operands[i].array.device;
  if (device == kHost) return kHost;
  const auto place = [](int ordinal) {
    return ordinal == kHost ? std::string("in the host's memory") : fmt::format("on cuda:{}", ordinal);
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!operands[i].present || operands[i].weak != Weak::No || operands[i].array.device == device) continue;
    if (operands[i].array.device == kHost && operands[i].array.shape.empty() && !written[i]) continue;
    throw BackendError(
        {.what = fmt::format("'{}' is {}, other arrays are {}", ast.symbols[names[i]], place(operands[i].array.device), place(device)),
         .labels = {{spans[i], place(operands[i].array.device)}},
         .help = "bring them together: device=\"cuda\", engine.to_device(a), or a.numpy()",
         .text = text});
  }
  if (out && out->device != device)
    throw BackendError({.what = fmt::format("out is {}, the operands are {}", place(out->device), place(device)),
                        .labels = {},
                        .help = "pass an out that is where they are",
                        .text = text});
  if (options.backend == BackendChoice::Interp || options.backend == BackendChoice::Jit)
    throw BackendError({.what = fmt::format("the backend \"{}\" does not reach cuda:{}",
                                            options.backend == BackendChoice::Interp ? "interp" : "jit", device),
                        .labels = {},
                        .help = "leave the choice to backend=\"auto\", or pass a.numpy()",
                        .text = text});
  if (const Availability found = probe(BackendChoice::Cuda); !found.usable)
    throw BackendError({.what = fmt::format("the operands are on cuda:{}, and the backend \"cuda\" is {}", device, found.reason),
                        .labels = {},
                        .help = std::string(found.help),
                        .text = text});
  return device;
}

std::shared_ptr<const Compiled> Program::Impl::compile(const Operand* operands, const ArrayView* out, bool aliased, int device,
                                                       const Deadline& deadline, std::vector<opt::PassReport>* report) const {
  Stages stages(deadline);
  std::array<std::byte, 16384> stack;
  std::pmr::monotonic_buffer_resource scratch(stack.data(), stack.size());
  auto compiled = std::make_shared<Compiled>();
  Compiled& c = *compiled;
  std::pmr::vector<ir::OperandType> types(ast.symbols.size(), &scratch);
  const std::span<bool> present{static_cast<bool*>(scratch.allocate(ast.symbols.size() + 1, 1)), ast.symbols.size()};
  std::fill(present.begin(), present.end(), false);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!operands[i].present) continue;
    present[names[i]] = true;
    types[names[i]] = type_of(operands[i], false);
  }
  std::pmr::vector<std::uint32_t> slot_of_symbol(&scratch);
  while (true) {
    try {
      ir::BuildResult built = ir::build(ast, types, present.data(), options, aliased, &c.arena, stencil ? &*stencil : nullptr);
      c.graph = std::move(built.graph);
      c.targets = std::move(built.targets);
      slot_of_symbol.assign(built.slot_of_symbol.begin(), built.slot_of_symbol.end());
      break;
    } catch (const ir::NeedsValue& needs) {
      // Known at the second attempt: each name is asked for at most once.
      for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == needs.symbol) {
          if (operands[i].weak == Weak::No && operands[i].array.device != kHost)
            throw DTypeError({.what = fmt::format("the value of '{}' is needed before anything runs", ast.symbols[names[i]]),
                              .labels = {{spans[i], "on a device"}},
                              .help = "pass a Python number: int(a.numpy())",
                              .text = text});
          types[needs.symbol] = type_of(operands[i], true);
        }
      if (!types[needs.symbol].has_value)
        throw InternalError({.what = "a value was asked for that no operand has", .labels = {}, .help = {}, .text = text});
    }
  }
  if (wants_dump("ir")) dump("ir", ir::print(c.graph));
#ifdef ENGINE_VERIFY
  ir::verify(c.graph);
#endif
  stages.done("build");
  c.graph = opt::optimise(std::move(c.graph), options, report);
  if (wants_dump("opt")) dump("opt", ir::print(c.graph));
#ifdef ENGINE_VERIFY
  ir::verify(c.graph);
#endif
  stages.done("optimise");
  if (out) c.out = out->dtype;
  const bool is_for_device = device != kHost || options.backend == BackendChoice::Cuda;
  // Of slots; on a device, functions are computed between loads and stores and cost nothing.
  std::pmr::vector<std::uint32_t> ones(&scratch);
  const ExtentClass all = extents_of(operands, names.size());
  if (!is_for_device) {
    ones.resize(c.graph.slots.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      c.ones.push_back(axes_of_one(operands[i], all));
      if (slot_of_symbol[names[i]] != ir::kNone) ones[slot_of_symbol[names[i]]] = c.ones[i];
    }
  }
  c.plan = plan::make_plan(c.graph, out ? &*c.out : nullptr, options, &c.arena, {ones, all.are_few, all.are_few_spread});
  if (wants_dump("plan")) dump("plan", plan::explain(c.graph, c.plan));
  stages.done("plan");
  const run::interp::MachineCompiler* const machines =
      is_for_device || options.backend == BackendChoice::Interp ? nullptr : run::jit::compiler();
  c.codes.reserve(c.plan.kernels.size());
  c.work.reserve(c.plan.kernels.size());
  for (const plan::Kernel& kernel : c.plan.kernels) {
    c.codes.push_back(run::interp::compile(c.graph, c.plan, kernel, &c.arena, machines));
    c.work.push_back(plan::work_of(c.plan, kernel));
    c.calls += c.codes.back().calls;
    c.in_machines += c.codes.back().in_machines;
  }
  c.device = device;
  if (const run::BackendEntry* backend = run::find_backend(device == kHost ? options.backend : BackendChoice::Cuda))
    c.executable = backend->compile(c.graph, c.plan, device);
  if (wants_dump("code"))
    for (const run::interp::Code& code : c.codes) dump("code", run::interp::print(code));

  c.aliased = aliased;
  c.types.resize(names.size());
  c.present.resize(names.size());
  c.slot_name.assign(c.graph.slots.size(), plan::kNone);
  for (std::size_t i = 0; i < names.size(); ++i) {
    c.types[i] = types[names[i]];
    c.present[i] = present[names[i]];
    const std::uint32_t slot = slot_of_symbol[names[i]];
    if (slot != ir::kNone) c.slot_name[slot] = static_cast<std::uint32_t>(i);
  }
  c.for_few = all.are_few_for(c.plan);
  for (std::size_t k = 0; k < c.targets.targets.size(); ++k)
    c.slot_name[c.targets.targets[k].slot] = static_cast<std::uint32_t>(names.size() + k);
  c.direct = direct_of(c.plan, c.codes, c.slot_name, &c.arena);
  if (c.plan.simple || c.direct.exists) c.simple = plan::simple_work_of(c.plan);
  stages.done("code");
  c.stages = stages.times;
  return compiled;
}

// ---- Program ----------------------------------------------------------------------------------------------------------

template class Handle<const Program::Impl>;

void read_names(Program::Impl& given) {
  Program::Impl* const impl = &given;
  const frontend::Ast& ast = impl->ast;
  const Options& options = impl->options;
  if (wants_dump("ast")) dump("ast", frontend::dump(ast));
  const std::pmr::vector<std::uint32_t> free = frontend::free_names(ast, options.blitz, std::pmr::get_default_resource());
  impl->names.assign(free.begin(), free.end());
  if (impl->stencil) {  // whatever has a name may be a field
    impl->names.resize(ast.symbols.size());
    std::iota(impl->names.begin(), impl->names.end(), 0u);
  }
  impl->required.resize(impl->names.size());
  impl->written.resize(impl->names.size());
  impl->spans.resize(impl->names.size());
  std::vector<bool> bound(ast.symbols.size(), false);
  std::vector<std::uint32_t> name_of(ast.symbols.size(), plan::kNone);
  for (std::size_t i = 0; i < impl->names.size(); ++i) {
    double ignored;
    impl->required[i] =
        !catalog::find_constant(ast.symbols[impl->names[i]], ignored) && std::binary_search(free.begin(), free.end(), impl->names[i]);
    const char* at = ast.symbols[impl->names[i]].data();
    const auto begin = static_cast<std::uint32_t>(at - impl->text.data());
    impl->spans[i] = {begin, begin + static_cast<std::uint32_t>(ast.symbols[impl->names[i]].size())};
    name_of[impl->names[i]] = static_cast<std::uint32_t>(i);
  }
  if (impl->stencil) return;
  bool writes = false;
  for (const frontend::Statement& statement : ast.statements) {
    if (statement.target == frontend::kNone) continue;
    const bool in_place = statement.subscripted || statement.augmented >= 0 || options.blitz;
    if (in_place && !bound[statement.target] && name_of[statement.target] != plan::kNone) {
      impl->written[name_of[statement.target]] = true;
      writes = true;
    } else {
      bound[statement.target] = true;
    }
  }
  impl->may_alias = writes && ast.statements.size() > 1;
}

namespace {

Handle<const Program::Impl> read(const std::string& text, const Options& options) {
  const Deadline deadline(options.limits);
  const Clock::time_point start = Clock::now();
  const Handle<Program::Impl> impl(new Program::Impl(text, options));
  impl->parse_ns = nanoseconds(Clock::now() - start);
  deadline.left();
  read_names(*impl);
  record.parsed = impl.get();
  return Handle<const Program::Impl>(impl.get());
}

}  // namespace

Program Program::compile(std::string text, const Options& options) {
  if (options.backend != BackendChoice::Auto)
    if (const Availability found = probe(options.backend); !found.usable) {
      const std::string_view name = options.backend == BackendChoice::Jit ? "jit" : "cuda";
      throw BackendError(
          {.what = fmt::format("the backend \"{}\" is {}", name, found.reason), .labels = {}, .help = std::string(found.help), .text = {}});
    }
  try {
    return Program(read(text, options));
  } catch (Error& error) {
    error.attach_text(text);
    throw;
  } catch (const std::bad_alloc&) {
    out_of_memory("reading the expression", text);
  }
}

const std::string& Program::text() const noexcept { return impl_->text; }
const Options& Program::options() const noexcept { return impl_->options; }
std::size_t Program::n_names() const noexcept { return impl_->names.size(); }
std::string_view Program::name(std::size_t index) const noexcept { return impl_->ast.symbols[impl_->names[index]]; }
bool Program::required(std::size_t index) const noexcept { return impl_->required[index]; }
bool Program::writes(std::size_t index) const noexcept { return impl_->written[index]; }
Span Program::first_span(std::size_t index) const noexcept { return impl_->spans[index]; }

ProgramStats Program::stats() const {
  const std::lock_guard lock(impl_->mutex);
  ProgramStats stats = impl_->stats;
  stats.plans = impl_->plans.size();
  stats.hits += impl_->direct_hits.load(std::memory_order_relaxed);
  stats.parse_ns = impl_->parse_ns;
  return stats;
}

namespace {

std::string json_operands(const Program& program, const Operand* operands) {
  std::string text = "[";
  for (std::size_t i = 0; i < program.n_names(); ++i) {
    if (!operands[i].present) continue;
    const Operand& operand = operands[i];
    std::string extents;
    if (operand.weak == Weak::No)
      for (std::int64_t extent : operand.array.shape) extents += fmt::format("{}{}", extents.empty() ? "" : ", ", extent);
    static constexpr std::string_view kWeak[] = {"", "bool", "int", "float", "complex"};
    const std::string_view dtype = operand.weak == Weak::No ? name(operand.array.dtype) : kWeak[static_cast<std::size_t>(operand.weak)];
    text +=
        fmt::format("{}{{\"name\": {}, \"dtype\": \"{}\", \"shape\": [{}], \"python_scalar\": {}, \"written\": {}}}",
                    text.size() > 1 ? ", " : "", json_string(program.name(i)), dtype, extents, operand.weak != Weak::No, program.writes(i));
  }
  return text + "]";
}

/// A program compiled and bound for operands from which nothing is computed.
struct Unrun {
  Unrun(const Program::Impl& program, const Operand* operands, Order order, std::vector<opt::PassReport>* passes = nullptr)
      : compiled(program.compile(operands, nullptr, program.is_aliased(operands), program.device_of(operands, nullptr),
                                 Deadline(program.options.limits), passes)),
        slots(slots_of(*compiled, operands, &memory)) {
    plan::bind(compiled->graph, compiled->plan, slots, nullptr, order, program.options.limits, {&allocate_nothing, nullptr}, binding);
  }
  std::shared_ptr<const Compiled> compiled;
  std::array<std::byte, 4096> stack;
  std::pmr::monotonic_buffer_resource memory{stack.data(), stack.size()};
  std::pmr::vector<const Operand*> slots;
  plan::Binding binding{&memory};
};

}  // namespace

Prediction Program::predict(const Operand* operands, std::string_view architecture) const {
  try {
    const run::BackendEntry* const backend = run::find_backend(BackendChoice::Cuda);
    if (!backend) throw BackendError({.what = "this build has no backend \"cuda\" to predict", .labels = {}, .help = {}, .text = {}});
    const Unrun unrun(*impl_, operands, Order::K);
    if (unrun.binding.rest)
      throw BackendError({.what = "how much there is to do follows from values, which a prediction does not look at",
                          .labels = {},
                          .help = "predict what is before and after it by themselves",
                          .text = {}});
    run::Estimate estimate = backend->predict(unrun.compiled->plan, unrun.binding, architecture);
    return {.device = std::move(estimate.place),
            .seconds = estimate.seconds,
            .bytes = estimate.bytes,
            .bytes_per_second = estimate.bytes_per_second,
            .text = std::move(estimate.text)};
  } catch (Error& error) {
    error.attach_text(impl_->text);
    throw;
  } catch (const std::bad_alloc&) {
    out_of_memory("predicting the expression", impl_->text);
  }
}

Explanation Program::describe(const Operand* operands, Order order) const {
  try {
    std::vector<opt::PassReport> passes;
    const Unrun unrun(*impl_, operands, order, &passes);
    const Compiled& c = *unrun.compiled;
    const plan::Binding& binding = unrun.binding;
    const Traffic all = plan::traffic_of(c.plan, binding, c.work);

    Explanation explanation;
    explanation.text = plan::explain(c.graph, c.plan) + halo_text(halo_of(*this, c));
    explanation.text +=
        fmt::format("in all: {} operations, {} bytes read, {} bytes written", all.operations, all.bytes_read, all.bytes_written);
    if (all.copies)
      explanation.text +=
          fmt::format(", {} cop{} of {} bytes because of overlap", all.copies, all.copies == 1 ? "y" : "ies", all.bytes_copied);
    const run::BackendEntry* backend = run::find_backend(c.device == kHost ? impl_->options.backend : BackendChoice::Cuda);
    std::string why = "asked for";
    if (c.device != kHost) {
      why = fmt::format("the operands are on cuda:{}", c.device);
    } else if (impl_->options.backend == BackendChoice::Auto) {
      const Placement placement = place(c.plan, c.codes, binding, impl_->options.threads);
      why = "the operands are in the host's memory";
      if (placement.is_elsewhere) backend = run::find_backend(BackendChoice::Cuda);
      if (!placement.place.empty())
        why +=
            fmt::format(": about {:.2g} s here, {:.2g} s by way of {}, copies included", placement.here, placement.there, placement.place);
    }
    const std::string_view backend_name = backend ? "cuda" : c.in_machines ? "jit" : "interp";
    std::string place_name = backend ? backend->place() : fmt::format("{} elements a block", run::interp::kBlock);
    if (!backend && c.in_machines) {
      place_name = run::jit::reason();
      if (c.calls > c.in_machines) place_name += fmt::format(", {} of {} operations by the interpreter", c.calls - c.in_machines, c.calls);
    }
    explanation.text += '\n';
    if (backend) explanation.text += backend->estimate(c.plan, binding, c.device).text;
    explanation.text += fmt::format("backend: {} ({}), {}\n", backend_name, place_name, why);

    std::string stages, reports;
    for (std::size_t i = 0; i < kStages.size(); ++i)
      stages += fmt::format("{}{{\"name\": \"{}\", \"seconds\": {}}}", i ? ", " : "", kStages[i],
                            static_cast<double>(i ? c.stages[i] : impl_->parse_ns) * 1e-9);
    for (const opt::PassReport& pass : passes)
      reports += fmt::format("{}{{\"name\": \"{}\", \"changed\": {}, \"nodes_before\": {}, \"nodes_after\": {}}}",
                             reports.empty() ? "" : ", ", pass.name, pass.changed, pass.nodes_before, pass.nodes_after);
    explanation.json = fmt::format(
        "{{\"expression\": {}, \"operands\": {}, \"stages\": [{}], \"passes\": [{}], \"kernels\": {}, \"buffers\": {}, \"totals\": "
        "{{\"kernels\": {}, {}}}, \"backend\": {{\"name\": \"{}\", \"why\": \"{}\"}}}}",
        json_string(impl_->text), json_operands(*this, operands), stages, reports, plan::json_kernels(c.graph, c.plan, binding),
        plan::json_buffers(c.graph, c.plan, unrun.slots, binding), all.kernels, plan::json_traffic(all), backend_name, why);
    return explanation;
  } catch (Error& error) {
    error.attach_text(impl_->text);
    throw;
  } catch (const std::bad_alloc&) {
    out_of_memory("explaining the expression", impl_->text);
  }
}

std::string gradient(std::string_view text, std::string_view wrt, const Options& options) {
  try {
    const frontend::Ast ast = frontend::parse(text, options.limits);
    return frontend::gradient(ast, wrt, options.limits);
  } catch (Error& error) {
    error.attach_text(text);
    throw;
  } catch (const std::bad_alloc&) {
    out_of_memory("deriving the expression", text);
  }
}

// ---- Execution --------------------------------------------------------------------------------------------------------

Execution::Execution(const Program& program, const Operand* operands, const ArrayView* out, Order order, Allocator allocator,
                     const Rows* rows) {
  static_assert(sizeof(State) + 4096 < sizeof storage_);
  const Program::Impl& impl = program.impl();
  state_ = new (storage_) State(storage_ + sizeof(State), sizeof storage_ - sizeof(State), impl.options.limits);
  try {
    const bool aliased = impl.is_aliased(operands);
    if (out && out->swapped && impl.options.casting == Casting::No)
      throw DTypeError({.what = "casting=\"no\" forbids an out in the other byte order",
                        .labels = {},
                        .help = "pass casting=\"equiv\"",
                        .text = impl.text});
    if (impl.options.casting == Casting::No)
      for (std::size_t i = 0; i < impl.names.size(); ++i)
        if (impl.written[i] && operands[i].present && operands[i].weak == Weak::No && operands[i].array.swapped)
          throw DTypeError(
              {.what = fmt::format("casting=\"no\" forbids writing into '{}', which is in the other byte order", program.name(i)),
               .labels = {{impl.spans[i], "the other byte order"}},
               .help = "pass casting=\"equiv\"",
               .text = impl.text});
    state_->owner = &program;
    state_->program = &impl;
    state_->operands = operands;
    state_->out = out;
    state_->order = order;
    const int device = impl.device_of(operands, out);
    state_->compiled = impl.find_or_compile(operands, out, aliased, device, state_->deadline, state_->made_plan);
    if (state_->made_plan) {
      if (record.parsed == &impl) state_->parse_ns = impl.parse_ns;
      record.parsed = nullptr;
    }
    const Compiled& c = *state_->compiled;
    const auto slots = slots_of(c, operands, &state_->arena);
    plan::bind(c.graph, c.plan, slots, out, order, impl.options.limits, allocator, state_->binding, rows);
    set_device(state_->binding, device, slots);
    if (c.plan.result == plan::kNone && c.plan.target_slot != plan::kNone)
      state_->target_name = static_cast<int>(c.slot_name[c.plan.target_slot]);
  } catch (Error& error) {
    state_->~State();
    error.attach_text(impl.text);
    throw;
  } catch (const std::bad_alloc&) {
    state_->~State();
    out_of_memory("preparing the expression", impl.text);
  } catch (...) {
    state_->~State();
    throw;
  }
}

Execution::~Execution() { state_->~State(); }

double Execution::work() const noexcept {
  if (state_->compiled->executable) return std::numeric_limits<double>::infinity();  // waits for a device
  return run::work(state_->compiled->plan, state_->compiled->codes, state_->binding);
}

void Execution::run_plan(State& s, const RunOptions& options) {
  const Compiled& c = *s.compiled;
  if (options.graph && s.binding.device == kHost)
    throw BackendError({.what = "a graph is of what a device launches, and these operands are the host's",
                        .labels = {},
                        .help = "bring them to a device: engine.to_device(array), or device=\"cuda\"",
                        .text = {}});
  if (c.executable)
    run_on_device(s, options);
  else if (!run_elsewhere(s, options))
    s.threads_used = run::execute(c.graph, c.plan, c.codes, s.binding, options);
}

/// Within what Limits.seconds leaves.
void Execution::run_limited(State& s, const RunOptions& options) {
  RunOptions limited = options;
  const double left = s.deadline.left();
  if (!(options.seconds > 0) || left < options.seconds) limited.seconds = left;
  try {
    run_plan(s, limited);
  } catch (const LimitError&) {
    if (limited.seconds == options.seconds) throw;
    throw LimitError({.what = fmt::format("the evaluation took longer than the limit of {:g} s", s.program->options.limits.seconds),
                      .labels = {},
                      .help = "raise Limits.time",
                      .text = {}});
  }
}

void Execution::run(const RunOptions& options) {
  /// Above so many elements or operations a clock costs nothing that could be noticed.
  constexpr std::uint64_t kWorthAClock = 1 << 14;
  State& s = *state_;
  const Compiled& c = *s.compiled;
  Traffic traffic;
  std::uint64_t total = 0;
  const bool is_simple = c.plan.simple && s.binding.buffers.empty();  // bound in the short way, too
  if (is_simple) {
    total = static_cast<std::uint64_t>(s.binding.steps[0].kernels[0].total);
  } else {
    traffic = plan::traffic_of(c.plan, s.binding, c.work);
    total = traffic.operations;
  }
  const bool timed = s.is_large = total > kWorthAClock;
  run::compilations = {};
  Clock::time_point start;
  if (timed) start = Clock::now();
  try {
    if (s.program->options.limits.seconds > 0)
      run_limited(s, options);
    else
      run_plan(s, options);
  } catch (Error& error) {
    error.attach_text(s.program->text);
    throw;
  }
  if (c.plan.finds) traffic = plan::traffic_of(c.plan, s.binding, c.work);  // now that all of it is known
  ThreadRecord& kept = record;
  RunInfo& info = kept.run;
  ++info.runs;
  info.threads = s.threads_used;
  info.backend = (c.executable && !s.is_pending) || s.is_elsewhere ? BackendChoice::Cuda
                 : c.in_machines                                   ? BackendChoice::Jit
                                                                   : BackendChoice::Interp;
  info.pending = s.is_pending;
  kept.is_simple = is_simple;
  if (is_simple) {
    kept.simple = c.simple;
    kept.total = total;
  } else {
    info.traffic = traffic;
  }
  info.seconds = timed ? Seconds(Clock::now() - start).count() : -1;
  info.compiled = s.made_plan;
  info.kernels_compiled = run::compilations.kernels;
  info.compile_seconds = run::compilations.seconds;
  if (s.made_plan) {
    info.stages = c.stages;
    info.stages[0] = s.parse_ns;
  }
}

const RunInfo& last_run() noexcept {
  ThreadRecord& kept = record;
  if (kept.is_simple) kept.run.traffic = plan::traffic_of(kept.simple, kept.total);
  kept.is_simple = false;
  return kept.run;
}

void record_direct(const Compiled& compiled, std::uint64_t total, int threads, double seconds) noexcept {
  ThreadRecord& kept = record;
  RunInfo& info = kept.run;
  ++info.runs;
  info.threads = threads;
  info.backend = compiled.in_machines ? BackendChoice::Jit : BackendChoice::Interp;
  info.seconds = seconds;
  info.pending = info.compiled = false;
  info.kernels_compiled = 0;
  info.compile_seconds = 0;
  kept.is_simple = true;
  kept.simple = compiled.simple;
  kept.total = total;
}

void record_pass(const Traffic& traffic) noexcept {
  ThreadRecord& kept = record;
  RunInfo& info = kept.run;
  ++info.runs;
  info.threads = 1;
  info.backend = BackendChoice::Cuda;
  info.seconds = -1;
  info.pending = info.compiled = false;
  info.kernels_compiled = run::compilations.kernels;
  info.compile_seconds = run::compilations.seconds;
  run::compilations = {};
  info.traffic = traffic;
  kept.is_simple = false;
}

int Program::device(const Operand* operands, const ArrayView* out) const {
  try {
    return impl_->device_of(operands, out);
  } catch (Error& error) {
    error.attach_text(impl_->text);
    throw;
  }
}
int Execution::threads_used() const noexcept { return state_->threads_used; }
const ArrayView& Execution::result() const noexcept { return state_->binding.result; }
int Execution::target_name() const noexcept { return state_->target_name; }

}  // namespace engine

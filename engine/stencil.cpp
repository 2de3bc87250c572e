// stencil.cpp - stencils: which arrays a step reads and writes, and steps one after another, or several at a time over a part that
// stays in a cache.
#include <engine/device.hpp>
#include <engine/stencil.hpp>
#include <engine/threads.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <thread>

#include "engine/base/pages.hpp"
#include "engine/base/shared.hpp"
#include "engine/ir/halo.hpp"
#include "engine/program.hpp"
#include "engine/run/interp/block.hpp"
#include "engine/run/thread_pool.hpp"

namespace engine {

struct Stencil::Impl : Shared {
  std::string text;
  StencilOptions options;
  Program value, update;  ///< a bare expression as a value, and as the field it updates
};

template class Handle<const Stencil::Impl>;

Stencil Stencil::compile(std::string text, const StencilOptions& options) {
  const auto parse = [&](bool repeats) {
    const Handle<Program::Impl> impl(new Program::Impl(text, options, repeats));
    read_names(*impl);
    return Program(Handle<const Program::Impl>(impl.get()));
  };
  for (const auto& [name, beyond] : options.fields)
    if (beyond.sides.empty())
      throw ShapeError({.what = fmt::format("'{}' has no boundary", name), .labels = {}, .help = "give one word at least", .text = text});
  if (options.beyond.sides.empty())
    throw ShapeError({.what = "there is no boundary", .labels = {}, .help = "give one word at least", .text = text});
  try {
    Program value = parse(false), update = parse(true);
    return Stencil(Handle<const Impl>(new Impl{{}, text, options, std::move(value), std::move(update)}));
  } catch (Error& error) {
    error.attach_text(text);
    throw;
  }
}

const std::string& Stencil::text() const noexcept { return impl_->text; }
const StencilOptions& Stencil::options() const noexcept { return impl_->options; }
std::size_t Stencil::n_names() const noexcept { return impl_->value.n_names(); }
std::string_view Stencil::name(std::size_t index) const noexcept { return impl_->value.name(index); }
bool Stencil::required(std::size_t index) const noexcept { return impl_->value.required(index); }
bool Stencil::assigns(std::size_t index) const noexcept {
  const Program::Impl& program = impl_->value.impl();
  return std::any_of(program.ast.statements.begin(), program.ast.statements.end(),
                     [&](const frontend::Statement& s) { return s.target == program.names[index]; });
}
const Program& Stencil::program() const noexcept { return impl_->value; }

namespace {

using Rims = std::vector<ir::StencilTargets::Rim>;

bool keeps(const Beyond& beyond) {
  return std::any_of(beyond.sides.begin(), beyond.sides.end(),
                     [](const Sides& sides) { return sides.low == Boundary::Keep || sides.high == Boundary::Keep; });
}

ir::StencilTargets::Rim rim_of(const Rims& rims, int axis_from_last) {
  return static_cast<std::size_t>(axis_from_last) < rims.size() ? rims[static_cast<std::size_t>(axis_from_last)]
                                                                : ir::StencilTargets::Rim{};
}

/// Every axis has to hold what lies between its rims.
void check_extent(const std::string& text, const ir::StencilTargets& t, const Shape& shape, std::string_view field) {
  for (int axis = 0; axis < shape.size(); ++axis) {
    const int from_last = shape.size() - 1 - axis;
    const ir::StencilTargets::Rim lacking = rim_of(t.lacking, from_last), kept = rim_of(t.kept, from_last);
    const std::int64_t needed = lacking.low + lacking.high + kept.low + kept.high;
    if (shape[axis] >= needed) continue;
    throw ShapeError({.what = fmt::format("axis {} of '{}' has {} element{}, the footprint needs {}", axis, field, shape[axis],
                                          shape[axis] == 1 ? "" : "s", needed),
                      .labels = {{t.span, "reads as far as this"}},
                      .help = "give a boundary that finds something beyond the sides: reflect, mirror, nearest, wrap, constant",
                      .text = text});
  }
}

/// The part of an array within [first, first + count) of one axis.
ArrayView part(ArrayView array, int axis, std::int64_t first, std::int64_t count) {
  array.data = static_cast<char*>(array.data) + first * array.strides[axis];
  array.shape[axis] = count;
  return array;
}

void copy(const ArrayView& to, const ArrayView& from) {
  if (n_items(to.shape) > 0) evaluate_into(to, "a", {{"a", from}});
}

/// Memory for one more array of that layout: in Fortran order where `like` is, else in C order.
struct Spare {
  Block block;
  DeviceMemory there;  ///< of an array of a device
  ArrayView view;
  explicit Spare(const ArrayView& like) : view(like) {
    const std::size_t item = item_size(like.dtype);
    auto expected = static_cast<std::int64_t>(item);
    bool is_fortran = like.shape.size() > 1;
    for (int axis = 0; axis < like.shape.size(); ++axis) {
      is_fortran = is_fortran && like.strides[axis] == expected;
      expected *= like.shape[axis];
    }
    view.strides = is_fortran ? like.strides : c_strides(like.shape, item);
    view.swapped = false;
    view.writable = true;
    const std::size_t bytes = std::max<std::size_t>(static_cast<std::size_t>(n_items(like.shape)) * item, 1);
    if (like.device != kHost) {
      there = DeviceMemory(like.device, bytes);
      view.data = there.data();
      return;
    }
    block = Block(bytes);
    if (!block) throw std::bad_alloc();
    view.data = block.get();
  }
};

/// One run: the arrays that a step reads and writes, and the steps.
class Sweep {
 public:
  Sweep(const Program& program, const Compiled& compiled, const std::string& text, const Operand* operands,
        std::span<const ArrayView> targets, const Steps& steps)
      : program_(program), c_(compiled), text_(text), steps_(steps), started_(Clock::now()) {
    const std::size_t n_names = program.n_names();
    operands_.assign(operands, operands + n_names);
    operands_.resize(n_names + targets.size());
    const std::vector<std::uint32_t>& symbols = program.impl().names;
    for (const ir::StencilTargets::Target& target : c_.targets.targets)
      fields_.push_back(static_cast<std::uint32_t>(std::find(symbols.begin(), symbols.end(), target.symbol) - symbols.begin()));
    const bool several = steps.steps > 1;
    for (std::size_t k = 0; k < targets.size(); ++k) {
      bool is_shared = false;
      for (std::size_t i = 0; i < n_names; ++i)
        is_shared |= operands[i].present && operands[i].weak == Weak::No && plan::may_share(targets[k], operands[i].array);
      for (std::size_t other = 0; other < k; ++other)
        if (plan::may_share(targets[k], targets[other]))
          throw ShapeError({.what = "two targets share memory", .labels = {}, .help = "give each field one of its own", .text = text});
      if (is_shared && !c_.targets.kept.empty())
        throw ShapeError({.what = fmt::format("the new '{}' shares memory with an operand, and keeps its rim", program.name(fields_[k])),
                          .labels = {{program.first_span(fields_[k]), "this field"}},
                          .help = "pass another out, or none",
                          .text = text});
      if (is_shared) spares_.emplace_back(targets[k]);
      homes_[0].push_back(is_shared ? spares_.back().view : targets[k]);
      if (is_shared) brought_.emplace_back(k, targets[k]);
      if (several) spares_.emplace_back(targets[k]);
      homes_[1].push_back(several ? spares_.back().view : homes_[0].back());
      source_.push_back(operands[fields_[k]].array);
    }
    for (std::size_t side = 0; side < (several ? 2u : 1u); ++side)
      for (std::size_t k = 0; k < targets.size(); ++k) copy_rims(source_[k], homes_[side][k]);
  }

  std::int64_t run() {
    if (!steps_.until.empty()) until_ = Program::compile(steps_.until, program_.options());
    const bool asks = until_ || steps_.stepped;
    // Where an even number of passes is to come, the next one writes to the spare side, so that the last one is at home.
    std::int64_t done = 0;
    const std::int64_t at_once = asks ? 1 : most_there(steps_.steps);
    side_ = (at_once > 1 ? (steps_.steps + at_once - 1) / at_once : steps_.steps) % 2 == 0;
    while (done < steps_.steps) {
      const std::int64_t next = asks ? std::min(steps_.steps, (done / steps_.every + 1) * steps_.every) : steps_.steps;
      done += advance(done, next - done);
      look();
      if (!asks || done % steps_.every != 0) continue;
      if (steps_.stepped && !steps_.stepped(steps_.context, done, latest())) throw Interrupted();
      if (until_ && is_over()) break;
    }
    bring_home(done);
    if (steps_.run.progressed && !steps_.run.progressed(steps_.run.context, 1)) throw Interrupted();
    return done;
  }

 private:
  /// The fields as they are now.
  std::span<const ArrayView> latest() const {
    return made_ ? std::span<const ArrayView>(homes_[1 - side_]) : std::span<const ArrayView>(source_);
  }

  void point(std::vector<Operand>& operands, std::span<const ArrayView> from, std::span<const ArrayView> to) const {
    for (std::size_t k = 0; k < fields_.size(); ++k) {
      operands[fields_[k]] = Operand(from[k]);
      operands[program_.n_names() + k] = Operand(to[k]);
    }
  }

  void copy_rims(const ArrayView& from, const ArrayView& to) const {
    const int rank = to.shape.size();
    if (n_items(to.shape) == 0) return;
    ArrayView inner_from = from, inner_to = to;
    for (int axis = 0; axis < rank; ++axis) {
      const ir::StencilTargets::Rim rim = rim_of(c_.targets.kept, rank - 1 - axis), lacking = rim_of(c_.targets.lacking, rank - 1 - axis);
      // What the new values lack at the low end, they start behind.
      if (lacking.low || lacking.high) inner_from = part(inner_from, axis, lacking.low, inner_to.shape[axis]);
      const std::int64_t extent = inner_to.shape[axis];
      copy(part(inner_to, axis, 0, rim.low), part(inner_from, axis, 0, rim.low));
      copy(part(inner_to, axis, extent - rim.high, rim.high), part(inner_from, axis, extent - rim.high, rim.high));
      inner_from = part(inner_from, axis, rim.low, extent - rim.low - rim.high);
      inner_to = part(inner_to, axis, rim.low, extent - rim.low - rim.high);
    }
  }

  /// At most `count` steps; how many it made.
  std::int64_t advance(std::int64_t done, std::int64_t count) {
    done_ = done;
    // `until` compares with the step before, which then is one of its own.
    if (const std::int64_t made = advance_there(until_ && count > 1 ? count - 1 : count)) return made;
    const Blocking blocking = choose_blocking(count);
    if (blocking.depth < 2) {
      step();
      return 1;
    }
    run_blocked(blocking);
    return blocking.depth;
  }

  /// The rest of what limits and progress say, for the next step.
  RunOptions limited() const {
    RunOptions run = steps_.run;
    const double seconds = program_.options().limits.seconds;
    if (seconds > 0) {
      const double left = seconds - Seconds(Clock::now() - started_).count();
      if (left <= 0)
        throw LimitError({.what = fmt::format("the steps took longer than the limit of {:g} s", seconds),
                          .labels = {},
                          .help = "raise Limits.time",
                          .text = text_});
      run.seconds = run.seconds > 0 ? std::min(run.seconds, left) : left;
    }
    if (run.progressed) {
      run.progressed = [](void* context, double share) {
        const auto* sweep = static_cast<const Sweep*>(context);
        const RunOptions& asked = sweep->steps_.run;
        return asked.progressed(asked.context, (static_cast<double>(sweep->done_) + share) / static_cast<double>(sweep->steps_.steps));
      };
      // Both functions have one context.
      if (run.interrupted)
        run.interrupted = [](void* context) {
          const RunOptions& asked = static_cast<const Sweep*>(context)->steps_.run;
          return asked.interrupted(asked.context);
        };
      run.context = const_cast<Sweep*>(this);
    }
    return run;
  }

  void step() {
    point(operands_, latest(), homes_[side_]);
    Execution execution(program_, operands_.data(), nullptr, Order::K, {nullptr, nullptr});
    execution.run(limited());
    is_first_ = !made_;
    made_ = true;
    side_ = !side_;
  }

  /// Asks now and then whether to go on: single steps may be too short to.
  void look() {
    const Clock::time_point now = Clock::now();
    if (now - looked_ < std::chrono::milliseconds(20)) return;
    looked_ = now;
    if (steps_.run.interrupted && steps_.run.interrupted(steps_.run.context)) throw Interrupted();
  }

  bool is_over() const {
    const std::span<const ArrayView> now = latest();
    const std::span<const ArrayView> before = is_first_ ? std::span<const ArrayView>(source_) : std::span<const ArrayView>(homes_[side_]);
    std::vector<Named> names;
    std::vector<std::string> old;
    old.reserve(fields_.size());
    for (std::size_t i = 0; i < program_.n_names(); ++i)
      if (operands_[i].present) names.push_back({program_.name(i), operands_[i]});
    for (std::size_t k = 0; k < fields_.size(); ++k) {
      old.push_back(std::string(program_.name(fields_[k])) + "_old");
      names.push_back({program_.name(fields_[k]), now[k]});
      names.push_back({old.back(), before[k]});
    }
    if (const int device = now[0].device; device != kHost) return is_over_there(device, names);
    const Array value = until_->run(names, steps_.run.threads ? RunOptions{.threads = steps_.run.threads} : RunOptions{});
    if (value.rank() != 0 || value.dtype() != DType::Bool)
      throw ShapeError({.what = fmt::format("until is one truth value, not {} of rank {}", name(value.dtype()), value.rank()),
                        .labels = {},
                        .help = "write for example max(abs(u - u_old)) < 1e-6",
                        .text = steps_.until});
    return value.item<bool>();
  }

  bool is_over_there(int device, const std::vector<Named>& names) const {
    const DeviceMemory cell(device, 1);
    const ArrayView out{cell.data(), DType::Bool, false, true, {}, {}, device};
    const std::vector<Operand> operands = operands_of(*until_, Names(names));
    Execution execution(*until_, operands.data(), &out, Order::K, {nullptr, nullptr});
    execution.run({.wait = true});
    bool value = false;
    copy_to_host(device, &value, cell.data(), sizeof value);
    return value;
  }

  void bring_home(std::int64_t done) {
    if (done == 0)
      for (std::size_t k = 0; k < fields_.size(); ++k) copy(homes_[0][k], source_[k]);
    else if (side_ == 0 && homes_[1][0].data != homes_[0][0].data)  // the last step was on the other side
      for (std::size_t k = 0; k < fields_.size(); ++k) copy(homes_[0][k], homes_[1][k]);
    for (const auto& [k, target] : brought_) copy(target, homes_[0][k]);
  }

  // ---- several steps at a time, on a device -----------------------------------------------------------------------------

  /// ask() for steps from some arrays to others.
  template <class Ask>
  auto asked_there(std::span<const ArrayView> from, std::span<const ArrayView> to, Ask ask) {
    point(operands_, from, to);
    std::pmr::monotonic_buffer_resource memory;
    const std::pmr::vector<const Operand*> slots = slots_of(c_, operands_.data(), &memory);
    const Shape& shape = homes_[0][0].shape;
    return ask(run::Advance{*stepped_, slots, sources_, {shape.begin(), shape.end()}, homes_[0][0].device});
  }

  static bool is_alike(std::span<const ArrayView> a, std::span<const ArrayView> b) {
    return std::equal(a.begin(), a.end(), b.begin(),
                      [](const ArrayView& x, const ArrayView& y) { return x.strides == y.strides && x.swapped == y.swapped; });
  }

  /// How many of `count` steps the device makes at once: none where it is to make each on its own.
  std::int64_t most_there(std::int64_t count) {
    if (!steps_.is_blocked || !c_.executable || homes_[0][0].device == kHost) return 0;
    if (most_there_ < 0 || most_there_of_ < count) {
      if (most_there_ < 0) find_stepped();
      most_there_of_ = count;
      most_there_ = 0;
      if (stepped_) {
        const auto most = [&](std::span<const ArrayView> from, std::span<const ArrayView> to) {
          return asked_there(from, to, [&](const run::Advance& call) { return c_.executable->most_steps(call, count); });
        };
        most_there_ = most(source_, homes_[0]);
        // The spare side may lie otherwise than what the caller gave.
        if (!is_alike(source_, homes_[0]) || !is_alike(homes_[0], homes_[1]))
          most_there_ = std::min({most_there_, most(source_, homes_[1]), most(homes_[0], homes_[1]), most(homes_[1], homes_[0])});
      }
    }
    return std::min(most_there_, count);
  }

  void find_stepped() {
    stepped_ = plan::find_stepped(c_.graph, c_.plan);
    if (!stepped_) return;
    for (const plan::Store& store : c_.plan.stores_of(*stepped_->kernel)) {
      // Operands behind those of the names are the targets, in the order of the fields.
      const std::uint32_t name = c_.slot_name[stepped_->accesses[store.access - stepped_->kernel->first_access].slot];
      const std::uint32_t field = fields_[name - static_cast<std::uint32_t>(program_.n_names())];
      const auto found = std::find(c_.slot_name.begin(), c_.slot_name.end(), field);
      sources_.push_back(static_cast<std::uint32_t>(found - c_.slot_name.begin()));
    }
    // A field that nobody reads has no slot; extents are those of all fields.
    const bool is_read = std::none_of(sources_.begin(), sources_.end(), [&](std::uint32_t slot) { return slot == c_.slot_name.size(); });
    const bool has_one_shape =
        std::all_of(homes_[0].begin(), homes_[0].end(), [&](const ArrayView& home) { return home.shape == homes_[0][0].shape; });
    if (!is_read || !has_one_shape || sources_.size() != fields_.size()) stepped_.reset();
  }

  /// At most `count` steps in few passes; 0 where the device makes each on its own.
  std::int64_t advance_there(std::int64_t count) {
    const std::int64_t most = most_there(count);
    if (most == 0) return 0;
    constexpr std::int64_t kMostPasses = 64;  // then somebody may ask to stop
    // As many steps by each, and as few passes, as there can be.
    const std::int64_t all = (count + most - 1) / most, steps = (count + all - 1) / all;
    const std::int64_t passes = made_ ? std::min(count / steps, kMostPasses) : 1;
    const RunOptions options = limited();
    asked_there(latest(), homes_[side_], [&](const run::Advance& call) {
      if (passes == 1) return c_.executable->advance(call, call, steps, 1);
      std::vector<Operand> operands = operands_;
      point(operands, homes_[side_], homes_[1 - side_]);
      std::pmr::monotonic_buffer_resource memory;
      const std::pmr::vector<const Operand*> slots = slots_of(c_, operands.data(), &memory);
      c_.executable->advance(call, {call.step, slots, call.sources, call.extents, call.device}, steps, passes);
    });
    record_advance(*stepped_->kernel, steps, passes);
    is_first_ = !made_ && steps == 1;
    made_ = true;
    side_ = (side_ + static_cast<std::size_t>(passes)) % 2;
    if (options.progressed) {
      done_ += steps * passes;
      if (!options.progressed(options.context, 0)) throw Interrupted();
    }
    return steps * passes;
  }

  void record_advance(const plan::Kernel& kernel, std::int64_t steps, std::int64_t passes) const {
    Traffic traffic{.kernels = static_cast<std::uint32_t>(passes)};
    for (const plan::Instr& instr : c_.plan.body(kernel))
      if (instr.kind == plan::Instr::Kind::Apply && !instr.uniform) ++traffic.operations;
    traffic.operations *= static_cast<std::uint64_t>(steps * passes * n_items(homes_[0][0].shape));
    const auto bytes = [passes](const ArrayView& array) {
      return static_cast<std::uint64_t>(passes * n_items(array.shape)) * item_size(array.dtype);
    };
    for (std::size_t i = 0; i < program_.n_names(); ++i)
      if (operands_[i].present && operands_[i].weak == Weak::No) traffic.bytes_read += bytes(operands_[i].array);
    for (const ArrayView& home : homes_[0]) traffic.bytes_written += bytes(home);
    record_pass(traffic);
  }

  // ---- several steps at a time, on the host -----------------------------------------------------------------------------

  /// So many steps, each over `rows` of the first axis at a time and `lag` of them behind the step before.
  struct Blocking {
    std::int64_t depth = 1, rows = 0, lag = 0;
  };

  /// Each step needs of the one before only what lies near: a part of the first axis is taken through several steps while it is in a
  /// cache, and the next part follows, `lag` rows back with every step. What a step overwrites, the step two before it has made, and
  /// nobody reads it again. Boundaries find rows no further away than the footprint, but for `wrap`.
  Blocking choose_blocking(std::int64_t count) {
    /// Both sides of the rows under way, in bytes: what second-level caches hold, and where few rows are that large, half of the last.
    constexpr std::int64_t kNear = 2 << 20;
    constexpr std::int64_t kMostDepth = 32, kWorthwhile = 4 << 20, kFew = 16;
    Blocking none;
    if (!steps_.is_blocked || count < 2 || c_.plan.actions.size() != 1 || c_.executable) return none;
    for (const plan::Buffer& buffer : c_.plan.buffers)
      if (buffer.kind != plan::Buffer::Kind::Slot) return none;
    for (const plan::Kernel& kernel : c_.plan.kernels)
      if (kernel.n_folds) return none;
    const Shape& shape = homes_[0][0].shape;
    if (shape.empty()) return none;
    std::int64_t row_bytes = 0;
    for (const ArrayView& home : homes_[0]) {
      if (!(home.shape == shape)) return none;
      row_bytes += 2 * n_items(shape) / std::max<std::int64_t>(shape[0], 1) * static_cast<std::int64_t>(item_size(home.dtype));
    }
    if (row_bytes * shape[0] < kWorthwhile) return none;
    if (lag_ < 0) lag_ = find_lag();
    if (lag_ == kNoLag) return none;
    const std::int64_t near = kNear / row_bytes;
    const std::int64_t rows_in_cache =
        near < kFew * std::max<std::int64_t>(lag_, 1) ? run::interp::last_level_cache() / 2 / row_bytes : near;
    Blocking b;
    b.lag = lag_;
    b.depth = std::min({count, kMostDepth, b.lag ? rows_in_cache / (2 * b.lag) : kMostDepth});
    b.rows = std::min(std::max<std::int64_t>(b.lag, rows_in_cache - b.depth * b.lag), shape[0] / 4);
    if (b.depth < 2 || b.rows < std::max<std::int64_t>(b.lag, 2)) return none;
    return b;
  }

  static constexpr std::int64_t kNoLag = INT64_MAX;

  /// How far the updated fields are read along the first axis; kNoLag where that has no bound.
  std::int64_t find_lag() const {
    std::pmr::monotonic_buffer_resource memory;
    std::pmr::vector<ir::NodeId> roots(&memory);
    for (const ir::NodeId id : c_.graph.output_nodes) roots.push_back(c_.graph[id].args[0]);
    ir::Footprints prints = ir::footprints(c_.graph, roots, &memory);
    const int rank = homes_[0][0].shape.size();
    const ir::StencilTargets::Rim kept = rim_of(c_.targets.kept, rank - 1);
    std::int64_t lag = 0;
    for (ir::NodeId id = 0; id < c_.graph.nodes.size(); ++id) {
      const ir::Node& node = c_.graph[id];
      if (node.kind == ir::NodeKind::View)
        for (const ir::ViewItem& item : c_.graph.items(c_.graph.views[node.payload]).first(node.rank == rank ? 1 : 0))
          if (item.is_shift() && (item.low == Boundary::Wrap || item.high == Boundary::Wrap)) return kNoLag;
      if (node.kind != ir::NodeKind::Input) continue;
      const std::uint32_t name = c_.slot_name[node.payload];
      if (std::find(fields_.begin(), fields_.end(), name) == fields_.end()) continue;
      if (node.rank != rank) return kNoLag;
      const ir::Footprint& print = prints.at(id, rank - 1);
      if (!print.is_read) continue;
      if (print.is_whole) return kNoLag;
      // Roots of a store within a rim stand that much further in.
      lag = std::max({lag, -(print.low - kept.low), print.high - kept.low});
    }
    return homes_[0][0].shape[0] > 4 * lag ? lag : kNoLag;
  }

  void run_blocked(const Blocking& b) {
    const std::int64_t extent = homes_[0][0].shape[0];
    const std::int64_t parts = (extent + (b.depth - 1) * b.lag + b.rows - 1) / b.rows;
    const int most = steps_.run.threads ? steps_.run.threads : num_threads();
    const int threads = static_cast<int>(std::clamp<std::int64_t>(b.depth / 2, 1, most));
    const std::span<const ArrayView> start = latest();
    const std::size_t first_side = side_;
    std::vector<std::atomic<std::int64_t>> progress(static_cast<std::size_t>(threads));
    std::atomic<bool> failed = false;
    std::vector<std::exception_ptr> errors(static_cast<std::size_t>(threads));
    const std::int64_t rim = rim_of(c_.targets.kept, homes_[0][0].shape.size() - 1).low;
    const RunOptions options = limited();
    const std::thread::id caller = std::this_thread::get_id();
    // Workers share the steps, each one behind the one before it; the first waits for nobody, so they may also run one after another.
    const auto work = [&](std::int64_t worker) {
      const auto me = static_cast<std::size_t>(worker);
      const std::int64_t first = b.depth * worker / threads, end = b.depth * (worker + 1) / threads;
      try {
        std::vector<Operand> operands = operands_;
        for (std::int64_t p = 0; p < parts; ++p) {
          for (int turns = 0; worker > 0 && progress[me - 1].load(std::memory_order_acquire) <= p; ++turns) {
            if (failed.load(std::memory_order_relaxed)) return;
            if (turns > 64) std::this_thread::yield();
          }
          for (std::int64_t t = first; t < end; ++t) {
            const Rows window{std::max<std::int64_t>(0, p * b.rows - t * b.lag - rim),
                              std::max<std::int64_t>(0, std::min((p + 1) * b.rows - t * b.lag, extent) - rim)};
            if (window.begin >= window.end) continue;
            const std::size_t side = (first_side + static_cast<std::size_t>(t)) % 2;
            point(operands, t == 0 ? start : std::span<const ArrayView>(homes_[1 - side]), homes_[side]);
            Execution execution(program_, operands.data(), nullptr, Order::K, {nullptr, nullptr}, &window);
            RunOptions run;
            run.threads = 1;
            run.seconds = options.seconds;
            execution.run(run);
          }
          if (std::this_thread::get_id() == caller) look();
          progress[me].store(p + 1, std::memory_order_release);
        }
      } catch (...) {
        errors[me] = std::current_exception();
        failed.store(true, std::memory_order_relaxed);
        progress[me].store(parts, std::memory_order_release);
      }
    };
    run::parallel_for(threads, threads, work, run::Claims::InOrder);
    for (const std::exception_ptr& error : errors)
      if (error) std::rethrow_exception(error);
    made_ = true;
    is_first_ = false;
    side_ = (first_side + static_cast<std::size_t>(b.depth)) % 2;
    if (steps_.run.progressed) {
      done_ += b.depth;
      if (!options.progressed(options.context, 0)) throw Interrupted();
    }
  }

  const Program& program_;
  const Compiled& c_;
  const std::string& text_;
  const Steps& steps_;
  const Clock::time_point started_;
  Clock::time_point looked_ = Clock::now();
  std::vector<Operand> operands_;                           ///< of the names, and behind them the arrays that are written
  std::vector<std::uint32_t> fields_;                       ///< names that are updated
  std::vector<ArrayView> source_;                           ///< of each: the caller's array
  std::vector<ArrayView> homes_[2];                         ///< where new values go in turn, first those that are given back
  std::vector<std::pair<std::size_t, ArrayView>> brought_;  ///< targets that share memory with operands
  std::vector<Spare> spares_;
  std::optional<Program> until_;
  std::size_t side_ = 0;  ///< that the next step writes
  bool made_ = false;
  bool is_first_ = true;  ///< what the last step read is the caller's
  std::int64_t done_ = 0;
  std::int64_t lag_ = -1;
  std::optional<plan::Stepped> stepped_;  ///< of a device: what several steps are made by
  std::vector<std::uint32_t> sources_;    ///< for each of its stores the slot of the field
  std::int64_t most_there_ = -1, most_there_of_ = 0;
};

bool is_in_c_order(const ArrayView& array) { return !array.swapped && array.strides == c_strides(array.shape, item_size(array.dtype)); }

/// Steps of arrays of the host that a device is to make: they go there once, and new values come back when the last one is made.
class Visit {
 public:
  Visit(const Operand* operands, std::size_t n, std::span<const ArrayView> targets) : operands_(operands, operands + n) {
    for (Operand& operand : operands_)
      if (operand.present && operand.weak == Weak::No && operand.array.shape.size() > 0) bring(operand.array);
    for (const ArrayView& target : targets) targets_.push_back(there(target));
  }
  const Operand* operands() const { return operands_.data(); }
  std::span<const ArrayView> targets() const { return targets_; }

  void give_back(std::span<const ArrayView> targets) const {
    for (std::size_t k = 0; k < targets.size(); ++k) {
      if (bytes_of(targets[k]) == 0) continue;
      if (is_in_c_order(targets[k])) {
        copy_to_host(kDevice, targets[k].data, targets_[k].data, bytes_of(targets[k]));
        continue;
      }
      const Array here = Array::uninitialised(targets_[k].dtype, targets_[k].shape, targets_[k].strides);
      copy_to_host(kDevice, here.view().data, targets_[k].data, bytes_of(targets[k]));
      copy(targets[k], here.view());
    }
  }

 private:
  static constexpr int kDevice = 0;  ///< where operands of the host go
  static std::size_t bytes_of(const ArrayView& array) { return static_cast<std::size_t>(n_items(array.shape)) * item_size(array.dtype); }

  /// Memory for the same, in C order.
  ArrayView there(const ArrayView& array) {
    memory_.emplace_back(kDevice, std::max<std::size_t>(bytes_of(array), 1));
    return {memory_.back().data(), array.dtype, false, true, array.shape, c_strides(array.shape, item_size(array.dtype)), kDevice};
  }
  void bring(ArrayView& array) {
    const ArrayView copied = there(array);
    if (bytes_of(array) > 0) {
      if (is_in_c_order(array)) {
        copy_to_device(kDevice, copied.data, array.data, bytes_of(array));
      } else {
        const Array here = Array::uninitialised(array.dtype, array.shape, copied.strides);
        copy(here.view(), array);
        copy_to_device(kDevice, copied.data, here.view().data, bytes_of(array));
      }
    }
    array = copied;
  }

  std::vector<Operand> operands_;
  std::vector<ArrayView> targets_;
  std::vector<DeviceMemory> memory_;
};

/// Whether steps of a device are of arrays that all are the host's, and nobody is told of them on the way.
bool is_visit(const Options& options, const Operand* operands, std::size_t n, const Steps& steps) {
  if (options.backend != BackendChoice::Cuda || steps.steps < 2 || steps.stepped) return false;
  return std::all_of(operands, operands + n,
                     [](const Operand& operand) { return !operand.present || operand.weak != Weak::No || operand.array.device == kHost; });
}

}  // namespace

std::vector<Stencil::Updated> Stencil::updates(const Operand* operands, bool repeats) const {
  const Impl& impl = *impl_;
  const Program::Impl& value = impl.value.impl();
  bool updates = repeats || keeps(impl.options.beyond);
  for (const auto& [name, beyond] : impl.options.fields) updates = updates || keeps(beyond);
  for (const frontend::Statement& s : value.ast.statements)
    updates = updates || (s.target != frontend::kNone && operands[s.target].present);
  const Program::Impl& program = updates ? impl.update.impl() : value;
  try {
    bool is_new = false;
    const std::shared_ptr<const Compiled> compiled = program.find_or_compile(operands, nullptr, false, program.device_of(operands, nullptr),
                                                                             Deadline(impl.options.options.limits), is_new);
    const ir::StencilTargets& t = compiled->targets;
    std::vector<Updated> list;
    for (const ir::StencilTargets::Target& target : t.targets) {
      Updated updated{target.symbol, operands[target.symbol].array.dtype, operands[target.symbol].array.shape};
      check_extent(impl.text, t, updated.shape, name(updated.name));
      for (int axis = 0; axis < updated.shape.size(); ++axis) {
        const ir::StencilTargets::Rim lacking = rim_of(t.lacking, updated.shape.size() - 1 - axis);
        updated.shape[axis] -= lacking.low + lacking.high;
      }
      list.push_back(updated);
    }
    if (!updates && !t.lacking.empty()) {
      // What broadcasts along an axis has one element of it, however far others are read.
      for (std::size_t i = 0; i < n_names(); ++i) {
        if (!operands[i].present || operands[i].weak != Weak::No) continue;
        Shape shape = operands[i].array.shape;
        for (std::size_t other = 0; other < n_names(); ++other) {
          const Shape& with = operands[other].array.shape;
          if (!operands[other].present || operands[other].weak != Weak::No) continue;
          for (int axis = 1; axis <= std::min(shape.size(), with.size()); ++axis)
            shape[shape.size() - axis] = std::max(shape[shape.size() - axis], with[with.size() - axis]);
        }
        check_extent(impl.text, t, shape, name(i));
      }
    }
    return list;
  } catch (Error& error) {
    error.attach_text(impl.text);
    throw;
  }
}

std::int64_t Stencil::run(const Operand* operands, std::span<const ArrayView> targets, const Steps& steps) const {
  const Impl& impl = *impl_;
  const auto refuse = [&](std::string what, std::string help) {
    throw ShapeError({.what = std::move(what), .labels = {}, .help = std::move(help), .text = impl.text});
  };
  if (steps.steps < 0) refuse(fmt::format("{} steps", steps.steps), "give a number from 0 on");
  if (steps.every < 1) refuse(fmt::format("every {} steps", steps.every), "give a number from 1 on");
  const std::vector<Updated> list = updates(operands, true);
  if (list.size() != targets.size())
    refuse(fmt::format("{} arrays for {} field{}", targets.size(), list.size(), list.size() == 1 ? "" : "s"), "give one for each");
  const Program::Impl& program = impl.update.impl();
  for (std::size_t k = 0; k < list.size(); ++k) {
    if (!(targets[k].shape == list[k].shape) || targets[k].dtype != list[k].dtype)
      refuse(fmt::format("the new '{}' is {} of another shape than its array, or of another dtype", name(list[k].name),
                         engine::name(list[k].dtype)),
             "give an out of the field's dtype and shape");
    if (targets[k].device != operands[list[k].name].array.device)
      refuse("out is not where its field is", "pass one that is in the same memory");
    if (!targets[k].writable) refuse("out is read-only", "pass an array that can be written");
    if (steps.steps != 1 && !(list[k].shape == operands[list[k].name].array.shape))
      refuse("without its rim a field gets smaller with every step", "make one step, or choose another boundary than valid");
  }
  bool is_new = false;
  if (is_visit(impl.options.options, operands, n_names(), steps)) {
    try {
      const Visit visit(operands, n_names(), targets);
      const std::int64_t made = run(visit.operands(), visit.targets(), steps);
      visit.give_back(targets);
      return made;
    } catch (const OutOfMemory&) {  // each step has what it needs of them brought there
    }
  }
  try {
    const std::shared_ptr<const Compiled> compiled = program.find_or_compile(operands, nullptr, false, program.device_of(operands, nullptr),
                                                                             Deadline(impl.options.options.limits), is_new);
    return Sweep(impl.update, *compiled, impl.text, operands, targets, steps).run();
  } catch (Error& error) {
    error.attach_text(impl.text);
    throw;
  } catch (const std::bad_alloc&) {
    throw OutOfMemory(
        {.what = "out of memory for the steps", .labels = {}, .help = "take the arrays in smaller pieces", .text = impl.text});
  }
}

std::vector<Array> Stencil::run(const Names& names, const Steps& steps) const {
  const std::vector<Operand> operands = operands_of(impl_->value, names);
  std::vector<Array> values;
  const std::vector<Updated> list = updates(operands.data(), steps.steps != 1 || !steps.until.empty() || steps.stepped);
  if (list.empty()) {
    values.push_back(impl_->value.run(names, steps.run));
    return values;
  }
  std::vector<ArrayView> targets;
  for (const Updated& updated : list) {
    values.push_back(Array::uninitialised(updated.dtype, updated.shape, c_strides(updated.shape, item_size(updated.dtype))));
    targets.push_back(values.back().view());
  }
  run(operands.data(), targets, steps);
  return values;
}

std::vector<Halo> Stencil::halo(const Operand* operands) const {
  return (updates(operands, false).empty() ? impl_->value : impl_->update).halo(operands);
}

Explanation Stencil::describe(const Operand* operands) const {
  const std::vector<Updated> list = updates(operands, false);
  if (list.empty()) return impl_->value.describe(operands);
  std::vector<Operand> all(operands, operands + n_names());
  for (const Updated& updated : list) {
    const Strides strides = c_strides(updated.shape, item_size(updated.dtype));
    all.emplace_back(
        ArrayView{allocate_nothing(nullptr, updated.dtype, updated.shape, strides, 0), updated.dtype, false, true, updated.shape, strides});
  }
  return impl_->update.describe(all.data());
}

Array stencil(std::string_view text, const Names& names, const StencilOptions& options, const Steps& steps) {
  const Stencil made = Stencil::compile(std::string(text), options);
  std::vector<Array> values = made.run(names, steps);
  if (values.size() != 1)
    throw ShapeError({.what = fmt::format("{} fields are updated", values.size()),
                      .labels = {},
                      .help = "Stencil::run gives all of them",
                      .text = std::string(text)});
  return std::move(values.front());
}

}  // namespace engine

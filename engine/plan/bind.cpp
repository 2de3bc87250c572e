// plan/bind.cpp - plan + arrays -> bound kernels. See bind.hpp.
#include "engine/plan/bind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "engine/plan/hazard.hpp"
#include "engine/plan/space.hpp"
#include "engine/plan/tile.hpp"

namespace engine::plan {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::int64_t kLargestItem = 16;  // complex128

/// Product of extents, refusing what no memory could hold. Extents of zero do not hide what the others come to, as in NumPy:
/// no product of some of them overflows later.
std::int64_t checked_bytes(const Shape& shape, std::size_t item, const ir::Graph& graph) {
  std::int64_t bytes = static_cast<std::int64_t>(item);
  bool empty = false;
  for (std::int64_t extent : shape) {
    empty |= extent == 0;
    if (__builtin_mul_overflow(bytes, std::max<std::int64_t>(extent, 1), &bytes) || bytes > (std::int64_t{1} << 60))
      throw ShapeError({.what = fmt::format("a value of shape {} is too large for any memory", to_text(shape)),
                        .labels = {},
                        .help = "check which operands stretch against each other",
                        .text = std::string(graph.text)});
  }
  return empty ? 0 : bytes;
}

}  // namespace

class Binder {
 public:
  Binder(const ir::Graph& graph, const Plan& plan, std::span<const Operand* const> slots, const ArrayView* out, Order order,
         const Limits& limits, Allocator allocator, Binding& binding, const Rows* rows)
      : graph_(graph),
        plan_(plan),
        slots_(slots),
        out_(out),
        order_(order),
        limits_(limits),
        allocator_(allocator),
        b_(binding),
        rows_(rows) {
    if (!plan.finds) return;
    // This stays in the arena and goes on later.
    const std::span<const Operand*> kept = allocate<const Operand*>(slots.size());
    std::copy(slots.begin(), slots.end(), kept.begin());
    slots_ = kept;
    if (out) {
      const std::span<ArrayView> one = allocate<ArrayView>(1);
      one[0] = *out;
      out_ = one.data();
    }
  }

  void bind() {
    if (plan_.simple && !rows_ && bind_simple()) return;
    b_.shapes.resize(plan_.shapes.size());
    b_.buffers.resize(plan_.buffers.size());
    b_.swapped.resize(plan_.buffers.size(), false);
    b_.steps.reserve(plan_.actions.size());
    if (plan_.finds) {
      is_known_ = allocate<bool>(plan_.shapes.size());
      is_bound_ = allocate<bool>(plan_.buffers.size());
    }
    bind_shapes();
    bind_slots();
    bind_direct();
    bind_temporaries();
    bind_actions();
    if (plan_.result == kNone && plan_.target_slot != kNone) bind_target();
  }

  void found(const Action& action, std::int64_t count) {
    const ShapeId id = plan_.buffers[action.buffer].shape;
    b_.shapes[id][0] = count;
    is_known_[id] = true;
    bind_shapes();
    bind_temporaries();
    if (action.buffer == plan_.result) allocate_result(b_.shapes[id]);
    bind_actions();
  }

 private:
  template <class T>
  std::span<T> allocate(std::size_t count) {
    T* memory = std::pmr::polymorphic_allocator<T>(b_.memory).allocate(std::max<std::size_t>(count, 1));
    for (std::size_t i = 0; i < count; ++i) new (memory + i) T();
    return {memory, count};
  }

  // ---- the common case ----------------------------------------------------------------------------------------------

  /// One kernel over whole C-contiguous operands of one shape and scalars: one axis, no shapes to compute.
  /// False where that does not hold; nothing has happened then.
  bool bind_simple() {
    if (order_ == Order::F) return false;
    const Kernel& kernel = plan_.kernels[0];
    const Shape* shape = nullptr;
    for (std::uint32_t k = 0; k < kernel.n_accesses; ++k) {
      const Buffer& buffer = plan_.buffers[plan_.accesses[kernel.first_access + k].buffer];
      if (buffer.kind != Buffer::Kind::Slot) continue;
      const Operand& operand = *slots_[buffer.slot];
      if (operand.weak != Weak::No || operand.array.shape.empty()) continue;
      if (shape && !(*shape == operand.array.shape)) return false;
      if (!is_plain(operand.array)) return false;
      shape = &operand.array.shape;
    }
    if (!shape) return false;
    if (out_ && (!(out_->shape == *shape) || !is_plain(*out_))) return false;

    const DType dtype = plan_.buffers[plan_.result].dtype;
    const auto item = static_cast<std::int64_t>(item_size(dtype));
    const std::int64_t total = n_items(*shape);
    std::span<std::int64_t> strides = allocate<std::int64_t>(kernel.n_accesses + 1);
    std::span<BoundKernel> kernels = allocate<BoundKernel>(1);
    BoundKernel& bound = kernels[0];
    bound.kernel = &kernel;
    bound.rank = 1;
    bound.total = strides[kernel.n_accesses] = total;
    bound.extents = &strides[kernel.n_accesses];
    bound.accesses = allocate<BoundAccess>(kernel.n_accesses);
    std::uint32_t result_access = 0;
    for (std::uint32_t k = 0; k < kernel.n_accesses; ++k) {
      const Buffer& buffer = plan_.buffers[plan_.accesses[kernel.first_access + k].buffer];
      BoundAccess& access = bound.accesses[k];
      access.dtype = buffer.dtype;
      access.strides = &strides[k];
      strides[k] = static_cast<std::int64_t>(item_size(buffer.dtype));
      if (buffer.kind == Buffer::Kind::Result) {
        result_access = k;
        continue;
      }
      const Operand& operand = *slots_[buffer.slot];
      if (operand.weak != Weak::No) {
        access.base = const_cast<char*>(reinterpret_cast<const char*>(operand.scalar));
        strides[k] = 0;
      } else {
        access.base = static_cast<char*>(operand.array.data);
        access.swapped = operand.array.swapped;
        if (operand.array.shape.empty()) strides[k] = 0;
      }
    }
    if (out_) {
      const Touched target{static_cast<const char*>(out_->data), &strides[result_access], item};
      for (std::uint32_t k = 0; k < kernel.n_accesses; ++k) {
        if (k == result_access) continue;
        const BoundAccess& access = bound.accesses[k];
        const Hazard h = hazard(target, touched(access), 1, bound.extents);
        if (h != Hazard::None && h != Hazard::Same) return false;
      }
      bound.accesses[result_access].base = static_cast<char*>(out_->data);
      b_.result = *out_;
    } else {
      check_result_bytes(*shape, total * item);
      const Strides strides_of_result = c_strides(*shape, item_size(dtype));
      void* data = allocator_.allocate(allocator_.context, dtype, *shape, strides_of_result, static_cast<std::size_t>(total * item));
      bound.accesses[result_access].base = static_cast<char*>(data);
      b_.result = {data, dtype, false, true, *shape, strides_of_result};
      b_.is_fresh = true;
    }
    b_.steps.push_back({&plan_.actions[0], kernels});
    return true;
  }

  void check_result_bytes(const Shape& shape, std::int64_t bytes) const {
    if (limits_.result_bytes < 0 || bytes <= limits_.result_bytes) return;
    throw LimitError({.what = fmt::format("the result of shape {} takes {} bytes, more than the limit of {}", to_text(shape), bytes,
                                          limits_.result_bytes),
                      .labels = {},
                      .help = "raise Limits.result_bytes",
                      .text = std::string(graph_.text)});
  }

  // ---- shapes -------------------------------------------------------------------------------------------------------

  std::string words(Span span) const {
    if (span.end > graph_.text.size() || span.begin >= span.end) return "the operand";
    const std::string_view text = graph_.text.substr(span.begin, span.end - span.begin);
    return text.size() <= 40 ? fmt::format("'{}'", text) : fmt::format("'{}…'", text.substr(0, 36));
  }

  [[noreturn]] void refuse_broadcast(const ShapeStep& step, int axis) const {
    const ir::Node& node = graph_[step.node];
    if (node.kind == ir::NodeKind::Reduce)
      refuse_condition(step.node, b_.shapes[step.a], b_.shapes[step.b], graph_.reduces[node.payload].rest);
    const Shape& a = b_.shapes[step.a];
    const Shape& b = b_.shapes[step.b];
    const Span left{graph_[node.args[0]].span.begin, graph_[node.args[step.payload - 1]].span.end};
    const Span right = graph_[node.args[step.payload]].span;
    const std::int64_t in_a = a[a.size() - axis], in_b = b[b.size() - axis];
    const int front = std::max(a.size(), b.size()) - axis;
    throw ShapeError({.what = fmt::format("cannot broadcast {} with {}", words(left), words(right)),
                      .labels = {{left, "shape " + to_text(a)}, {right, "shape " + to_text(b)}},
                      .help = fmt::format("axis {} is {} against {}: make them equal, or one of them 1", front, in_a, in_b),
                      .text = std::string(graph_.text)});
  }

  static std::int64_t flat_extent(const Shape& shape) {
    std::int64_t n = 1;
    for (const std::int64_t extent : shape)
      if (__builtin_mul_overflow(n, extent, &n)) return kUnknown;  // the source, bound as well, is refused for its size
    return n;
  }

  /// Of a partition the place, of the largest elements their number: within the axis.
  void check_place(const ir::Node& node, const Shape& whole) const {
    const ir::ReduceSpec& spec = graph_.reduces[node.payload];
    const catalog::OrderedInfo& row = catalog::info(static_cast<catalog::Ordered>(node.op));
    const std::int64_t extent = spec.is_flat() ? flat_extent(whole) : whole[spec.axis()];
    const bool counts = catalog::info(row.form).extent == catalog::Extent::Along;
    if (counts ? spec.number <= extent : spec.number >= -extent && spec.number < extent) return;
    throw ShapeError({.what = fmt::format("{} of {} element{}",
                                          counts ? fmt::format("the {} largest", spec.number) : fmt::format("place {}", spec.number),
                                          extent, extent == 1 ? "" : "s"),
                      .labels = {{node.span, "along this axis"}},
                      .help = counts ? fmt::format("k is at most {}", extent) : fmt::format("valid are {} to {}", -extent, extent - 1),
                      .text = std::string(graph_.text)});
  }

  bool is_known(ShapeId id) const { return is_known_.empty() || is_known_[id]; }

  /// Those that can be known so far.
  void bind_shapes() {
    for (std::size_t i = 0; i < plan_.shapes.size(); ++i) {
      const ShapeStep& step = plan_.shapes[i];
      Shape& shape = b_.shapes[i];
      if (!is_known_.empty()) {
        if (is_known_[i]) continue;
        if ((step.a != kNone && !is_known_[step.a]) || (step.b != kNone && !is_known_[step.b])) {
          shape = Shape();
          shape.resize(step.rank, kUnknown);
          continue;
        }
        shape = Shape();
        is_known_[i] = step.kind != ShapeStep::Kind::Found;
      }
      switch (step.kind) {
        case ShapeStep::Kind::Scalar:
          break;
        case ShapeStep::Kind::Slot:
          shape = slots_[step.payload]->array.shape;
          break;
        case ShapeStep::Kind::Ones:
          shape.resize(step.rank, 1);
          break;
        case ShapeStep::Kind::Broadcast: {
          int axis = 0;
          if (!broadcast_shapes(b_.shapes[step.a], b_.shapes[step.b], shape, axis)) refuse_broadcast(step, axis);
          break;
        }
        case ShapeStep::Kind::View: {
          Layout whole;
          whole.shape = b_.shapes[step.a];
          whole.strides.resize(whole.shape.size(), 0);
          shape = view(whole, graph_, graph_.views[step.payload], graph_[step.node]).shape;
          break;
        }
        case ShapeStep::Kind::Found: {
          const Shape& whole = b_.shapes[step.a];
          shape.resize(step.rank, kUnknown);
          std::copy(whole.end() - (step.rank - 1), whole.end(), shape.begin() + 1);
          break;
        }
        case ShapeStep::Kind::Flat:
          shape.push_back(flat_extent(b_.shapes[step.a]));
          break;
        case ShapeStep::Kind::Number:
          shape.push_back(graph_.reduces[step.payload].number);
          break;
        case ShapeStep::Kind::Along: {
          const ir::ReduceSpec& spec = graph_.reduces[step.payload];
          check_place(graph_[step.node], b_.shapes[step.a]);
          if (!spec.is_flat()) shape = b_.shapes[step.a];
          if (spec.is_flat())
            shape.push_back(spec.number);
          else
            shape[spec.axis()] = spec.number;
          break;
        }
        case ShapeStep::Kind::Reduce: {
          const ir::ReduceSpec& spec = graph_.reduces[step.payload];
          const Shape& whole = b_.shapes[step.a];
          for (int axis = 0; axis < whole.size(); ++axis) {
            if (!(spec.axes >> axis & 1u))
              shape.push_back(whole[axis]);
            else if (spec.keepdims)
              shape.push_back(1);
          }
          break;
        }
      }
    }
  }

  // ---- buffers ------------------------------------------------------------------------------------------------------

  void bind_slots() {
    for (std::size_t i = 0; i < plan_.buffers.size(); ++i) {
      const Buffer& buffer = plan_.buffers[i];
      if (buffer.kind != Buffer::Kind::Slot) continue;
      Layout& layout = b_.buffers[i];
      const Operand& operand = *slots_[buffer.slot];
      if (operand.weak != Weak::No) {
        layout.base = const_cast<char*>(reinterpret_cast<const char*>(operand.scalar));
      } else {
        layout.base = static_cast<char*>(operand.array.data);
        layout.shape = operand.array.shape;
        layout.strides = operand.array.strides;
        b_.swapped[i] = operand.array.swapped;
      }
    }
  }

  /// Memory for those whose shape is known and that have none yet.
  void bind_temporaries() {
    const std::size_t n = plan_.buffers.size();
    std::pmr::vector<std::uint32_t> fresh(b_.memory);
    std::size_t bytes = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
      const Buffer& buffer = plan_.buffers[i];
      Layout& layout = b_.buffers[i];
      if (buffer.kind != Buffer::Kind::Temporary && buffer.kind != Buffer::Kind::Passing) continue;
      if (!is_bound_.empty()) {
        if (is_bound_[i]) continue;
        layout.shape = b_.shapes[buffer.shape];
        if (!is_known(buffer.shape)) continue;
        is_bound_[i] = true;
      }
      layout.shape = b_.shapes[buffer.shape];
      const std::size_t item = item_size(buffer.dtype);
      const auto size = static_cast<std::size_t>(checked_bytes(layout.shape, item, graph_));
      set_c_strides(layout, item);
      if (buffer.kind == Buffer::Kind::Passing || buffer.spare || (!is_direct_.empty() && is_direct_[i])) continue;
      fresh.push_back(i);
      if (buffer.alias != kNone) continue;
      layout.base = reinterpret_cast<char*>(bytes);  // an offset until the block is there
      bytes += (size + kAlignment - 1) / kAlignment * kAlignment;
    }
    if (fresh.empty()) return;
    char* const block = bytes ? small_block(bytes) : nullptr;
    for (const std::uint32_t i : fresh)
      if (plan_.buffers[i].alias == kNone) b_.buffers[i].base = block + reinterpret_cast<std::uintptr_t>(b_.buffers[i].base);
    for (const std::uint32_t i : fresh)
      if (const std::uint32_t alias = plan_.buffers[i].alias; alias != kNone) b_.buffers[i].base = b_.buffers[alias].base;
  }

  /// Where a temporary is to hold an operand for an action that only reads it, and the operand lies as the temporary would: it takes
  /// the operand's place.
  void bind_direct() {
    for (const Action& action : plan_.actions) {
      if (action.kind != Action::Kind::Order) continue;
      if (is_direct_.empty()) is_direct_ = allocate<bool>(plan_.buffers.size());
      if (catalog::form_of(action.ordered).has(catalog::FormFlags::Fills)) continue;
      for (const Action::Source& source : action.all_sources())
        if (source.kernel != kNone && plan_.buffers[source.buffer].kind == Buffer::Kind::Temporary)
          is_direct_[source.buffer] = takes_operand(source);
    }
  }

  bool takes_operand(const Action::Source& source) {
    const Buffer& buffer = plan_.buffers[source.buffer];
    const std::span<const Instr> body = plan_.body(plan_.kernels[source.kernel]);
    if (body.size() != 1 || body[0].kind != Instr::Kind::Load) return false;
    const Access& access = plan_.accesses[body[0].payload];
    if (access.n_steps || plan_.buffers[access.buffer].kind != Buffer::Kind::Slot || b_.swapped[access.buffer]) return false;
    const Layout& operand = b_.buffers[access.buffer];
    const std::size_t item = item_size(buffer.dtype);
    if (!(operand.shape == b_.shapes[buffer.shape]) || reinterpret_cast<std::uintptr_t>(operand.base) % std::min<std::size_t>(item, 8))
      return false;
    auto expected = static_cast<std::int64_t>(item);
    for (int axis = operand.shape.size() - 1; axis >= 0; --axis) {
      if (operand.shape[axis] != 1 && operand.strides[axis] != expected) return false;
      expected *= operand.shape[axis];
    }
    b_.buffers[source.buffer].base = operand.base;
    return true;
  }

  char* small_block(std::size_t bytes) {
    if (bytes <= 512) return static_cast<char*>(b_.memory->allocate(bytes, kAlignment));
    Block block(bytes);
    if (!block)
      throw OutOfMemory({.what = fmt::format("cannot allocate {} bytes for intermediate results", bytes),
                         .labels = {},
                         .help = "take the arrays in smaller pieces",
                         .text = std::string(graph_.text)});
    b_.scratch.push_back(std::move(block));
    return b_.scratch.back().get();
  }

  static void set_c_strides(Layout& layout, std::size_t item) {
    layout.strides.resize(layout.shape.size(), 0);
    auto stride = static_cast<std::int64_t>(item);
    for (int axis = layout.shape.size() - 1; axis >= 0; --axis) {
      layout.strides[axis] = stride;
      stride *= std::max<std::int64_t>(layout.shape[axis], 1);
    }
  }

  Layout reach(const Access& access) const { return take_steps(b_.buffers[access.buffer], access); }
  Layout take_steps(Layout layout, const Access& access) const {
    for (std::uint32_t s = 0; s < access.n_steps; ++s) {
      const AccessStep& step = plan_.access_steps[access.first_step + s];
      layout = stretch(layout, b_.shapes[step.from]);
      layout = view(layout, graph_, graph_.views[step.view],
                    graph_[plan_.shapes[step.from].node == ir::kNone ? graph_.output_nodes[0] : plan_.shapes[step.from].node]);
    }
    return layout;
  }

  void bind_target() {
    const Access& access = plan_.accesses[plan_.target_access];
    const Layout layout = reach(access);
    b_.result = slots_[plan_.target_slot]->array;
    b_.result.data = layout.base;
    b_.result.shape = layout.shape;
    b_.result.strides = layout.strides;
  }

  // ---- the result ---------------------------------------------------------------------------------------------------

  /// The space of the kernel that stores the result: the value's shape, stretched to the caller's out.
  Shape result_space(const Kernel& kernel) {
    const Shape& shape = b_.shapes[kernel.value_shape];
    if (!out_) return shape;
    if (!stretches_to(shape, out_->shape))
      throw ShapeError({.what = fmt::format("out has shape {}, the result has {}", to_text(out_->shape), to_text(shape)),
                        .labels = {},
                        .help = fmt::format("give an out of shape {}", to_text(shape)),
                        .text = std::string(graph_.text)});
    return out_->shape;
  }

  /// In C order.
  void allocate_result(const Shape& shape) {
    int order[kMaxRank];
    for (int axis = 0; axis < shape.size(); ++axis) order[axis] = axis;
    allocate_result(shape, order);
  }

  void allocate_result(const Shape& shape, const int* order) {
    Layout& layout = b_.buffers[plan_.result];
    const DType dtype = plan_.buffers[plan_.result].dtype;
    if (out_) {
      layout = {static_cast<char*>(out_->data), out_->shape, out_->strides};
      b_.swapped[plan_.result] = out_->swapped;
      b_.result = *out_;
      return;
    }
    const std::size_t item = item_size(dtype);
    const std::int64_t bytes = checked_bytes(shape, item, graph_);
    check_result_bytes(shape, bytes);
    layout.shape = shape;
    layout.strides = strides_in_order(shape, order, item);
    layout.base =
        static_cast<char*>(allocator_.allocate(allocator_.context, dtype, shape, layout.strides, static_cast<std::size_t>(bytes)));
    b_.result = {layout.base, dtype, false, true, shape, layout.strides};
    b_.is_fresh = true;
  }

  // ---- kernels ------------------------------------------------------------------------------------------------------

  /// Those that wait for no shape, up to the first one that does.
  void bind_actions() {
    while (next_ < plan_.actions.size() && is_bindable(plan_.actions[next_])) bind_action(plan_.actions[next_++]);
    b_.rest = next_ < plan_.actions.size() || waits(plan_.actions) ? this : nullptr;
  }

  /// Whether an action's extent is still to be found.
  bool waits(std::span<const Action> actions) const {
    return std::any_of(actions.begin(), actions.end(), [&](const Action& action) {
      return action.kind == Action::Kind::Order && !is_known(plan_.buffers[action.buffer].shape);
    });
  }

  bool is_bindable(const Action& action) const {
    if (is_known_.empty()) return true;
    const auto kernel = [&](std::uint32_t id) {
      const Kernel& k = plan_.kernels[id];
      if (!is_known(k.space) || !is_known(k.value_shape)) return false;
      for (std::uint32_t i = 0; i < k.n_accesses; ++i) {
        const Access& access = plan_.accesses[k.first_access + i];
        if (!is_known(plan_.buffers[access.buffer].shape)) return false;
        for (std::uint32_t s = 0; s < access.n_steps; ++s)
          if (!is_known(plan_.access_steps[access.first_step + s].from)) return false;
      }
      return true;
    };
    if (action.kind == Action::Kind::Run)
      for (std::uint32_t i = 0; i < action.count; ++i)
        if (!kernel(action.first + i)) return false;
    for (const Action::Source& source : action.all_sources())
      if (!is_known(plan_.buffers[source.buffer].shape) || (source.kernel != kNone && !kernel(source.kernel))) return false;
    return true;
  }

  void bind_order(const Action& action, Binding::Step& step) {
    const catalog::Form form = catalog::info(action.ordered).form;
    if (form == catalog::Form::Select) check_condition(action);
    if (form == catalog::Form::Partition || form == catalog::Form::Argpartition)
      check_place(graph_[action.node], b_.shapes[plan_.buffers[action.sources[0].buffer].shape]);
    if (form == catalog::Form::Bincount && action.sources[1].buffer != kNone) check_weights(action);
    std::size_t n = 0;
    for (const Action::Source& source : action.all_sources()) n += source.kernel != kNone && !is_direct_[source.buffer];
    step.kernels = allocate<BoundKernel>(n);
    n = 0;
    for (const Action::Source& source : action.all_sources())
      if (source.kernel != kNone && !is_direct_[source.buffer]) bind_kernel(plan_.kernels[source.kernel], step.kernels[n++], false);
    if (action.buffer != plan_.result) return;
    if (catalog::info(form).extent == catalog::Extent::Found)
      b_.result.shape = b_.shapes[plan_.buffers[action.buffer].shape];
    else if (action.sources[0].buffer != plan_.result)
      allocate_result(b_.shapes[plan_.buffers[action.buffer].shape]);
  }

  /// A condition has the leading axes of what it picks from.
  void check_condition(const Action& action) const {
    const ShapeStep& found = plan_.shapes[plan_.buffers[action.buffer].shape];
    if (found.b == kNone) return;
    const Shape& value = b_.shapes[found.b];
    const Shape& condition = b_.shapes[plan_.buffers[action.sources[1].buffer].shape];
    for (int axis = 0; axis < value.size() - action.spec.rest; ++axis)
      if (condition[axis] != value[axis]) refuse_condition(found.node, value, condition, action.spec.rest);
  }

  void check_weights(const Action& action) const {
    const Shape& values = b_.shapes[plan_.buffers[action.sources[0].buffer].shape];
    const Shape& weights = b_.shapes[plan_.buffers[action.sources[1].buffer].shape];
    if (values == weights) return;
    const ir::Node& node = graph_[action.node];
    throw ShapeError(
        {.what = "weights have the length of what they weigh",
         .labels = {{graph_[node.args[0]].span, "shape " + to_text(values)}, {graph_[node.args[1]].span, "shape " + to_text(weights)}},
         .help = "make them equal",
         .text = std::string(graph_.text)});
  }

  [[noreturn]] void refuse_condition(ir::NodeId id, const Shape& value, Shape condition, int rest) const {
    const ir::Node& node = graph_[id];
    condition.resize(condition.size() - rest);
    throw ShapeError(
        {.what = "a condition has the leading axes of what it picks from",
         .labels = {{graph_[node.args[0]].span, "shape " + to_text(value)}, {graph_[node.args[1]].span, "shape " + to_text(condition)}},
         .help = "make their leading extents equal",
         .text = std::string(graph_.text)});
  }

  void bind_action(const Action& action) {
    Binding::Step step{&action, {}};
    if (action.kind == Action::Kind::Order) bind_order(action, step);
    if (action.kind == Action::Kind::Run && is_tiled(action)) {
      bind_tiled(action, step);
    } else if (action.kind == Action::Kind::Run) {
      if (action.fused != kNone && is_one_space(action)) {
        std::span<BoundKernel> one = allocate<BoundKernel>(1);
        if (bind_kernel(plan_.kernels[action.fused], one[0], true)) {
          step.kernels = one;
          b_.steps.push_back(step);
          return;
        }
      }
      step.kernels = allocate<BoundKernel>(action.count);
      for (std::uint32_t i = 0; i < action.count; ++i) bind_kernel(plan_.kernels[action.first + i], step.kernels[i], false);
    }
    b_.steps.push_back(step);
  }

  /// Whether the targets of kernels that may be one have one shape, and so have their values. Otherwise each says what is wrong.
  bool is_one_space(const Action& action) const {
    const ShapeId first = plan_.kernels[action.first].space;
    for (std::uint32_t i = 0; i < action.count; ++i) {
      const Kernel& kernel = plan_.kernels[action.first + i];
      if (kernel.space != first && b_.shapes[kernel.space] != b_.shapes[first]) return false;
      if (kernel.value_shape != kernel.space && !stretches_to(b_.shapes[kernel.value_shape], b_.shapes[first])) return false;
    }
    return true;
  }

  bool is_tiled(const Action& action) const {
    if (rows_) return true;
    for (std::uint32_t i = 0; i < action.count; ++i)
      if (plan_.kernels[action.first + i].shifts) return true;
    return false;
  }

  /// The kernels of an action of which some run over boxes.
  void bind_tiled(const Action& action, Binding::Step& step) {
    std::pmr::vector<BoundKernel> bound(b_.memory);
    const auto all = [&] {
      if (action.fused != kNone && is_one_space(action)) {
        if (bind_boxes(plan_.kernels[action.fused], bound)) return;
        bound.clear();
      }
      for (std::uint32_t i = 0; i < action.count; ++i) {
        const Kernel& kernel = plan_.kernels[action.first + i];
        const std::size_t before = bound.size();
        if (!kernel.shifts && !rows_) {
          bound.emplace_back();
          bind_kernel(kernel, bound.back(), false);
        } else if (!bind_boxes(kernel, bound)) {
          bound.resize(before);
          bind_spare(kernel.instead, bound);
        }
      }
    };
    all();
    step.kernels = allocate<BoundKernel>(bound.size());
    std::copy(bound.begin(), bound.end(), step.kernels.begin());
  }

  void bind_spare(std::uint32_t first, std::pmr::vector<BoundKernel>& bound) {
    const Kernel& kernel = plan_.kernels[first];
    const std::uint32_t id = plan_.accesses[plan_.stores_of(kernel)[0].access].buffer;
    Layout& spare = b_.buffers[id];
    const auto bytes = static_cast<std::size_t>(checked_bytes(spare.shape, item_size(plan_.buffers[id].dtype), graph_));
    spare.base = bytes ? small_block(bytes) : nullptr;
    bind_boxes(kernel, bound);
    bound.emplace_back();
    bind_kernel(plan_.kernels[first + 1], bound.back(), false);
  }

  /// The boxes over which a kernel runs; false where a store might change what is still to be read.
  bool bind_boxes(const Kernel& kernel, std::pmr::vector<BoundKernel>& to) {
    /// More than any sensible stencil has, few enough to be bound in a second.
    constexpr std::int64_t kMostBoxes = 1 << 18;
    BoundKernel whole;
    std::span<std::int64_t> strides;
    const Shape space = reach_all(kernel, whole, strides);
    const auto rank = static_cast<std::size_t>(space.size());
    if (whole.total == 0 || (rows_ && rank && rows_->begin >= rows_->end)) {
      to.push_back(whole);
      to.back().total = 0;
      return true;
    }
    std::pmr::vector<Reach> reaches(b_.memory);
    std::span<std::uint32_t> reach_of = allocate<std::uint32_t>(whole.accesses.size());
    std::fill(reach_of.begin(), reach_of.end(), kNone);
    for (std::uint32_t k = 0; k < kernel.n_accesses; ++k) {
      const Access& access = plan_.accesses[kernel.first_access + k];
      if (!is_shifted(graph_, plan_, access)) continue;
      reach_of[k] = static_cast<std::uint32_t>(reaches.size());
      reaches.push_back(plan::reach(graph_, plan_, access, b_.buffers[access.buffer], b_.shapes, space, b_.memory));
    }
    bool isolated = true;
    if (!graph_.apart && !is_safe(kernel, whole, space, reach_of, isolated)) return false;

    std::pmr::vector<std::pmr::vector<std::int64_t>> at(b_.memory);
    std::int64_t boxes = 1;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      at.push_back(cuts(reaches, static_cast<int>(axis), space[static_cast<int>(axis)], b_.memory));
      if (axis == 0 && rows_) clip(at[0]);
      boxes *= static_cast<std::int64_t>(at[axis].size()) - 1;
      if (boxes > kMostBoxes)
        throw LimitError({.what = fmt::format("the boundaries of shape {} fall into more than {} regions", to_text(space), kMostBoxes),
                          .labels = {},
                          .help = "shift along fewer axes at once",
                          .text = std::string(graph_.text)});
    }
    std::size_t index[kMaxRank] = {};
    for (std::int64_t b = 0; b < boxes; ++b) {
      Box box;
      std::int64_t total = 1;
      for (std::size_t axis = 0; axis < rank; ++axis) {
        box.first.push_back(at[axis][index[axis]]);
        box.extents.push_back(at[axis][index[axis] + 1] - at[axis][index[axis]]);
        total *= box.extents[static_cast<int>(axis)];
      }
      to.push_back({.kernel = &kernel, .total = total, .isolated = isolated, .goes_on = b > 0});
      put(kernel, whole, strides, reaches, reach_of, box, to.back());
      for (std::size_t axis = rank; axis-- > 0;) {
        if (++index[axis] + 1 < at[axis].size()) break;
        index[axis] = 0;
      }
    }
    return true;
  }

  void clip(std::pmr::vector<std::int64_t>& at) const {
    const std::int64_t begin = rows_->begin, end = std::min(rows_->end, at.back());
    std::erase_if(at, [&](std::int64_t cut) { return cut <= begin || cut >= end; });
    at.insert(at.begin(), begin);
    at.push_back(std::max(begin, end));
  }

  /// A kernel over one box.
  void put(const Kernel& kernel, const BoundKernel& whole, std::span<const std::int64_t> strides, std::span<const Reach> reaches,
           std::span<const std::uint32_t> reach_of, const Box& box, BoundKernel& bound) {
    const auto rank = static_cast<std::size_t>(box.first.size());
    const std::size_t n = whole.accesses.size();
    bound.accesses = allocate<BoundAccess>(n);
    std::span<std::int64_t> mine = allocate<std::int64_t>(n * rank);
    std::copy(strides.begin(), strides.end(), mine.begin());
    for (std::size_t k = 0; k < n; ++k) {
      BoundAccess& access = bound.accesses[k] = whole.accesses[k];
      std::int64_t* const row = mine.data() + k * rank;
      access.strides = row;
      if (reach_of[k] != kNone) {
        const ir::Value* outside = nullptr;
        place(reaches[reach_of[k]], box, access.base, row, outside);
        if (outside) {
          access.base = reinterpret_cast<char*>(const_cast<std::byte*>(outside->bytes.data()));
          access.swapped = false;
          access.is_constant = true;
        }
      } else {
        for (std::size_t axis = 0; axis < rank; ++axis) access.base = advance(access.base, box.first[static_cast<int>(axis)] * row[axis]);
      }
    }
    arrange(kernel, bound, box.extents, mine.data());
  }

  /// Whether a kernel that shifts may write in any order of boxes: what it reads with a shift, and other targets, lie elsewhere, and
  /// what it reads without one lies elsewhere or under the very element that is written.
  bool is_safe(const Kernel& kernel, const BoundKernel& whole, const Shape& space, std::span<const std::uint32_t> reach_of,
               bool& isolated) const {
    const std::span<const Store> stores = plan_.stores_of(kernel);
    const auto is_store = [&](std::uint32_t k) {
      return std::any_of(stores.begin(), stores.end(), [&](const Store& x) { return x.access - kernel.first_access == k; });
    };
    for (const Store& store : stores) {
      const Buffer& buffer = plan_.buffers[plan_.accesses[store.access].buffer];
      if ((buffer.kind == Buffer::Kind::Result && !out_) || buffer.spare) continue;
      const Touched target = touched(whole.accesses[store.access - kernel.first_access]);
      if (repeats(target, space.size(), space.begin())) return false;
      std::uintptr_t low, high;
      cover(target, space.size(), space.begin(), low, high);
      for (std::uint32_t k = 0; k < kernel.n_accesses; ++k) {
        if (k == store.access - kernel.first_access) continue;
        if (reach_of[k] != kNone || is_store(k)) {
          const Layout& other = b_.buffers[plan_.accesses[kernel.first_access + k].buffer];
          if (n_items(other.shape) == 0) continue;
          std::uintptr_t other_low, other_high;
          cover({other.base, other.strides.begin(), static_cast<std::int64_t>(item_size(whole.accesses[k].dtype))}, other.shape.size(),
                other.shape.begin(), other_low, other_high);
          if (low < other_high && other_low < high) return false;
        } else {
          const Hazard h = hazard(target, touched(whole.accesses[k]), space.size(), space.begin());
          if (h != Hazard::None && h != Hazard::Same) return false;
          isolated &= h == Hazard::None;
        }
      }
    }
    return true;
  }

  /// False if `must_be_isolated` and it is not.
  bool bind_kernel(const Kernel& kernel, BoundKernel& bound, bool must_be_isolated) {
    std::span<std::int64_t> strides;
    const Shape space = reach_all(kernel, bound, strides);
    if (kernel.n_folds) {
      arrange_fold(kernel, bound, space, strides.data());
      return true;
    }
    arrange(kernel, bound, space, strides.data());
    if (bound.total == 0) return true;
    return settle_hazards(kernel, bound, must_be_isolated);
  }

  /// Its space, and what its accesses are over all of that; the result is there afterwards. Of shifts: what they are centred on.
  Shape reach_all(const Kernel& kernel, BoundKernel& bound, std::span<std::int64_t>& strides) {
    bound.kernel = &kernel;
    bool stores_result = false;
    for (const Store& store : plan_.stores_of(kernel)) stores_result |= plan_.accesses[store.access].buffer == plan_.result;
    const Shape space = stores_result ? result_space(kernel) : b_.shapes[kernel.space];
    if (kernel.n_stores && !stores_result) check_store_shape(kernel, space);
    const int rank = space.size();
    // First of all: products of extents, in elements and in bytes of any item, fit from here on.
    bound.total = checked_bytes(space, kLargestItem, graph_) / kLargestItem;

    std::uint32_t n_positions = 0;
    for (const Instr& instr : plan_.body(kernel)) n_positions += instr.kind == Instr::Kind::Position;
    const std::uint32_t n = kernel.n_accesses + n_positions;
    bound.accesses = allocate<BoundAccess>(n);
    strides = allocate<std::int64_t>(static_cast<std::size_t>(n) * static_cast<std::size_t>(rank));
    std::uint32_t result_access = kNone;
    const auto row = [&](std::uint32_t k) { return strides.data() + static_cast<std::size_t>(k) * static_cast<std::size_t>(rank); };

    for (std::uint32_t k = 0; k < kernel.n_accesses; ++k) {
      const Access& access = plan_.accesses[kernel.first_access + k];
      bound.accesses[k].dtype = plan_.buffers[access.buffer].dtype;
      bound.accesses[k].strides = row(k);
      if (access.buffer == plan_.result) {
        result_access = k;
        if (!out_) continue;
        allocate_result(space, nullptr);
      }
      fill(bound.accesses[k], row(k), access, space);
    }
    std::uint32_t p = kernel.n_accesses;
    for (const Instr& instr : plan_.body(kernel)) {
      if (instr.kind != Instr::Kind::Position) continue;
      bound.accesses[p].dtype = DType::Int64;
      bound.accesses[p].strides = row(p);
      if (instr.payload > ir::kWholePosition) {
        std::int64_t step = 1;
        for (int axis = rank - 1; axis >= rank - static_cast<int>(instr.payload - ir::kWholePosition); --axis) {
          row(p)[axis] = step;
          step *= space[axis];
        }
      } else {
        row(p)[rank - static_cast<int>(instr.payload)] = 1;
      }
      ++p;
    }

    if (result_access != kNone && !out_) {
      int order[kMaxRank];
      result_order(kernel, bound, space, rank, order);
      allocate_result(space, order);
      fill(bound.accesses[result_access], row(result_access), plan_.accesses[kernel.first_access + result_access], space);
    }
    return space;
  }

  void check_store_shape(const Kernel& kernel, const Shape& space) const {
    const Shape& value = b_.shapes[kernel.value_shape];
    if (stretches_to(value, space)) return;
    const ir::Node* output = nullptr;
    for (ir::NodeId id : graph_.output_nodes)
      if (graph_[id].payload == kernel.output) output = &graph_[id];
    Diagnostic d{.what = fmt::format("cannot write a value of shape {} into a target of shape {}", to_text(value), to_text(space)),
                 .labels = {},
                 .help = "the value must broadcast to the target; the target never stretches",
                 .text = std::string(graph_.text)};
    if (output) d.labels.push_back({graph_[output->args[0]].span, "shape " + to_text(value)});
    throw ShapeError(std::move(d));
  }

  void fill(BoundAccess& bound, std::int64_t* strides, const Access& access, const Shape& space) {
    const Layout layout = stretch(access.n_steps ? reach(access) : b_.buffers[access.buffer], space);
    bound.base = layout.base;
    bound.swapped = b_.swapped[access.buffer];
    std::copy(layout.strides.begin(), layout.strides.end(), strides);
  }

  void result_order(const Kernel& kernel, const BoundKernel& bound, const Shape& space, int rank, int* order) const {
    for (int axis = 0; axis < rank; ++axis) order[axis] = axis;
    if (order_ == Order::C || rank < 2) return;
    if (order_ == Order::F) {
      std::reverse(order, order + rank);
      return;
    }
    Operands operands(space);
    add_operands(kernel, &bound, nullptr, operands);
    if (order_ == Order::A) {
      if (operands.all_f && operands.n) std::reverse(order, order + rank);
      return;
    }
    order_axes(rank, operands.rows, operands.n, order);
  }

  /// What a result's order is chosen by: strides of each operand over its space.
  struct Operands {
    static constexpr int kMost = 64;
    explicit Operands(const Shape& shape) : space(shape) {}  // without the 17 KB of what nobody has filled in
    const Shape& space;
    int n = 0;
    bool all_f = true;
    const std::int64_t* rows[kMost];
    std::int64_t strides[kMost][kMaxRank];
  };
  /// A load of what a kernel computed before it is loaded; the load that is behind it in turn.
  struct Outer {
    const Outer* next;
    ShapeId space;
    const Access* access;
  };

  /// A kernel's loads; of what was hoisted those that it was computed from. `bound`: of the kernel itself, where nothing is outside.
  void add_operands(const Kernel& kernel, const BoundKernel* bound, const Outer* outer, Operands& operands) const {
    for (const Instr& instr : plan_.body(kernel)) {
      if (instr.kind != Instr::Kind::Load || operands.n == Operands::kMost) continue;
      const Access& access = plan_.accesses[instr.payload];
      const Buffer& buffer = plan_.buffers[access.buffer];
      if (buffer.hoisted_by != kNone) {
        const Kernel& earlier = plan_.kernels[buffer.hoisted_by];
        const Outer load{outer, earlier.space, &access};
        add_operands(earlier, nullptr, &load, operands);
      } else if (bound) {
        add_operand(bound->accesses[instr.payload - kernel.first_access].strides, buffer.dtype, instr.uniform, operands);
      } else {
        Layout layout = reach(access);
        for (const Outer* load = outer; load; load = load->next)
          layout = take_steps(stretch(layout, b_.shapes[load->space]), *load->access);
        add_operand(stretch(layout, operands.space).strides.begin(), buffer.dtype, instr.uniform, operands);
      }
    }
  }

  static void add_operand(const std::int64_t* strides, DType dtype, bool is_uniform, Operands& operands) {
    const Shape& space = operands.space;
    const int rank = space.size();
    std::int64_t* const row = operands.strides[operands.n];
    bool is_c = true, is_f = true;
    auto expected = static_cast<std::int64_t>(item_size(dtype));
    for (int axis = 0; axis < rank; ++axis) {
      row[axis] = space[axis] == 1 ? 0 : strides[axis];
      if (space[axis] != 1 && strides[axis] != expected) is_f = false;
      expected *= space[axis];
    }
    expected = static_cast<std::int64_t>(item_size(dtype));
    for (int axis = rank - 1; axis >= 0; --axis) {
      if (space[axis] != 1 && strides[axis] != expected) is_c = false;
      expected *= space[axis];
    }
    if (!is_uniform) operands.all_f = operands.all_f && is_f && !is_c;
    operands.rows[operands.n++] = row;
  }

  /// Orders the axes for memory and merges those that every access walks as one. `strides` is rewritten.
  void arrange(const Kernel& kernel, BoundKernel& bound, const Shape& space, std::int64_t* strides) {
    const int rank = space.size();
    const auto n = static_cast<int>(bound.accesses.size());
    int axes[kMaxRank];
    int used = 0;
    for (int axis = 0; axis < rank; ++axis)
      if (space[axis] != 1) axes[used++] = axis;

    // Stores walk forwards; whatever they share an axis with follows.
    for (const Store& store : plan_.stores_of(kernel)) {
      const std::uint32_t k = store.access - kernel.first_access;
      for (int i = 0; i < used; ++i) {
        const int axis = axes[i];
        if (strides[k * static_cast<std::uint32_t>(rank) + static_cast<std::uint32_t>(axis)] >= 0 || space[axis] == 0) continue;
        flip(bound, strides, rank, axis, space[axis]);
      }
      break;
    }
    if (used > 1) sort_axes(kernel, bound, space, strides, axes, used);
    compact(bound, space, strides, axes, used, rank, n, nullptr);
  }

  static void flip(BoundKernel& bound, std::int64_t* strides, int rank, int axis, std::int64_t extent) {
    for (std::size_t k = 0; k < bound.accesses.size(); ++k) {
      std::int64_t& stride = strides[k * static_cast<std::size_t>(rank) + static_cast<std::size_t>(axis)];
      bound.accesses[k].base = advance(bound.accesses[k].base, (extent - 1) * stride);
      stride = -stride;
    }
  }

  void sort_axes(const Kernel& kernel, const BoundKernel& bound, const Shape& space, const std::int64_t* strides, int* axes,
                 int used) const {
    // The stores decide first, then the loads: written lines are the dearest.
    const std::int64_t* rows[32];
    std::int64_t picked[32][kMaxRank];
    int n = 0;
    const int rank = space.size();
    const auto take = [&](std::uint32_t k) {
      if (n == 32) return;
      for (int i = 0; i < used; ++i) picked[n][i] = strides[k * static_cast<std::uint32_t>(rank) + static_cast<std::uint32_t>(axes[i])];
      rows[n] = picked[n];
      ++n;
    };
    for (const Store& store : plan_.stores_of(kernel)) take(store.access - kernel.first_access);
    for (const Instr& instr : plan_.body(kernel))
      if (instr.kind == Instr::Kind::Load) take(instr.payload - kernel.first_access);
    int order[kMaxRank], sorted[kMaxRank];
    if (plan_.stores_of(kernel).size() == 1 && n > 1 && order_axes_of_store(rows[0], used, order)) {
      // a single store without repeated strides settles the order alone
    } else {
      order_axes(used, rows, n, order);
    }
    for (int i = 0; i < used; ++i) sorted[i] = axes[order[i]];
    std::copy(sorted, sorted + used, axes);
    (void)bound;
  }

  static bool order_axes_of_store(const std::int64_t* strides, int used, int* order) {
    for (int i = 0; i < used; ++i) {
      if (strides[i] == 0) return false;
      order[i] = i;
    }
    std::stable_sort(order, order + used, [&](int a, int b) { return std::abs(strides[a]) > std::abs(strides[b]); });
    return true;
  }

  /// Rewrites strides to the axes in that order, merging neighbours; `groups` (if given) marks axes that start a group
  /// and must not merge with what is outside.
  void compact(BoundKernel& bound, const Shape& space, std::int64_t* strides, const int* axes, int used, int rank, int n,
               const bool* starts_group) {
    std::span<std::int64_t> extents = allocate<std::int64_t>(static_cast<std::size_t>(used) + 1);
    std::span<std::int64_t> merged = allocate<std::int64_t>(static_cast<std::size_t>(used) * static_cast<std::size_t>(n));
    int count = 0;
    int last[kMaxRank];  // the innermost original axis of each merged one
    for (int i = 0; i < used; ++i) {
      const int axis = axes[i];
      bool merge = count > 0 && !(starts_group && starts_group[i]);
      for (int k = 0; merge && k < n; ++k) {
        const std::int64_t* row = strides + static_cast<std::ptrdiff_t>(k) * rank;
        merge = row[last[count - 1]] == row[axis] * space[axis];
      }
      if (merge) {
        extents[static_cast<std::size_t>(count - 1)] *= space[axis];
        last[count - 1] = axis;
      } else {
        extents[static_cast<std::size_t>(count)] = space[axis];
        last[count++] = axis;
      }
    }
    for (int k = 0; k < n; ++k) {
      const std::int64_t* row = strides + static_cast<std::ptrdiff_t>(k) * rank;
      std::int64_t* to = merged.data() + static_cast<std::ptrdiff_t>(k) * count;
      for (int i = 0; i < count; ++i) to[i] = row[last[i]];
      bound.accesses[static_cast<std::size_t>(k)].strides = to;
    }
    bound.rank = count;
    bound.extents = extents.data();
  }

  /// Folds keep the order of indices: kept axes, reduced axes, and the innermost run (contract §3: the tree depends on
  /// shape and axes alone).
  void arrange_fold(const Kernel& kernel, BoundKernel& bound, const Shape& space, std::int64_t* strides) {
    const int rank = space.size();
    int live[kMaxRank];
    int used = 0;
    bool empty_reduction = false;
    for (int axis = 0; axis < rank; ++axis) {
      const bool reduced = kernel.axes >> axis & 1u;
      if (reduced && space[axis] == 0) empty_reduction = true;
      if (space[axis] != 1) live[used++] = axis;
    }
    if (empty_reduction) refuse_empty(kernel);
    const auto reduced = [&](int axis) { return (kernel.axes >> axis & 1u) != 0; };
    int inner = used;  // live[inner …] is the innermost run
    const bool lanes_kept = used > 0 && !reduced(live[used - 1]);
    while (inner > 0 && reduced(live[inner - 1]) != lanes_kept) --inner;
    if (used == 0) inner = 0;
    int axes[kMaxRank];
    bool starts[kMaxRank] = {};
    int count = 0;
    bound.kept = bound.rows = bound.length = 1;
    for (int i = 0; i < inner; ++i)
      if (!reduced(live[i])) {
        axes[count++] = live[i];
        bound.kept *= space[live[i]];
      }
    for (int i = 0, first = count; i < inner; ++i)
      if (reduced(live[i])) {
        starts[count] = count == first;
        axes[count++] = live[i];
        bound.rows *= space[live[i]];
      }
    for (int i = inner; i < used; ++i) {
      starts[count] = i == inner;
      axes[count++] = live[i];
      bound.length *= space[live[i]];
    }
    bound.lanes_kept = lanes_kept;
    compact(bound, space, strides, axes, used, rank, static_cast<int>(bound.accesses.size()), starts);
  }

  void refuse_empty(const Kernel& kernel) const {
    for (const Fold& fold : plan_.folds_of(kernel)) {
      const catalog::ReductionInfo& row = catalog::info(fold.reduction);
      if (!row.identity.empty() || fold.or_zero || fold.bounded) continue;
      throw ShapeError({.what = fmt::format("{} of no elements has no value", row.name),
                        .labels = {{fold.span, "reduces an axis of length 0"}},
                        .help = "check that the array is not empty",
                        .text = std::string(graph_.text)});
    }
  }

  // ---- hazards ------------------------------------------------------------------------------------------------------

  bool settle_hazards(const Kernel& kernel, BoundKernel& bound, bool must_be_isolated) {
    const std::span<const Store> stores = plan_.stores_of(kernel);
    std::pmr::vector<Detour> detours(b_.memory);
    bool reverse = false;
    for (std::size_t s = 0; s < stores.size(); ++s) {
      const std::uint32_t at = stores[s].access - kernel.first_access;
      const BoundAccess& store = bound.accesses[at];
      const Buffer::Kind kind = plan_.buffers[plan_.accesses[stores[s].access].buffer].kind;
      if ((kind == Buffer::Kind::Result && !out_) || kind == Buffer::Kind::Passing) continue;  // fresh memory, or none
      const Touched target = touched(store);
      Hazard worst = repeats(target, bound.rank, bound.extents) ? Hazard::Buffer : Hazard::None;
      bool forward = false, backward = false;
      for (std::uint32_t k = 0; k < kernel.n_accesses; ++k) {
        if (k == at) continue;
        const BoundAccess& other = bound.accesses[k];
        const Hazard h = hazard(target, touched(other), bound.rank, bound.extents);
        const bool is_store =
            std::any_of(stores.begin(), stores.end(), [&](const Store& x) { return x.access - kernel.first_access == k; });
        if (h != Hazard::None) bound.isolated = false;
        if (h != Hazard::None && (must_be_isolated || is_store)) return false;
        forward |= h == Hazard::Forward;
        backward |= h == Hazard::Backward;
        worst = std::max(worst, h);
      }
      if (worst == Hazard::Buffer || (forward && backward)) {
        detours.push_back({at, {}});
        continue;
      }
      bound.ordered |= forward || backward;
      if (backward) {
        reverse = true;
      }
    }
    if (reverse) {
      for (int axis = 0; axis < bound.rank; ++axis)
        for (BoundAccess& access : bound.accesses) {
          auto* strides = const_cast<std::int64_t*>(access.strides);
          access.base = advance(access.base, (bound.extents[axis] - 1) * strides[axis]);
          strides[axis] = -strides[axis];
        }
    }
    if (!detours.empty()) {
      bound.detours = allocate<Detour>(detours.size());
      std::copy(detours.begin(), detours.end(), bound.detours.begin());
    }
    return true;
  }

  const ir::Graph& graph_;
  const Plan& plan_;
  std::span<const Operand* const> slots_;
  const ArrayView* out_;
  Order order_;
  const Limits& limits_;
  Allocator allocator_;
  Binding& b_;
  const Rows* rows_;           ///< of the first axis of every kernel's space: what is bound of it; null: all
  std::size_t next_ = 0;       ///< action to be bound
  std::span<bool> is_known_;   ///< of shapes; none: all are
  std::span<bool> is_bound_;   ///< of buffers that are temporaries; none: all are
  std::span<bool> is_direct_;  ///< of buffers: an operand's memory; none where no action could use it
};

bool is_plain(const ArrayView& array) noexcept {
  auto expected = static_cast<std::int64_t>(item_size(array.dtype));
  for (int axis = array.shape.size() - 1; axis >= 0; --axis) {
    if (array.strides[axis] != expected && array.shape[axis] != 1) return false;
    expected *= array.shape[axis];
  }
  return !array.swapped && expected != 0;
}

bool may_share(const ArrayView& a, const ArrayView& b) noexcept {
  for (std::int64_t extent : a.shape)
    if (extent == 0) return false;
  for (std::int64_t extent : b.shape)
    if (extent == 0) return false;
  std::uintptr_t a_low, a_high, b_low, b_high;
  cover({static_cast<const char*>(a.data), a.strides.begin(), static_cast<std::int64_t>(item_size(a.dtype))}, a.shape.size(),
        a.shape.begin(), a_low, a_high);
  cover({static_cast<const char*>(b.data), b.strides.begin(), static_cast<std::int64_t>(item_size(b.dtype))}, b.shape.size(),
        b.shape.begin(), b_low, b_high);
  return a_low < b_high && b_low < a_high;
}

void bind(const ir::Graph& graph, const Plan& plan, std::span<const Operand* const> slots, const ArrayView* out, Order order,
          const Limits& limits, Allocator allocator, Binding& binding, const Rows* rows) {
  if (!plan.finds) return Binder(graph, plan, slots, out, order, limits, allocator, binding, rows).bind();
  void* const memory = binding.memory->allocate(sizeof(Binder), alignof(Binder));
  static_assert(std::is_trivially_destructible_v<Binder>);
  (new (memory) Binder(graph, plan, slots, out, order, limits, allocator, binding, rows))->bind();
}

void found(Binding& binding, const Action& action, std::int64_t count) { binding.rest->found(action, count); }

}  // namespace engine::plan

// ir/text.cpp - graph <-> text, one thing a line:
//
//     slot 0 a float64[2]
//     %0 = Input 0@0 : float64[2]
//     %1 = Constant 2 : float64[0]
//     %2 = Multiply.11 %0 %1 : float64[2]
//     %3 = Output Result %2
#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "engine/base/boundary.hpp"
#include "engine/catalog/evaluate.hpp"
#include "engine/ir/graph.hpp"

namespace engine::ir {
namespace {

/// Values as their bits: exact for every dtype.
std::string value_text(const Value& value, DType dtype) {
  std::string text = "0x";
  for (std::size_t i = info(dtype).size; i-- > 0;) text += fmt::format("{:02x}", static_cast<unsigned>(value.bytes[i]));
  return text;
}

/// A shift: "@-1 reflect wrap", and "@-1 constant constant 0x…".
std::string item_text(const ViewItem& item, DType dtype) {
  if (item.kind == ViewItem::Kind::New) return "None";
  if (item.kind == ViewItem::Kind::Integer) return fmt::format("{}", item.start);
  if (item.is_shift())
    return fmt::format("@{} {} {}{}", item.start, word(item.low), word(item.high),
                       item.has_constant() ? " " + value_text(item.value, dtype) : "");
  return fmt::format("{}:{}:{}", item.has_start ? fmt::format("{}", item.start) : "", item.has_stop ? fmt::format("{}", item.stop) : "",
                     item.step);
}

class Reader {
 public:
  Reader(std::string_view text, std::pmr::memory_resource* memory) : text_(text), g_(memory) { g_.text = text; }

  Graph read() {
    while (pos_ < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', pos_), text_.size());
      line_begin_ = pos_;
      rest_ = text_.substr(pos_, end - pos_);
      pos_ = end + 1;
      skip();
      if (rest_.empty()) continue;
      line();
      skip();
      if (!rest_.empty()) fail("the line goes on");
    }
    try {
      verify(g_);
    } catch (const InternalError& error) {
      rest_ = text_;
      fail(error.diagnostic().what);
    }
    return std::move(g_);
  }

 private:
  [[noreturn]] void fail(std::string what) {
    const auto at = static_cast<std::uint32_t>(rest_.data() - text_.data());
    throw ParseError(
        {.what = "malformed graph: " + std::move(what), .labels = {{{at, at + 1}, "here"}}, .help = {}, .text = std::string(text_)});
  }
  void skip() {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
  }
  bool accept(std::string_view word) {
    skip();
    if (rest_.substr(0, word.size()) != word) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void expect(std::string_view word) {
    if (!accept(word)) fail(fmt::format("expected '{}'", word));
  }
  template <class T>
  T number() {
    skip();
    T value{};
    const auto r = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (r.ec != std::errc()) fail("expected a number");
    rest_.remove_prefix(static_cast<std::size_t>(r.ptr - rest_.data()));
    return value;
  }
  std::string_view word() {
    skip();
    std::size_t n = 0;
    while (n < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[n])) || rest_[n] == '_')) ++n;
    const std::string_view w = rest_.substr(0, n);
    if (w.empty()) fail("expected a word");
    rest_.remove_prefix(n);
    return w;
  }
  Value bits() {
    expect("0x");
    Value value;
    const std::size_t n = std::min(rest_.find_first_not_of("0123456789abcdef"), rest_.size());
    if (n == 0 || n > 32 || n % 2 || (digits_ && digits_ != n)) fail("bits of a value");
    digits_ = n;
    for (std::size_t i = 0; i < n; i += 2) {
      unsigned byte = 0;
      std::from_chars(rest_.data() + i, rest_.data() + i + 2, byte, 16);
      value.bytes[(n - 2 - i) / 2] = static_cast<std::byte>(byte);
    }
    rest_.remove_prefix(n);
    return value;
  }
  NodeId reference() {
    expect("%");
    const auto id = number<NodeId>();
    if (id >= g_.nodes.size()) fail("a node that is not there yet");
    return id;
  }
  DType dtype() {
    const auto found = dtype_from_name(word());
    if (!found) fail("unknown dtype");
    return *found;
  }
  std::uint8_t rank() {
    expect("[");
    const auto r = number<unsigned>();
    if (r > kMaxRank) fail("rank");
    expect("]");
    return static_cast<std::uint8_t>(r);
  }

  void line() {
    if (accept("aliased")) {
      g_.aliased = true;
      return;
    }
    if (accept("apart")) {
      g_.apart = true;
      return;
    }
    if (accept("slot")) {
      if (number<std::size_t>() != g_.slots.size()) fail("slots must be numbered in order");
      Slot slot;
      slot.name = word();
      slot.dtype = dtype();
      slot.rank = rank();
      slot.local = accept("local");
      slot.written = accept("written");
      g_.slots.push_back(slot);
      return;
    }
    expect("%");
    if (number<std::size_t>() != g_.nodes.size()) fail("nodes must be numbered in order");
    expect("=");
    const std::string_view kind = word();
    Node node;
    digits_ = 0;
    if (kind == "Input") {
      node.kind = NodeKind::Input;
      node.payload = number<std::uint32_t>();
      expect("@");
      node.version = number<std::uint32_t>();
    } else if (kind == "Constant" || kind == "Given") {
      node.kind = NodeKind::Constant;
      node.op = kind == "Given";
      g_.values.push_back(bits());
      node.payload = static_cast<std::uint32_t>(g_.values.size() - 1);
    } else if (kind == "Cast") {
      node.kind = NodeKind::Cast;
      arguments(node);
    } else if (kind == "View") {
      node.kind = NodeKind::View;
      arguments(node);
      view(node);
    } else if (kind == "Reduce") {
      node.kind = NodeKind::Reduce;
      const catalog::ReductionInfo* row = catalog::find_reduction(word());
      if (!row) fail("unknown reduction");
      node.op = static_cast<std::uint16_t>(row->id);
      arguments(node);
      ReduceSpec spec;
      expect("axes");
      spec.axes = number<std::uint32_t>();
      spec.keepdims = accept("keepdims");
      spec.or_zero = accept("or_zero");
      spec.bounded = accept("bounded");
      if (accept("ddof")) spec.ddof = number<std::int64_t>();
      g_.reduces.push_back(spec);
      node.payload = static_cast<std::uint32_t>(g_.reduces.size() - 1);
    } else if (kind == "Order") {
      node.kind = NodeKind::Reduce;
      const catalog::OrderedInfo* row = catalog::find_ordered(word());
      if (!row) fail("unknown operation along an axis");
      node.op = static_cast<std::uint16_t>(row->id);
      arguments(node);
      ReduceSpec spec{.ordered = true};
      expect("axes");
      spec.axes = number<std::uint32_t>();
      spec.exclusive = accept("exclusive");
      if (accept("rest")) spec.rest = number<std::uint8_t>();
      if (accept("number")) spec.number = number<std::int64_t>();
      g_.reduces.push_back(spec);
      node.payload = static_cast<std::uint32_t>(g_.reduces.size() - 1);
    } else if (kind == "Output") {
      return output();
    } else {
      const catalog::OpInfo* row = nullptr;
      for (const catalog::OpInfo& candidate : catalog::operations())
        if (candidate.identifier == kind) row = &candidate;
      if (!row) fail("unknown operation");
      node.kind = NodeKind::Apply;
      node.op = static_cast<std::uint16_t>(row->id);
      expect(".");
      node.loop = number<std::uint16_t>();
      if (has(row->flags, catalog::Flags::Position)) {
        expect("axis");
        node.payload = number<std::uint32_t>();
      } else {
        node.payload = accept("by_scalar");
      }
      arguments(node);
    }
    expect(":");
    node.dtype = dtype();
    if (digits_ && digits_ != 2 * item_size(node.dtype)) fail("as many bits as the dtype has");
    node.rank = rank();
    g_.nodes.push_back(node);
  }

  void arguments(Node& node) {
    while (node.n_args < 3) {
      skip();
      if (rest_.empty() || rest_[0] != '%') return;
      node.args[node.n_args++] = reference();
    }
  }

  void view(Node& node) {
    ViewSpec spec;
    spec.first = static_cast<std::uint32_t>(g_.view_items.size());
    if (accept("T")) {
      spec.transpose = true;
    } else {
      expect("[");
      while (!accept("]")) {
        ViewItem item;
        if (accept("None")) {
          item.kind = ViewItem::Kind::New;
        } else if (accept("@")) {
          item.kind = ViewItem::Kind::Shift;
          item.start = number<std::int64_t>();
          if (!find_boundary(word(), item.low) || !find_boundary(word(), item.high)) fail("unknown boundary");
          if (item.has_constant()) item.value = bits();
        } else {
          skip();
          if (!rest_.empty() && rest_[0] != ':') {
            item.start = number<std::int64_t>();
            item.has_start = true;
          }
          if (accept(":")) {
            skip();
            if (!rest_.empty() && rest_[0] != ':') {
              item.stop = number<std::int64_t>();
              item.has_stop = true;
            }
            expect(":");
            item.step = number<std::int64_t>();
          } else {
            item.kind = ViewItem::Kind::Integer;
            item.has_start = false;
          }
        }
        g_.view_items.push_back(item);
        if (g_.view_items.size() - spec.first > 2 * kMaxRank) fail("too many items");
        accept(",");
      }
      spec.count = static_cast<std::uint32_t>(g_.view_items.size()) - spec.first;
    }
    g_.views.push_back(spec);
    node.payload = static_cast<std::uint32_t>(g_.views.size() - 1);
  }

  void output() {
    OutputSpec spec;
    const std::string_view kind = word();
    if (kind == "Check") {
      spec.kind = OutputSpec::Kind::Check;
    } else if (kind == "Store") {
      spec.kind = OutputSpec::Kind::Store;
      spec.slot = number<std::uint32_t>();
      if (spec.slot >= g_.slots.size()) fail("slot");
    } else if (kind != "Result") {
      fail("unknown output");
    }
    const NodeId value = reference();
    if (accept("through")) spec.target = reference();
    spec.returns_target = accept("returned");
    g_.output(value, spec, {});
  }

  std::string_view text_, rest_;
  Graph g_;
  std::size_t pos_ = 0, line_begin_ = 0;
  std::size_t digits_ = 0;  ///< of the line's constants
};

}  // namespace

std::string print(const Graph& g) {
  std::string text = g.aliased ? "aliased\n" : g.apart ? "apart\n" : "";
  for (std::size_t i = 0; i < g.slots.size(); ++i) {
    const Slot& slot = g.slots[i];
    text += fmt::format("slot {} {} {}[{}]{}{}\n", i, slot.name, name(slot.dtype), slot.rank, slot.local ? " local" : "",
                        slot.written ? " written" : "");
  }
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    const Node& node = g.nodes[i];
    text += fmt::format("%{} = ", i);
    std::string args;
    for (NodeId arg : g.args(node)) args += fmt::format(" %{}", arg);
    switch (node.kind) {
      case NodeKind::Input:
        text += fmt::format("Input {}@{}", node.payload, node.version);
        break;
      case NodeKind::Constant:
        text += (node.op ? "Given " : "Constant ") + value_text(g.values[node.payload], node.dtype);
        break;
      case NodeKind::Apply: {
        const catalog::OpInfo& row = catalog::info(static_cast<catalog::Op>(node.op));
        text += fmt::format("{}.{}", row.identifier, node.loop);
        if (has(row.flags, catalog::Flags::Position))
          text += fmt::format(" axis {}", node.payload);
        else if (node.payload)
          text += " by_scalar";
        text += args;
        break;
      }
      case NodeKind::Cast:
        text += "Cast" + args;
        break;
      case NodeKind::View: {
        const ViewSpec& spec = g.views[node.payload];
        text += "View" + args;
        if (spec.transpose) {
          text += " T";
        } else {
          text += " [";
          bool first = true;
          for (const ViewItem& item : g.items(spec)) {
            text += (first ? "" : ", ") + item_text(item, node.dtype);
            first = false;
          }
          text += "]";
        }
        break;
      }
      case NodeKind::Reduce: {
        const ReduceSpec& spec = g.reduces[node.payload];
        if (spec.ordered) {
          text += fmt::format("Order {}{} axes {}{}", catalog::info(static_cast<catalog::Ordered>(node.op)).name, args, spec.axes,
                              spec.exclusive ? " exclusive" : "");
          if (spec.rest) text += fmt::format(" rest {}", spec.rest);
          if (spec.number) text += fmt::format(" number {}", spec.number);
          break;
        }
        text += fmt::format("Reduce {}{} axes {}{}{}", catalog::info(static_cast<catalog::Reduction>(node.op)).name, args, spec.axes,
                            spec.keepdims ? " keepdims" : "", spec.or_zero ? " or_zero" : "");
        if (spec.bounded) text += " bounded";
        if (spec.ddof) text += fmt::format(" ddof {}", spec.ddof);
        break;
      }
      case NodeKind::Output: {
        const OutputSpec& spec = g.outputs[node.payload];
        text += spec.kind == OutputSpec::Kind::Result  ? "Output Result"
                : spec.kind == OutputSpec::Kind::Check ? "Output Check"
                                                       : fmt::format("Output Store {}", spec.slot);
        text += args;
        if (spec.target != kNone) text += fmt::format(" through %{}", spec.target);
        if (spec.returns_target) text += " returned";
        text += "\n";
        continue;
      }
    }
    text += fmt::format(" : {}[{}]\n", name(node.dtype), node.rank);
  }
  return text;
}

Graph read(std::string_view text, std::pmr::memory_resource* memory) { return Reader(text, memory).read(); }

}  // namespace engine::ir

// kernels_cuda/emit_steps.cpp - kernels that make several steps of a stencil. See steps.hpp.
#include <algorithm>
#include <bit>

#include "kernels_cuda/steps.hpp"
#include "kernels_cuda/writer.hpp"

namespace engine::cuda {
namespace {

using Kind = Parameter::Kind;

/// Names in the text besides those of KernelWriter: n<p> extents in the order of the walk, and for each place c of a thread: x<c> and
/// z<c> where it is along the last axes, near<c> whether a side is near, reach<c> how many steps its neighbours suffice for.
class StepsEmitter : KernelWriter {
 public:
  StepsEmitter(const PlannedKernel& planned, const plan::Stepped& step, const StepsShape& shape, const Layout& layout)
      : KernelWriter(planned.graph, planned.plan, planned.kernel, layout, false), step_(step), shape_(shape) {
    for (std::size_t i = 0; i < load_access_.size(); ++i) {
      const std::uint32_t k = load_access_[i];
      if (step_.accesses[k].rank == 0) continue;
      const std::uint32_t first = first_of(k);
      if (std::find(arrays_.begin(), arrays_.end(), first) == arrays_.end()) arrays_.push_back(first);
    }
    for (const std::uint32_t k : shape_.field_of_store) fields_.push_back(first_of(k));
  }

  KernelText emit() {
    declare();
    tile();
    if (walks())
      along();
    else
      in_turn();
    return assemble();
  }

 private:
  int rank() const { return static_cast<int>(shape_.axes.size()); }
  /// Whether blocks go along the first axis: of one axis there is nothing to go along.
  bool walks() const { return rank() > 1; }
  int lateral() const { return walks() ? 1 : 0; }  ///< the first axis of a tile
  const StepAxis& axis(int p) const { return shape_.axes[static_cast<std::size_t>(p)]; }
  int cells() const { return layout_.width * layout_.height; }
  int places() const { return cells() / kBlock; }
  int depth() const { return layout_.depth; }
  /// Steps are so many planes apart, and of each so many are kept.
  int apart() const { return axis(0).radius + 1; }
  int kept_planes() const { return static_cast<int>(std::bit_ceil(static_cast<unsigned>(2 * axis(0).radius + 2))); }

  const plan::Neighbour& neighbour(std::uint32_t k) const { return step_.accesses[k]; }
  const plan::Toward& toward(std::uint32_t k, int p) const { return neighbour(k).axes[static_cast<std::size_t>(axis(p).axis)]; }
  int offset(std::uint32_t k, int p) const { return static_cast<int>(toward(k, p).offset); }
  /// The access that stands for all of the same array.
  std::uint32_t first_of(std::uint32_t k) const {
    for (std::uint32_t other : load_access_)
      if (neighbour(other).slot == neighbour(k).slot) return other;
    return k;
  }
  /// The number of the field, or -1.
  int field(std::uint32_t k) const {
    const auto found = std::find(fields_.begin(), fields_.end(), first_of(k));
    return found == fields_.end() ? -1 : static_cast<int>(found - fields_.begin());
  }
  int n_fields() const { return static_cast<int>(fields_.size()); }
  std::string_view lane_of(int f) const { return lane(fields_[static_cast<std::size_t>(f)]); }

  // ---- parameters -----------------------------------------------------------------------------------------------------------

  void declare() {
    std::vector<std::uint32_t> singles;
    for (const std::uint32_t k : load_access_)
      if (neighbour(k).rank == 0 && first_of(k) == k && std::find(singles.begin(), singles.end(), k) == singles.end()) {
        singles.push_back(k);
        declare_access(k);
      }
    const auto strided = [&](std::uint32_t k) {
      parameter(Kind::Address, "char*", fmt::format("p{}", k), 8, k);
      for (int p = 0; p < rank(); ++p)
        long_parameter(Kind::Stride, fmt::format("s{}_{}", k, p), k, static_cast<std::uint32_t>(axis(p).axis));
    };
    for (const std::uint32_t k : arrays_) strided(k);
    for (const std::uint32_t k : store_access_) strided(k);
    std::uint32_t arguments = 0;
    const auto argument = [&](std::string name) { parameter(Kind::Argument, "long", std::move(name), 8, arguments++); };
    for (int p = 0; p < rank(); ++p) argument(fmt::format("long_n{}", p));
    for (int p = lateral(); p < rank(); ++p)
      for (const char* name : {"tiles", "whole", "lead"}) argument(fmt::format("{}{}", name, p));
    argument(walks() ? "rows" : "steps");
    for (int p = 0; p < rank(); ++p) line("  const int n{0} = static_cast<int>(long_n{0});", p);
  }

  // ---- the tile ---------------------------------------------------------------------------------------------------------------

  std::string steps_at_once() const { return walks() ? fmt::format("{}", depth()) : "static_cast<int>(steps)"; }

  /// Where the thread's places are, and what they may do.
  void tile() {
    for (int f = 0; f < n_fields(); ++f)
      if (!walks())
        line("  __shared__ {} plane{}[2][{}];", lane_of(f), f, cells());
      else
        line("  __shared__ {} plane{}[{}];", lane_of(f), f, depth() * kept_planes() * cells());
    line("  unsigned block = blockIdx.x;");
    for (int p = rank() - 1; p >= lateral(); --p) {
      line("  const int begin{0} = static_cast<int>(static_cast<long>(block % static_cast<unsigned>(tiles{0})) * whole{0} - lead{0});", p);
      line("  block /= static_cast<unsigned>(tiles{});", p);
    }
    for (int c = 0; c < places(); ++c) {
      line("  const int cell{} = {} + static_cast<int>(threadIdx.x);", c, c * kBlock);
      std::string inside, reach = fmt::format("{}", steps_at_once()), near;
      for (int p = lateral(); p < rank(); ++p) {
        const char* const name = name_of(p);
        const int side = p == rank() - 1 ? layout_.width : layout_.height;
        line("  const int l{0}{1} = cell{1} {2} {3}, {0}{1} = begin{4} + l{0}{1};", name, c, p == rank() - 1 ? "%" : "/", layout_.width, p);
        if (axis(p).wraps) {
          line("  const int at_{0}{1} = (({0}{1} % n{2}) + n{2}) % n{2};", name, c, p);
        } else {
          line("  const int at_{0}{1} = {0}{1};", name, c);
          inside += fmt::format(" && {0}{1} >= 0 && {0}{1} < n{2}", name, c, p);
        }
        if (axis(p).radius > 0)
          reach = fmt::format("min({}, min(l{}{}, {} - l{}{}) / {})", reach, name, c, side - 1, name, c, axis(p).radius);
        if (axis(p).rim > 0)
          near += fmt::format("{0}at_{1}{2} < {3} || at_{1}{2} >= n{4} - {3}", near.empty() ? "" : " || ", name, c, axis(p).rim, p);
      }
      // What another tile makes is not made to the end here.
      std::string own = "true";
      for (int p = lateral(); p < rank(); ++p) {
        const char* const name = name_of(p);
        own += fmt::format(" && l{0}{1} >= lead{2} && l{0}{1} < lead{2} + whole{2}", name, c, p);
        if (axis(p).wraps) own += fmt::format(" && {0}{1} < n{2}", name, c, p);
      }
      line("  const int reach{} = true{} ? min({}, {} ? {} : {} - 1) : -1;", c, inside, reach, own, steps_at_once(), steps_at_once());
      line("  [[maybe_unused]] const bool near{} = {};", c, near.empty() ? "false" : near);
      for (const std::uint32_t k : arrays_) line("  const char* const a{0}_{1} = p{0}{2};", k, c, aside(k, c, "at_"));
      for (const std::uint32_t k : store_access_) line("  char* const b{0}_{1} = p{0}{2};", k, c, aside(k, c, ""));
    }
  }
  const char* name_of(int p) const { return p == rank() - 1 ? "x" : "z"; }
  /// The way along the tile's axes.
  std::string aside(std::uint32_t k, int c, std::string_view prefix) const {
    std::string text;
    for (int p = lateral(); p < rank(); ++p) text += fmt::format(" + static_cast<long>({}{}{}) * s{}_{}", prefix, name_of(p), c, k, p);
    return text;
  }

  // ---- a step of one place ----------------------------------------------------------------------------------------------------

  /// What an access finds with nothing near: `of_field` says it for fields.
  template <class OfField>
  std::string plain(std::uint32_t k, int c, OfField of_field) const {
    if (field(k) >= 0) return of_field(k, c);
    std::string at = fmt::format("a{}_{}", first_of(k), c);
    if (walks()) at += fmt::format(" + static_cast<long>(at_y{}) * s{}_0", signed_text(offset(k, 0)), first_of(k));
    for (int p = lateral(); p < rank(); ++p)
      if (offset(k, p)) at += fmt::format("{} * s{}_{}", signed_text(offset(k, p)), first_of(k), p);
    return loaded(first_of(k), at);
  }
  static std::string signed_text(int n) { return n == 0 ? "" : fmt::format(" {} {}", n < 0 ? "-" : "+", std::abs(n)); }

  static std::string_view word(Boundary side) {
    switch (side) {
      case Boundary::Reflect:
        return "Side::kReflect";
      case Boundary::Mirror:
        return "Side::kMirror";
      case Boundary::Wrap:
        return "Side::kWrap";
      default:
        return "Side::kNearest";
    }
  }
  /// The index of a read along an axis, from `at`, which lies on it; and whether it finds a constant instead.
  std::string found(std::uint32_t k, int p, const std::string& at, std::string& outside) const {
    const plan::Toward& to = toward(k, p);
    if (to.offset == 0) return at;
    const std::string moved = at + signed_text(static_cast<int>(to.offset));
    const auto add = [&](const std::string& text) { outside += (outside.empty() ? "" : " || ") + text; };
    if (to.low == Boundary::Constant && to.offset < 0) add(fmt::format("{} < 0", moved));
    if (to.high == Boundary::Constant && to.offset > 0) add(fmt::format("{} >= n{}", moved, p));
    return fmt::format("beyond<{}, {}>({}, n{})", word(to.low), word(to.high), moved, p);
  }
  /// A place in a plane of what step t has made: of the plane before this, of one axis; else of that of a row, s + `row` or any.
  std::string place_of(int f, int t, int row, const std::string& cell) const {
    const int planes = kept_planes();
    return fmt::format("plane{}[{} + row{} + {}]", f, t * planes * cells(), (row % planes + planes) % planes, cell);
  }
  std::string place_of(int f, int t, const std::string& row, const std::string& cell) const {
    return fmt::format("plane{}[{} + (({}) & {}) * {} + {}]", f, t * kept_planes() * cells(), row, kept_planes() - 1, cells(), cell);
  }
  static std::string place_before(int f, const std::string& cell) { return fmt::format("plane{}[(t - 1) & 1][{}]", f, cell); }
  /// What an access finds near a side; `before`: the step before, of several axes.
  std::string near(std::uint32_t k, int c, int before) const {
    std::string outside, value;
    const int f = field(k);
    const auto along = [&](int p, const std::string& at, const std::string& local, const std::string& begin) {
      // What wraps lies in the tile as if the axis went on.
      if (axis(p).wraps || offset(k, p) == 0) return local + signed_text(offset(k, p));
      return fmt::format("{} - {}", found(k, p, at, outside), begin);
    };
    if (f >= 0) {
      std::string row;
      if (walks()) row = axis(0).wraps ? "y" + signed_text(offset(k, 0)) : found(k, 0, "y", outside);
      std::string cell;
      for (int p = lateral(); p < rank(); ++p) {
        const std::string name = name_of(p), number = fmt::format("{}", c);
        const std::string local = along(p, name + number, "l" + name + number, fmt::format("begin{}", p));
        cell += p == rank() - 1 ? local : fmt::format("({}) * {} + ", local, layout_.width);
      }
      value = walks() ? place_of(f, before, row, cell) : place_before(f, cell);
    } else {
      const std::uint32_t of = first_of(k);
      std::string at = fmt::format("p{}", of);
      for (int p = 0; p < rank(); ++p) {
        const std::string place = p < lateral() ? "at_y" : fmt::format("at_{}{}", name_of(p), c);
        at += fmt::format(" + static_cast<long>({}) * s{}_{}", found(k, p, place, outside), of, p);
      }
      value = loaded(of, at);
    }
    if (outside.empty()) return value;
    return fmt::format("{} ? {} : {}", outside, literal(access(k).dtype, *neighbour(k).outside), value);
  }
  std::string own(int f, int before, int c) const {
    const std::string cell = fmt::format("cell{}", c);
    return walks() ? place_of(f, before, "y", cell) : place_before(f, cell);
  }
  /// Whether a side is near, so that boundaries say what is read, or the place keeps what it has.
  std::string is_near(int c) const {
    std::string text;
    const auto add = [&](const std::string& condition) { text += (text.empty() ? "" : " || ") + condition; };
    if (has_near_aside()) add(fmt::format("near{}", c));
    if (walks() && axis(0).rim > 0) add(fmt::format("at_y < {0} || at_y >= n0 - {0}", axis(0).rim));
    return text;
  }
  bool has_near_aside() const {
    return std::any_of(shape_.axes.begin() + lateral(), shape_.axes.end(), [](const StepAxis& a) { return a.rim > 0; });
  }
  /// Whether the place keeps what it has.
  std::string is_kept(int c) const {
    std::string text;
    for (int p = 0; p < rank(); ++p) {
      const std::string at = p < lateral() ? "y" : fmt::format("{}{}", name_of(p), c);
      const auto add = [&](const std::string& condition) { text += (text.empty() ? "" : " || ") + condition; };
      if (axis(p).kept.low) add(fmt::format("{} < {}", at, axis(p).kept.low));
      if (axis(p).kept.high) add(fmt::format("{} >= n{} - {}", at, p, axis(p).kept.high));
    }
    return text;
  }

  /// Computes w<store> where `is_near` says whether a side is; empty: there is none. `of_field`: what an access to a
  /// field finds with nothing near.
  template <class OfField>
  void compute(int c, int before, const std::string& is_near, OfField of_field) {
    const auto result = [](std::size_t r) { return fmt::format("w{}", r); };
    const auto call = [&](auto value_of) {
      line("        {};", element([&](std::size_t i, std::uint32_t) { return value_of(load_access_[i]); }, result));
    };
    if (!is_near.empty()) {
      line("      if ({}) {{", is_near);
      const std::string kept = is_kept(c);
      if (!kept.empty()) {
        line("        if ({}) {{", kept);
        for (std::size_t r = 0; r < store_access_.size(); ++r) line("          w{} = {};", r, own(static_cast<int>(r), before, c));
        line("        }} else {{");
      }
      call([&](std::uint32_t k) { return near(k, c, before); });
      if (!kept.empty()) line("        }}");
      line("        stands_apart();");
      line("      }} else {{");
    }
    call([&](std::uint32_t k) { return plain(k, c, of_field); });
    if (!is_near.empty()) line("      }}");
  }
  void declare_results(std::string_view suffix = "") {
    for (std::size_t r = 0; r < store_access_.size(); ++r) line("      {} w{}{};", lane(store_access_[r]), r, suffix);
  }
  void store(int c) {
    for (std::size_t r = 0; r < store_access_.size(); ++r) {
      const std::uint32_t k = store_access_[r];
      line("        {};", stored(k, walks() ? fmt::format("to{}_{}", k, c) : fmt::format("b{}_{}", k, c), fmt::format("w{}", r)));
    }
  }

  // ---- one axis -----------------------------------------------------------------------------------------------------------------

  /// Two planes in turn.
  void in_turn() {
    for (int c = 0; c < places(); ++c) {
      line("  if (reach{} >= 0) {{", c);
      for (int f = 0; f < n_fields(); ++f) {
        const std::uint32_t k = fields_[static_cast<std::size_t>(f)];
        line("    plane{}[0][cell{}] = {};", f, c, loaded(k, fmt::format("a{}_{}", k, c)));
      }
      line("  }}");
    }
    line("  __syncthreads();\n#pragma unroll 1\n  for (int t = 1; t <= steps; ++t) {{");
    for (int c = 0; c < places(); ++c) {
      line("    if (reach{} >= t) {{", c);
      declare_results();
      compute(c, 0, is_near(c), [&](std::uint32_t k, int at) {
        return fmt::format("plane{}[(t - 1) & 1][cell{}{}]", field(k), at, signed_text(offset(k, 0)));
      });
      line("      if (t == steps) {{");
      store(c);
      line("      }} else {{");
      for (int f = 0; f < n_fields(); ++f) line("        plane{}[t & 1][cell{}] = w{};", f, c, f);
      line("      }}\n    }}");
    }
    line("    __syncthreads();\n  }}");
  }

  // ---- along the first axis -----------------------------------------------------------------------------------------------------

  /// The values of a field along the first axis that a thread has in registers, for each way aside: those read from row `low` to row
  /// `high` of the place that is made.
  struct Window {
    int field;
    std::array<int, 2> aside;  ///< of the tile's axes
    int low, high;
    bool is_own() const { return aside[0] == 0 && aside[1] == 0; }
  };
  std::vector<Window> windows() const {
    std::vector<Window> list;
    for (const std::uint32_t k : load_access_) {
      if (neighbour(k).rank == 0 || field(k) < 0) continue;
      const Window wanted{field(k), aside_of(k), offset(k, 0), offset(k, 0)};
      const auto same =
          std::find_if(list.begin(), list.end(), [&](const Window& w) { return w.field == wanted.field && w.aside == wanted.aside; });
      if (same == list.end()) {
        list.push_back(wanted);
      } else {
        same->low = std::min(same->low, wanted.low);
        same->high = std::max(same->high, wanted.high);
      }
    }
    // A thread's own values come from what it has just made, and wait until they are as far behind.
    for (Window& w : list)
      if (w.is_own()) w.high = axis(0).radius;
    return list;
  }
  std::array<int, 2> aside_of(std::uint32_t k) const {
    std::array<int, 2> aside{};
    for (int p = lateral(); p < rank(); ++p) aside[static_cast<std::size_t>(p - lateral())] = offset(k, p);
    return aside;
  }
  int cell_offset(const Window& w) const { return rank() == 3 ? w.aside[0] * layout_.width + w.aside[1] : w.aside[0]; }
  static std::string value_name(int t, std::size_t window, int row, int c) { return fmt::format("v{}_{}_{}_{}", t, window, row, c); }

  void along() {
    const std::vector<Window> all = windows();
    line("  const int begin = static_cast<int>(block) * static_cast<int>(rows), end = min(begin + static_cast<int>(rows), n0);");
    // What each step makes: the next one reads further at both sides.
    for (int t = 0; t <= depth(); ++t) {
      const int more = (depth() - t) * axis(0).radius;
      if (axis(0).wraps)
        line("  const int low{} = begin - {}, high{} = end + {};", t, more, t, more);
      else
        line("  const int low{} = max(begin - {}, 0), high{} = min(end + {}, n0);", t, more, t, more);
    }
    for (int c = 0; c < places(); ++c) {
      for (int t = 1; t <= depth(); ++t)
        for (std::size_t i = 0; i < all.size(); ++i) {
          const auto w = static_cast<std::size_t>(all[i].field);
          for (int row = 0; row <= all[i].high - all[i].low; ++row) line("  {} {}{{}};", lane(fields_[w]), value_name(t, i, row, c));
        }
      for (int t = 0; t < depth(); ++t)
        for (int f = 0; f < n_fields(); ++f) line("  {} made{}_{}_{}{{}};", lane_of(f), t, f, c);
      for (int f = 0; f < n_fields(); ++f) line("  {} ahead{}_{}{{}};", lane_of(f), f, c);
      for (const std::uint32_t k : fields_)
        line("  const char* from{0}_{1} = a{0}_{1}{2};", k, c, axis(0).wraps ? "" : fmt::format(" + static_cast<long>(low0) * s{}_0", k));
      for (const std::uint32_t k : store_access_)
        line("  char* to{0}_{1} = b{0}_{1} + static_cast<long>(low0 - {2}) * s{0}_0;", k, c, depth() * apart());
      line("  if (reach{} >= 0) {{", c);
      load_ahead("low0", c);
      line("  }}");
      next_row(c);
    }
    // Where all steps are under way and no side of the first axis is near there is nothing to ask.
    const int rim = axis(0).rim;
    line("  const int last = end + {};", depth() * apart());
    line("  const int from = min({} + {}, last);", rim ? fmt::format("max(begin, {})", rim) : "begin", depth() * apart());
    line("  const int to = {};", rim ? fmt::format("min(high0 - 1, n0 - {})", rim - apart()) : "high0 - 1");
    line("  int s = low0;");
    line("#pragma unroll 1\n  for (int half = 0; half < 2; ++half) {{");
    line("#pragma unroll 1\n  for (; s < (half ? last : from); ++s) {{");
    planes(all, false);
    line("  }}\n#pragma unroll {}\n  for (; s < to; ++s) {{", 2 * axis(0).radius + 1);
    planes(all, true);
    line("  }}\n  }}");
  }

  /// What is done for row s: step t makes row s - t * apart().
  void planes(const std::vector<Window>& all, bool is_steady) {
    for (int row = 0; row < kept_planes(); ++row)
      line("    [[maybe_unused]] const int row{0} = ((s + {0}) & {1}) * {2};", row, kept_planes() - 1, cells());
    for (int c = 0; c < places(); ++c)
      for (int f = 0; f < n_fields(); ++f) line("    const {0} now{1}_{2} = ahead{1}_{2};", lane_of(f), f, c);
    if (!is_steady) line("    if (s + 1 < high0) {{");
    for (int c = 0; c < places(); ++c) {
      line("      if (reach{} >= 0) {{", c);
      load_ahead("(s + 1)", c);
      line("      }}");
      next_row(c);
    }
    if (!is_steady) line("    }}");
    // The last step first: what it reads of a thread's own is what the step before made one plane ago.
    for (int t = depth(); t > 0; --t) level(t, all, is_steady);
    if (!is_steady) line("    if (s < high0) {{");
    for (int c = 0; c < places(); ++c) {
      line("      if (reach{} >= 0) {{", c);
      for (int f = 0; f < n_fields(); ++f) keep(0, f, c, fmt::format("now{}_{}", f, c));
      line("      }}");
    }
    if (!is_steady) line("    }}");
    for (int c = 0; c < places(); ++c) {
      for (int f = 0; f < n_fields(); ++f) line("    made0_{0}_{1} = now{0}_{1};", f, c);
      for (const std::uint32_t k : store_access_) line("    to{0}_{1} += s{0}_0;", k, c);
    }
    line("    __syncthreads();");
  }

  std::string on_axis(std::string_view row) const {
    if (!axis(0).wraps) return std::string(row);
    return fmt::format("({0} < 0 ? {0} + n0 : {0} >= n0 ? {0} - n0 : {0})", row);
  }
  /// Loads of row after row go by an address that moves on, but where an axis begins anew.
  void load_ahead(std::string_view row, int c) {
    for (int f = 0; f < n_fields(); ++f) {
      const std::uint32_t k = fields_[static_cast<std::size_t>(f)];
      std::string at = fmt::format("from{}_{}", k, c);
      if (axis(0).wraps) at += fmt::format(" + static_cast<long>({}) * s{}_0", on_axis(row), k);
      line("        ahead{}_{} = {};", f, c, loaded(k, at));
    }
  }
  void next_row(int c) {
    if (axis(0).wraps) return;
    for (const std::uint32_t k : fields_) line("      from{0}_{1} += s{0}_0;", k, c);
  }
  /// Puts what step t has made of a plane where the next one finds it.
  void keep(int t, int f, int c, const std::string& value) {
    line("        {} = {};", place_of(f, t, -t * apart(), fmt::format("cell{}", c)), value);
  }

  void level(int t, const std::vector<Window>& all, bool is_steady) {
    const int behind = t * apart();
    line("    {{\n      [[maybe_unused]] const int y = s - {};", behind);
    if (!is_steady) line("      if (y + {} >= low{} && y < high{}) {{", axis(0).radius, t - 1, t);
    line("      [[maybe_unused]] const int at_y = {};", on_axis("y"));
    // What is not read or made here stays without a value, and nobody asks for it: keeping the one from before would be moves.
    for (int c = 0; c < places(); ++c) {
      line("      {{");
      declare_results();
      for (std::size_t i = 0; i < all.size(); ++i) {
        const Window& w = all[i];
        for (int row = 0; row < w.high - w.low; ++row) line("      {} = {};", value_name(t, i, row, c), value_name(t, i, row + 1, c));
        if (w.is_own())
          line("      {} = made{}_{}_{};", value_name(t, i, w.high - w.low, c), t - 1, w.field, c);
        else
          line("      {} read{};", lane(fields_[static_cast<std::size_t>(w.field)]), i);
      }
      line("      if (reach{} >= {}) {{", c, t);
      // Near a side what stands aside may be no place of the array; there nothing is read from registers.
      if (has_near_aside()) line("      if (!near{}) {{", c);
      for (std::size_t i = 0; i < all.size(); ++i) {
        const Window& w = all[i];
        if (w.is_own()) continue;
        if (!is_steady) line("        if (y{0} >= low{1} && y{0} < high{1})", signed_text(w.high), t - 1);
        line("        read{} = {};", i, place_of(w.field, t - 1, w.high - behind, fmt::format("cell{}{}", c, signed_text(cell_offset(w)))));
      }
      if (has_near_aside()) line("      }}");
      if (!is_steady) line("      if (y >= low{}) {{", t);
      compute(c, t - 1, is_steady ? has_near_aside() ? fmt::format("near{}", c) : "" : is_near(c), [&](std::uint32_t k, int at) {
        for (std::size_t i = 0; i < all.size(); ++i)
          if (all[i].field == field(k) && all[i].aside == aside_of(k))
            return !all[i].is_own() && offset(k, 0) == all[i].high ? fmt::format("read{}", i)
                                                                   : value_name(t, i, offset(k, 0) - all[i].low, at);
        return std::string();
      });
      if (t < depth())
        for (int f = 0; f < n_fields(); ++f) keep(t, f, c, fmt::format("w{}", f));
      else
        store(c);
      if (!is_steady) line("      }}");
      line("      }}");
      for (std::size_t i = 0; i < all.size(); ++i)
        if (!all[i].is_own()) line("      {} = read{};", value_name(t, i, all[i].high - all[i].low, c), i);
      if (t < depth())
        for (int f = 0; f < n_fields(); ++f) line("      made{}_{}_{} = w{};", t, f, c, f);
      line("      }}");
    }
    line("    }}");
    if (!is_steady) line("    }}");
  }

  const plan::Stepped& step_;
  const StepsShape& shape_;
  std::vector<std::uint32_t> arrays_;  ///< the first access of each that is read
  std::vector<std::uint32_t> fields_;  ///< and of those that are updated, in the order of the stores
};

}  // namespace

KernelText emit_steps(const PlannedKernel& planned, const plan::Stepped& step, const StepsShape& shape, const Layout& layout) {
  return StepsEmitter(planned, step, shape, layout).emit();
}

}  // namespace engine::cuda

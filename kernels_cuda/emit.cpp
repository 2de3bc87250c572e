// kernels_cuda/emit.cpp - see emit.hpp.
#include "kernels_cuda/emit.hpp"

#include <fmt/format.h>

#include "kernels_cuda/body.hpp"
#include "kernels_cuda/prelude.hpp"

namespace engine::cuda {
namespace {

using Kind = Parameter::Kind;

class Emitter {
 public:
  Emitter(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, const Layout& layout)
      : plan_(plan), kernel_(kernel), layout_(layout), body_(body_of(graph, plan, kernel)) {}

  KernelText emit() {
    find_accesses();
    for (std::uint32_t k : used_) declare_access(k);
    switch (layout_.form) {
      case Form::Flat:
        flat();
        break;
      case Form::Rows:
        rows();
        break;
      case Form::Scatter:
      case Form::Serial:
        scatter();
        break;
    }
    return assemble();
  }

 private:
  // ---- what the body reads and writes -------------------------------------------------------------------------------

  /// The access of each of the body's loads and stores; positions come after the plan's accesses, in order.
  void find_accesses() {
    const std::span<const plan::Instr> body = plan_.body(kernel_);
    std::uint32_t position = kernel_.n_accesses;
    for (std::uint32_t i : body_.loads) {
      const bool is_position = body[i].kind == plan::Instr::Kind::Position;
      load_access_.push_back(is_position ? position++ : body[i].payload - kernel_.first_access);
      use(load_access_.back());
    }
    for (const plan::Store& store : plan_.stores_of(kernel_)) {
      store_access_.push_back(store.access - kernel_.first_access);
      use(store_access_.back());
    }
  }
  void use(std::uint32_t access) {
    for (std::uint32_t k : used_)
      if (k == access) return;
    used_.push_back(access);
  }

  const AccessLayout& access(std::uint32_t k) const { return layout_.accesses[k]; }
  std::string_view lane(std::uint32_t k) const { return lane_name(access(k).dtype); }
  bool is_position(std::uint32_t k) const { return k >= kernel_.n_accesses; }
  bool is_single(std::uint32_t k) const { return access(k).reach == Reach::Value || access(k).reach == Reach::Uniform; }
  bool by_bytes(std::uint32_t k) const { return access(k).swapped || access(k).unaligned; }

  // ---- parameters ---------------------------------------------------------------------------------------------------

  void parameter(Kind kind, std::string_view type, std::string name, std::uint32_t bytes, std::uint32_t index = 0, std::uint32_t axis = 0) {
    result_.parameters.push_back({kind, index, axis, bytes});
    declarations_.emplace_back(type, std::move(name));
  }
  void long_parameter(Kind kind, std::string name, std::uint32_t index = 0, std::uint32_t axis = 0) {
    parameter(kind, "long", std::move(name), 8, index, axis);
  }
  void unsigned_parameter(Kind kind, std::string name, std::uint32_t axis = 0) { parameter(kind, "unsigned", std::move(name), 4, 0, axis); }
  void divisor_parameters(std::uint32_t axis) {
    unsigned_parameter(Kind::Extent, fmt::format("e{}", axis), axis);
    unsigned_parameter(Kind::Multiplier, fmt::format("m{}", axis), axis);
    unsigned_parameter(Kind::Shift, fmt::format("h{}", axis), axis);
  }

  void declare_access(std::uint32_t k) {
    if (access(k).reach == Reach::Value)
      return parameter(Kind::Value, lane(k), fmt::format("u{}", k), static_cast<std::uint32_t>(item_size(access(k).dtype)), k);
    parameter(Kind::Address, is_position(k) ? "long" : "char*", fmt::format("p{}", k), 8, k);
    if (access(k).reach == Reach::Uniform) line("  const {} u{} = {};", lane(k), k, loaded(k, fmt::format("p{}", k)));
  }

  // ---- single elements ----------------------------------------------------------------------------------------------

  /// Bytes of one number, whose order `swapped` is about.
  std::size_t number_bytes(std::uint32_t k) const {
    const std::size_t item = item_size(access(k).dtype);
    if (!access(k).swapped) return 1;  // every byte on its own: their order stays
    return is_complex(access(k).dtype) ? item / 2 : item;
  }
  std::string loaded(std::uint32_t k, std::string_view at) const {
    if (by_bytes(k)) return fmt::format("load_bytes<{}, {}>({})", lane(k), number_bytes(k), at);
    return fmt::format("load<{}>({})", lane(k), at);
  }
  std::string stored(std::uint32_t k, std::string_view at, std::string_view value) const {
    if (by_bytes(k)) return fmt::format("store_bytes<{}, {}>({}, {})", lane(k), number_bytes(k), at, value);
    return fmt::format("store<{}>({}, {})", lane(k), at, value);
  }

  /// The call of the body: what is loaded is loads(i, access), what is stored is results(r).
  template <class Loads, class Results>
  std::string element(Loads loads, Results results) const {
    std::string arguments;
    const auto add = [&](const std::string& text) { arguments += (arguments.empty() ? "" : ", ") + text; };
    for (std::size_t i = 0; i < body_.loads.size(); ++i) {
      const std::uint32_t k = load_access_[i];
      add(is_single(k) ? fmt::format("u{}", k) : loads(i, k));
    }
    for (std::size_t r = 0; r < body_.results.size(); ++r) add(results(r));
    return fmt::format("element({})", arguments);
  }

  // ---- flat ---------------------------------------------------------------------------------------------------------

  /// Packs of `width` elements; what comes before the first aligned one and after the last is done by the last block.
  void flat() {
    const int width = layout_.width, unroll = layout_.unroll;
    long_parameter(Kind::Total, "total");
    if (width > 1)
      long_parameter(Kind::Head, "head");
    else
      line("  const long head = 0;");
    line("  const long packs = (total - head) / {};", width);
    line("  const long first = static_cast<long>(blockIdx.x) * {} + threadIdx.x;", kBlock * unroll);
    for (std::size_t i = 0; i < load_access_.size(); ++i)
      if (const std::uint32_t k = load_access_[i]; !is_single(k)) {
        line("  const auto* a{} = reinterpret_cast<const {}*>(p{}) + head + first * {};", i, lane(k), k, width);
        line("  Pack<{}, {}> v{}[{}];", lane(k), width, i, unroll);
      }
    for (std::size_t r = 0; r < store_access_.size(); ++r)
      line("  auto* b{} = reinterpret_cast<{}*>(p{}) + head + first * {};", r, lane(store_access_[r]), store_access_[r], width);
    line("#pragma unroll");
    line("  for (int k = 0; k < {}; ++k)", unroll);
    line("    if (first + k * {} < packs) {{", kBlock);
    for (std::size_t i = 0; i < load_access_.size(); ++i)
      if (const std::uint32_t k = load_access_[i]; !is_single(k))
        line("      v{0}[k] = {1}<{2}>(a{0} + k * {3});", i, access(k).reach == Reach::Pack ? "load_pack" : "load_each", width,
             kBlock * width);
    line("    }}");
    line("#pragma unroll");
    line("  for (int k = 0; k < {}; ++k)", unroll);
    line("    if (first + k * {} < packs) {{", kBlock);
    for (std::size_t r = 0; r < store_access_.size(); ++r) line("      Pack<{}, {}> w{};", lane(store_access_[r]), width, r);
    line("#pragma unroll");
    line("      for (int j = 0; j < {}; ++j) {};", width,
         element([](std::size_t i, std::uint32_t) { return fmt::format("v{}[k].at[j]", i); },
                 [](std::size_t r) { return fmt::format("w{}.at[j]", r); }));
    for (std::size_t r = 0; r < store_access_.size(); ++r)
      line("      {}(b{} + k * {}, w{});", access(store_access_[r]).reach == Reach::Pack ? "store_pack" : "store_each", r, kBlock * width,
           r);
    line("    }}");
    if (width > 1) rim();
  }

  void rim() {
    line("  const long rest = total - head - packs * {};", layout_.width);
    line("  if (blockIdx.x == gridDim.x - 1 && threadIdx.x < head + rest) {{");
    line("    const long i = threadIdx.x < head ? threadIdx.x : total - head - rest + threadIdx.x;");
    for (std::size_t r = 0; r < store_access_.size(); ++r) line("    {} w{};", lane(store_access_[r]), r);
    line("    {};",
         element([&](std::size_t, std::uint32_t k) { return loaded(k, fmt::format("p{} + i * {}", k, item_size(access(k).dtype))); },
                 [](std::size_t r) { return fmt::format("w{}", r); }));
    for (std::size_t r = 0; r < store_access_.size(); ++r) {
      const std::uint32_t k = store_access_[r];
      line("    {};", stored(k, fmt::format("p{} + i * {}", k, item_size(access(k).dtype)), fmt::format("w{}", r)));
    }
    line("  }}");
  }

  // ---- strides ------------------------------------------------------------------------------------------------------

  /// Where access k lies for indices i<axis>, axes [begin, end), from `start` on.
  std::string place(std::uint32_t k, std::string start, int begin, int end) const {
    for (int axis = begin; axis < end; ++axis) {
      if (access(k).reach == Reach::Row && axis == layout_.rank - 1)
        start += fmt::format(" + static_cast<long>(i{}) * {}", axis, item_size(access(k).dtype));
      else
        start += fmt::format(" + i{} * s{}_{}", axis, k, axis);
    }
    return start;
  }
  void stride_parameters() {
    for (std::uint32_t k : used_) {
      if (is_single(k)) continue;
      const int strides = access(k).reach == Reach::Row ? layout_.rank - 1 : layout_.rank;
      for (int axis = 0; axis < strides; ++axis)
        long_parameter(Kind::Stride, fmt::format("s{}_{}", k, axis), k, static_cast<std::uint32_t>(axis));
    }
  }
  /// Indices of axes [0, end) from one number, which is i<end - 1> when it begins.
  void take_apart(int end, std::string_view indent) {
    for (int axis = end - 1; axis > 0; --axis) line("{0}unsigned i{1} = divide_index(i{2}, e{2}, m{2}, h{2});", indent, axis - 1, axis);
  }

  /// Loads, the body, and stores of `unroll` elements. `before` writes the kth one's indices, `inside` asks whether it exists;
  /// axes [begin, rank) are counted from `base`.
  template <class Before>
  void strided(std::string_view inside, Before before, std::string_view base, int begin) {
    const int unroll = layout_.unroll;
    for (std::size_t i = 0; i < load_access_.size(); ++i)
      if (!is_single(load_access_[i])) line("  {} v{}[{}];", lane(load_access_[i]), i, unroll);
    const auto at = [&](std::uint32_t k) { return place(k, fmt::format("{}{}", base, k), begin, layout_.rank); };
    line("#pragma unroll");
    line("  for (int k = 0; k < {}; ++k) {{", unroll);
    before();
    line("    if ({}) {{", inside);
    for (std::size_t i = 0; i < load_access_.size(); ++i) {
      const std::uint32_t k = load_access_[i];
      if (is_single(k)) continue;
      line("      v{}[k] = {};", i, is_position(k) ? at(k) : loaded(k, at(k)));
    }
    line("    }}\n  }}");
    line("#pragma unroll");
    line("  for (int k = 0; k < {}; ++k) {{", unroll);
    before();
    line("    if ({}) {{", inside);
    for (std::size_t r = 0; r < store_access_.size(); ++r) line("      {} w{};", lane(store_access_[r]), r);
    line("      {};", element([](std::size_t i, std::uint32_t) { return fmt::format("v{}[k]", i); },
                              [](std::size_t r) { return fmt::format("w{}", r); }));
    for (std::size_t r = 0; r < store_access_.size(); ++r)
      line("      {};", stored(store_access_[r], at(store_access_[r]), fmt::format("w{}", r)));
    line("    }}\n  }}");
  }

  void rows() {
    const int last = layout_.rank - 1;
    stride_parameters();
    unsigned_parameter(Kind::Extent, fmt::format("e{}", last), static_cast<std::uint32_t>(last));
    unsigned_parameter(Kind::Pieces, "pieces");
    unsigned_parameter(Kind::PiecesMultiplier, "pieces_m");
    unsigned_parameter(Kind::PiecesShift, "pieces_h");
    for (int axis = 1; axis < last; ++axis) divisor_parameters(static_cast<std::uint32_t>(axis));
    line("  unsigned piece = blockIdx.x;");
    if (last > 0) {
      line("  unsigned i{} = divide_index(piece, pieces, pieces_m, pieces_h);", last - 1);
      take_apart(last, "  ");
    }
    for (std::uint32_t k : used_)
      if (!is_single(k)) line("  const auto b{} = {};", k, place(k, fmt::format("p{}", k), 0, last));
    strided(
        fmt::format("i{0} < e{0}", last),
        [&] { line("    const unsigned i{} = piece * {} + k * {} + threadIdx.x;", last, kBlock * layout_.unroll, kBlock); }, "b", last);
  }

  void scatter() {
    stride_parameters();
    long_parameter(Kind::Total, "total");
    for (int axis = 1; axis < layout_.rank; ++axis) divisor_parameters(static_cast<std::uint32_t>(axis));
    const int last = layout_.rank - 1;
    const bool is_serial = layout_.form == Form::Serial;
    if (is_serial) line("  for (unsigned at = 0; at < total; ++at) {{");
    strided(
        is_serial ? "true" : "inside",
        [&] {
          if (is_serial) {
            line("    unsigned i{} = at;", last);
          } else {
            line("    unsigned i{} = blockIdx.x * {} + k * {} + threadIdx.x;", last, kBlock * layout_.unroll, kBlock);
            line("    const bool inside = i{} < total;", last);
          }
          take_apart(layout_.rank, "    ");
        },
        "p", 0);
    if (is_serial) line("  }}");
  }

  // ---- the whole ----------------------------------------------------------------------------------------------------

  template <class... Args>
  void line(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(lines_), text, std::forward<Args>(args)...);
    lines_ += '\n';
  }

  KernelText assemble() {
    std::string list, prologue;
    std::size_t bytes = 0;
    for (const Parameter& each : result_.parameters) bytes = (bytes + each.bytes - 1) / each.bytes * each.bytes + each.bytes;
    result_.parameters_in_memory = bytes > kMostParameterBytes;
    std::size_t offset = 0;
    for (std::size_t i = 0; i < declarations_.size(); ++i) {
      const auto& [type, name] = declarations_[i];
      const std::size_t size = result_.parameters[i].bytes;
      offset = (offset + size - 1) / size * size;
      if (result_.parameters_in_memory)
        prologue += fmt::format("  const auto {} = load<{}>(parameters + {});\n", name, type, offset);
      else
        list += fmt::format("{}{} {}", list.empty() ? "" : ", ", type, name);
      offset += size;
    }
    if (result_.parameters_in_memory) list = "const char* parameters";
    std::string text =
        fmt::format("namespace engine::cuda {{\n{}extern \"C\" __global__ void __launch_bounds__({}) {}({}) {{\n{}{}}}\n}}\n", body_.text,
                    kBlock, kEntry, list, prologue, lines_);
    result_.text = prelude_for(text, {.complex = body_.has_complex, .half = body_.has_half}) + text;
    return std::move(result_);
  }

  const plan::Plan& plan_;
  const plan::Kernel& kernel_;
  const Layout& layout_;
  Body body_;
  std::vector<std::uint32_t> load_access_, store_access_, used_;
  KernelText result_;
  std::vector<std::pair<std::string, std::string>> declarations_;  // type and name of each parameter
  std::string lines_;
};

}  // namespace

std::string_view lane_name(DType dtype) {
  static constexpr std::string_view kNames[] = {"bool",
                                                "signed char",
                                                "unsigned char",
                                                "short",
                                                "unsigned short",
                                                "int",
                                                "unsigned",
                                                "long",
                                                "unsigned long",
                                                "math::Half",
                                                "float",
                                                "double",
                                                "math::Complex<float>",
                                                "math::Complex<double>"};
  return kNames[static_cast<std::size_t>(dtype)];
}

KernelText emit(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, const Layout& layout) {
  return Emitter(graph, plan, kernel, layout).emit();
}

}  // namespace engine::cuda

// kernels_cuda/writer.cpp - see writer.hpp.
#include "kernels_cuda/writer.hpp"

#include <algorithm>

#include "kernels_cuda/prelude.hpp"

namespace engine::cuda {

using Kind = Parameter::Kind;

KernelWriter::KernelWriter(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, const Layout& layout, bool declares)
    : plan_(plan), kernel_(kernel), layout_(layout), body_(body_of(graph, plan, kernel)) {
  const std::span<const plan::Instr> body = plan_.body(kernel_);
  std::uint32_t position = kernel_.n_accesses;  // they come after the plan's accesses, in order
  for (std::uint32_t i : body_.loads) {
    const bool is_position = body[i].kind == plan::Instr::Kind::Position;
    load_access_.push_back(is_position ? position++ : body[i].payload - kernel_.first_access);
    use(load_access_.back());
  }
  for (const plan::Store& store : plan_.stores_of(kernel_)) {
    store_access_.push_back(store.access - kernel_.first_access);
    use(store_access_.back());
  }
  if (declares)
    for (std::uint32_t k : used_) declare_access(k);
  for (const std::uint32_t i : body_.given) {
    parameter(Kind::Constant, lane_name(body[i].dtype), fmt::format("given{}", i), static_cast<std::uint32_t>(item_size(body[i].dtype)));
    result_.parameters.back().constant = graph.values[body[i].payload];
  }
}

void KernelWriter::use(std::uint32_t access) {
  if (std::find(used_.begin(), used_.end(), access) == used_.end()) used_.push_back(access);
}

// ---- parameters -------------------------------------------------------------------------------------------------------

void KernelWriter::parameter(Kind kind, std::string_view type, std::string name, std::uint32_t bytes, std::uint32_t index,
                             std::uint32_t axis) {
  result_.parameters.push_back({kind, index, axis, bytes});
  declarations_.emplace_back(type, std::move(name));
}
void KernelWriter::long_parameter(Kind kind, std::string name, std::uint32_t index, std::uint32_t axis) {
  parameter(kind, "long", std::move(name), 8, index, axis);
}
void KernelWriter::unsigned_parameter(Kind kind, std::string name, std::uint32_t axis) {
  parameter(kind, "unsigned", std::move(name), 4, 0, axis);
}
void KernelWriter::stride_parameters() {
  for (std::uint32_t k : used_) {
    if (is_single(k)) continue;
    const int strides = is_contiguous(k) ? layout_.rank - 1 : layout_.rank;
    for (int axis = 0; axis < strides; ++axis)
      long_parameter(Kind::Stride, fmt::format("s{}_{}", k, axis), k, static_cast<std::uint32_t>(axis));
  }
}
void KernelWriter::divisor_parameters(int axis) {
  const auto at = static_cast<std::uint32_t>(axis);
  if (layout_.wide) return long_parameter(Kind::LongExtent, fmt::format("e{}", axis), 0, at);
  unsigned_parameter(Kind::Extent, fmt::format("e{}", axis), at);
  unsigned_parameter(Kind::Multiplier, fmt::format("m{}", axis), at);
  unsigned_parameter(Kind::Shift, fmt::format("h{}", axis), at);
}
void KernelWriter::pieces_parameters() {
  unsigned_parameter(Kind::Pieces, "pieces");
  if (layout_.wide) return;
  unsigned_parameter(Kind::PiecesMultiplier, "pieces_m");
  unsigned_parameter(Kind::PiecesShift, "pieces_h");
}

void KernelWriter::declare_access(std::uint32_t k) {
  if (access(k).reach == Reach::Value)
    return parameter(Kind::Value, lane(k), fmt::format("u{}", k), static_cast<std::uint32_t>(item_size(access(k).dtype)), k);
  parameter(Kind::Address, is_position(k) ? "long" : "char*", fmt::format("p{}", k), 8, k);
  if (access(k).reach == Reach::Uniform) line("  const {} u{} = {};", lane(k), k, loaded(k, fmt::format("p{}", k)));
}

// ---- accesses ---------------------------------------------------------------------------------------------------------

/// Bytes of one number, whose order `swapped` is about.
std::size_t KernelWriter::number_bytes(std::uint32_t k) const {
  const std::size_t item = item_size(access(k).dtype);
  if (!access(k).swapped) return 1;  // every byte on its own: their order stays
  return is_complex(access(k).dtype) ? item / 2 : item;
}
std::string KernelWriter::loaded(std::uint32_t k, std::string_view at) const {
  if (by_bytes(k)) return fmt::format("load_bytes<{}, {}>({})", lane(k), number_bytes(k), at);
  return fmt::format("{}<{}>({})", access(k).whole ? "load_whole" : "load", lane(k), at);
}
std::string KernelWriter::stored(std::uint32_t k, std::string_view at, std::string_view value) const {
  if (by_bytes(k)) return fmt::format("store_bytes<{}, {}>({}, {})", lane(k), number_bytes(k), at, value);
  return fmt::format("{}<{}>({}, {})", access(k).whole ? "store_whole" : "store", lane(k), at, value);
}

std::string KernelWriter::place(std::uint32_t k, std::string start, int begin, int end) const {
  for (int axis = begin; axis < end; ++axis) {
    if (is_contiguous(k) && axis == layout_.rank - 1)
      start += fmt::format(" + static_cast<long>(i{}) * {}", axis, item_size(access(k).dtype));
    else
      start += fmt::format(" + static_cast<long>(i{}) * s{}_{}", axis, k, axis);
  }
  return start;
}

void KernelWriter::take_apart(int begin, int end, std::string_view indent) {
  for (int axis = end - 1; axis > begin; --axis) {
    if (layout_.wide)
      line("{0}unsigned long i{1} = divide_index(i{2}, e{2});", indent, axis - 1, axis);
    else
      line("{0}unsigned i{1} = divide_index(i{2}, e{2}, m{2}, h{2});", indent, axis - 1, axis);
  }
}

// ---- the whole --------------------------------------------------------------------------------------------------------

std::string framed(std::string_view before, std::string_view parameters, std::string_view statements, int blocks) {
  return fmt::format("namespace engine::cuda {{\n{}extern \"C\" __global__ void __launch_bounds__({}{}) {}({}) {{\n{}}}\n}}\n", before,
                     kBlock, blocks ? fmt::format(", {}", blocks) : "", kEntry, parameters, statements);
}

KernelText KernelWriter::assemble(std::string_view before) {
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
  const std::string text =
      framed(body_.text + std::string(before), list, prologue + lines_, layout_.form == Form::Steps ? layout_.unroll : 0);
  result_.text = prelude_for(text, {.complex = body_.has_complex, .half = body_.has_half}) + text;
  return std::move(result_);
}

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

}  // namespace engine::cuda

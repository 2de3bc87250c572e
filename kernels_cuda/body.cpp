// kernels_cuda/body.cpp - see body.hpp.
#include "kernels_cuda/body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/catalog/type_rule.hpp"
#include "kernels_cuda/emit.hpp"

namespace engine::cuda {
namespace {

std::string number(double value) {
  if (std::isfinite(value)) return fmt::format("{:a}", value);
  return fmt::format("math::bit_cast<double>({:#x}ul)", std::bit_cast<std::uint64_t>(value));
}
std::string number(float value) {
  if (std::isfinite(value)) return fmt::format("{:a}f", value);
  return fmt::format("math::bit_cast<float>({:#x}u)", std::bit_cast<std::uint32_t>(value));
}
template <class T>
std::string pair(const ir::Value& value) {
  struct Parts {
    T re, im;
  };
  const auto parts = value.as<Parts>();
  return fmt::format("{{{}, {}}}", number(parts.re), number(parts.im));
}

class Writer {
 public:
  Writer(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel) : graph_(graph), plan_(plan), kernel_(kernel) {}

  Body write() {
    const std::span<const plan::Instr> body = plan_.body(kernel_);
    std::string lines, parameters;
    const auto add_parameter = [&](std::string text) { parameters += (parameters.empty() ? "" : ", ") + std::move(text); };
    for (std::uint32_t i = 0; i < body.size(); ++i) {
      const plan::Instr& instr = body[i];
      note(instr.dtype);
      if (instr.kind == plan::Instr::Kind::Load || instr.kind == plan::Instr::Kind::Position) {
        body_.loads.push_back(i);
        add_parameter(fmt::format("const {} v{}", lane_name(instr.dtype), i));
      } else if (instr.kind == plan::Instr::Kind::Constant && instr.op) {
        body_.given.push_back(i);  // another value is no other text
      } else {
        lines += fmt::format("  const {} v{} = {};\n", lane_name(instr.dtype), i, value_of(instr));
      }
    }
    for (const std::uint32_t i : body_.given) add_parameter(fmt::format("const {} v{}", lane_name(body[i].dtype), i));
    for (const plan::Store& store : plan_.stores_of(kernel_)) body_.results.push_back(store.value);
    for (const plan::Fold& fold : plan_.folds_of(kernel_)) body_.results.push_back(fold.value);
    for (std::size_t r = 0; r < body_.results.size(); ++r) {
      add_parameter(fmt::format("{}& r{}", lane_name(body[body_.results[r]].dtype), r));
      lines += fmt::format("  r{} = v{};\n", r, body_.results[r]);
    }
    body_.text = operations_ + fmt::format("ENGINE_LANE void element({}) {{\n{}}}\n", parameters, lines);
    return std::move(body_);
  }

 private:
  void note(DType dtype) {
    body_.has_complex |= is_complex(dtype);
    body_.has_half |= dtype == DType::Float16;
  }

  std::string value_of(const plan::Instr& instr) {
    switch (instr.kind) {
      case plan::Instr::Kind::Constant:
        return literal(instr.dtype, graph_.values[instr.payload]);
      case plan::Instr::Kind::Cast:
        return fmt::format("math::convert<{}>(v{})", lane_name(instr.dtype), instr.args[0]);
      case plan::Instr::Kind::Apply: {
        std::string arguments;
        for (std::uint32_t arg : instr.args)
          if (arg != plan::kNone) arguments += fmt::format("{}v{}", arguments.empty() ? "" : ", ", arg);
        return fmt::format("{}({})", operation(instr), arguments);
      }
      default:
        return {};
    }
  }

  /// The name of the function that is one loop of one operation, written at its first use: the catalog's cell over lanes of
  /// the loop's dtypes. float16 is computed in float, as everywhere (see run/interp/compile.cpp).
  std::string operation(const plan::Instr& instr) {
    const auto op = static_cast<catalog::Op>(instr.op);
    const catalog::OpInfo& row = catalog::info(op);
    const catalog::Loop& loop = catalog::loops(op)[instr.loop];
    std::string name = fmt::format("{}_{}", row.name(), instr.loop);
    if (std::find(written_.begin(), written_.end(), name) != written_.end()) return name;
    written_.push_back(name);
    static constexpr char kNames[] = {'x', 'y', 'z'};
    std::string parameters, widened;
    for (std::size_t k = 0; k < row.arity.count; ++k) {
      note(loop.in[k]);
      const bool widen = loop.in[k] == DType::Float16 && !has(row.flags, catalog::Flags::Half);
      parameters += fmt::format("{}{} {}{}", k ? ", " : "", lane_name(loop.in[k]), widen ? "half_" : "", kNames[k]);
      if (widen) widened += fmt::format("  const float {0} = math::half_to_float(half_{0});\n", kNames[k]);
    }
    note(loop.out);
    operations_ += fmt::format("ENGINE_LANE {0} {1}({2}) {{\n{3}  return math::convert<{0}>({4});\n}}\n", lane_name(loop.out), name,
                               parameters, widened, row.meaning);
    return name;
  }

  const ir::Graph& graph_;
  const plan::Plan& plan_;
  const plan::Kernel& kernel_;
  Body body_;
  std::string operations_;
  std::vector<std::string> written_;
};

}  // namespace

std::string literal(DType dtype, const ir::Value& value) {
  switch (dtype) {
    case DType::Bool:
      return value.as<bool>() ? "true" : "false";
    case DType::Int8:
      return fmt::format("static_cast<signed char>({})", value.as<std::int8_t>());
    case DType::Int16:
      return fmt::format("static_cast<short>({})", value.as<std::int16_t>());
    case DType::Int32:
      return fmt::format("static_cast<int>({:#x}u)", value.as<std::uint32_t>());
    case DType::Int64:
      return fmt::format("static_cast<long>({:#x}ul)", value.as<std::uint64_t>());
    case DType::UInt8:
      return fmt::format("static_cast<unsigned char>({})", value.as<std::uint8_t>());
    case DType::UInt16:
      return fmt::format("static_cast<unsigned short>({})", value.as<std::uint16_t>());
    case DType::UInt32:
      return fmt::format("{}u", value.as<std::uint32_t>());
    case DType::UInt64:
      return fmt::format("{}ul", value.as<std::uint64_t>());
    case DType::Float16:
      return fmt::format("math::Half{{{:#x}}}", value.as<std::uint16_t>());
    case DType::Float32:
      return number(value.as<float>());
    case DType::Float64:
      return number(value.as<double>());
    case DType::Complex64:
      return "math::Complex<float>" + pair<float>(value);
    case DType::Complex128:
      return "math::Complex<double>" + pair<double>(value);
  }
  return {};
}

Body body_of(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel) { return Writer(graph, plan, kernel).write(); }

}  // namespace engine::cuda

// run/jit/vcode.cpp - the instructions as data, and as text.
#include "engine/run/jit/vcode.hpp"

#include <fmt/format.h>

#include <string_view>

namespace engine::run::jit {
namespace {

enum class Result : std::uint8_t { V, N, M };
struct Info {
  std::string_view name;
  int arguments;
  Result result;
};
constexpr Info kInfo[] = {
#define X(NAME, ARGS, RESULT) {#NAME, ARGS, Result::RESULT},
    ENGINE_VCODES(X)
#undef X
};
const Info& info(Code code) { return kInfo[static_cast<std::size_t>(code)]; }

std::string payload_of(const Program& program, const Instruction& i) {
  static constexpr std::string_view kPredicates[] = {"equal", "less", "less_equal", "unordered", "not_equal"};
  static constexpr std::string_view kSigns[] = {"", " minus product", " minus summand", " minus both"};
  static constexpr std::string_view kRoundings[] = {"even", "floor", "ceil", "trunc"};
  switch (i.code) {
    case Code::Constant:
      return fmt::format(" {:#018x}", program.pool[i.payload]);
    case Code::Call:
    case Code::CallTwo:
    case Code::Guard:
      return fmt::format(" {}", catalog::info(static_cast<catalog::Op>(i.payload)).name());
    case Code::CallKernel:
      return fmt::format(" {}", catalog::info(program.kernels[i.payload].op).name());
    case Code::Pass:
    case Code::PassMask:
    case Code::PassPair:
      return fmt::format(" as {}", i.payload);
    case Code::Fold:
      return fmt::format(" {}", info(static_cast<Code>(i.payload)).name);
    case Code::FmaF:
      return std::string(kSigns[i.payload]);
    case Code::RoundF:
      return fmt::format(" {}", kRoundings[i.payload]);
    case Code::CompareF:
    case Code::CompareS:
    case Code::CompareU:
      return fmt::format(" {}", kPredicates[i.payload]);
    case Code::SignExtend:
    case Code::ZeroExtend:
    case Code::Truncate:
    case Code::SignedToF:
    case Code::UnsignedToF:
    case Code::FToSigned:
    case Code::FToF:
    case Code::HalfToF:
    case Code::FToHalf:
      return fmt::format(" from {}", i.payload);
    case Code::ShiftLeftBy:
    case Code::ShiftRightBy:
      return fmt::format(" by {}", i.payload);
    case Code::Splat:
    case Code::SplatImag:
    case Code::SplatMask:
      return fmt::format(" [{}]", i.payload);
    default:
      return is_load(i.code) || is_store(i.code) ? fmt::format(" [{}]", i.payload) : std::string();
  }
}

/// `name` gives registers their names.
template <class Out, class In>
std::string line(const Program& program, const Instruction& i, Out out, In in) {
  std::string text = info(i.code).result == Result::V ? std::string() : fmt::format("{} = ", out());
  text += fmt::format("{}.{}", info(i.code).name, i.bytes);
  for (int k = 0; k < info(i.code).arguments; ++k) text += fmt::format("{}{}", k ? ", " : " ", in(k));
  return text + payload_of(program, i) + "\n";
}

}  // namespace

int arguments(Code code) noexcept { return info(code).arguments; }
bool gives_mask(Code code) noexcept { return info(code).result == Result::M; }

std::string print(const Program& program) {
  std::string text;
  const auto all = [&](std::string_view when, std::span<const Instruction> instructions) {
    for (const Instruction& i : instructions)
      text += fmt::format("{} {}", when,
                          line(
                              program, i, [&] { return fmt::format("%{}", i.out); },
                              [&](int k) { return fmt::format("%{}", i.in[static_cast<std::size_t>(k)]); }));
  };
  all("head", program.head);
  all("loop", program.body);
  return text;
}

std::string print(const Program& program, const Allocation& allocation) {
  std::string text;
  std::pmr::vector<bool> is_mask(program.n_registers, false);
  for (const Instruction& i : program.head) is_mask[i.out] = gives_mask(i.code);
  for (const Instruction& i : program.body)
    if (i.out != kNone) is_mask[i.out] = gives_mask(i.code);
  const auto all = [&](std::string_view when, std::span<const Placed> placed) {
    for (const Placed& p : placed) {
      const char kind = p.mask ? 'k' : 'v';
      if (p.kind == Placed::Kind::Spill) {
        text += fmt::format("{} slot{} = {}{}\n", when, p.at, kind, p.in[0]);
      } else if (p.kind == Placed::Kind::Reload) {
        text += fmt::format("{} {}{} = slot{}\n", when, kind, p.out, p.at);
      } else {
        const Instruction& i = p.at & kHead ? program.head[p.at & ~kHead] : program.body[p.at];
        text += fmt::format("{} {}", when,
                            line(
                                program, i, [&] { return fmt::format("{}{}", is_mask[i.out] ? 'k' : 'v', p.out); },
                                [&](int k) {
                                  const auto arg = static_cast<std::size_t>(k);
                                  return fmt::format("{}{}", is_mask[i.in[arg]] ? 'k' : 'v', p.in[arg]);
                                }));
      }
    }
  };
  all("head", allocation.head);
  all("loop", allocation.body);
  text += fmt::format("{} slots\n", allocation.n_slots);
  return text;
}

}  // namespace engine::run::jit

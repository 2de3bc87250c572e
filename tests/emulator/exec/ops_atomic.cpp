// exec/ops_atomic.cpp - atom, red, and fences. Lanes update one after the other, the lowest first.
#include <algorithm>

#include "tests/emulator/exec/access.hpp"
#include "tests/emulator/exec/by_type.hpp"
#include "tests/emulator/exec/decode.hpp"
#include "tests/emulator/exec/memory_words.hpp"
#include "tests/emulator/exec/ops.hpp"

namespace standin::decode {
namespace {

enum Operation : std::uint8_t { kAdd, kMin, kMax, kInc, kDec, kAnd, kOr, kXor, kExch, kCas };
constexpr std::string_view kOperations[] = {"add", "min", "max", "inc", "dec", "and", "or", "xor", "exch", "cas"};

using numeric::Half;

template <class T>
T sum(T a, T b) {
  if constexpr (std::is_same_v<T, Half>) return numeric::to_half(numeric::to_double(a) + numeric::to_double(b), Rounding::Nearest);
  else if constexpr (std::is_floating_point_v<T>) return numeric::canonical(a + b);
  else return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

/// What stands in memory afterwards.
template <class T>
T updated(std::uint8_t operation, T old, T b, T c) {
  if constexpr (std::is_integral_v<T>) {
    switch (operation) {
      case kMin: return std::min(old, b);
      case kMax: return std::max(old, b);
      case kInc: return old >= b ? T{0} : static_cast<T>(old + 1);
      case kDec: return old == 0 || old > b ? b : static_cast<T>(old - 1);
      case kAnd: return old & b;
      case kOr: return old | b;
      case kXor: return old ^ b;
      case kExch: return b;
      case kCas: return old == b ? c : old;
      default: break;
    }
  }
  return sum(old, b);
}

struct Wide {
  std::uint64_t low, high;
  bool operator==(const Wide&) const = default;
};

/// kResult: atom gives the old value. Register 0 is the address, 1 the result, 2 and 3 the operands.
template <class T, bool kResult>
void update(Warp& warp, const Instruction& in) {
  Addresses32 at;
  addresses(warp, in, sizeof(T), at);
  count_request(warp, in.space, at.of, sizeof(T));
  for (std::uint32_t rest = warp.mask; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const Place place = locate(warp, in, lane, at.of[lane], sizeof(T), Use::Update);
    Clock& clock = warp.launch->clock;
    clock.strong_read(warp, lane, at.of[lane], in.acquire);
    touch(warp, in, lane, place, at.of[lane], sizeof(T), Use::Update);
    T old;
    std::memcpy(&old, place.bytes, sizeof old);
    const T b = lanes<T>(warp, in.reg[2])[lane];
    T value;
    if constexpr (std::is_same_v<T, Wide>) value = in.option == kExch ? b : old == b ? lanes<T>(warp, in.reg[3])[lane] : old;
    else value = updated(in.option, old, b, in.option == kCas ? lanes<T>(warp, in.reg[3])[lane] : T{});
    const bool writes = in.option != kCas || std::memcmp(&old, &b, sizeof old) == 0;
    if (writes) clock.strong_write(warp, lane, at.of[lane], in.release, true);
    warp.launch->writes += std::memcmp(&old, &value, sizeof old) != 0;
    std::memcpy(place.bytes, &value, sizeof value);
    if (kResult) lanes<T>(warp, in.reg[1])[lane] = old;
  }
}

/// Two f16 in one word, each on its own.
template <bool kResult>
void update_pair(Warp& warp, const Instruction& in) {
  Addresses32 at;
  addresses(warp, in, 4, at);
  count_request(warp, in.space, at.of, 4);
  for (std::uint32_t rest = warp.mask; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const Place place = locate(warp, in, lane, at.of[lane], 4, Use::Update);
    touch(warp, in, lane, place, at.of[lane], 4, Use::Update);
    Half old[2], b[2], value[2];
    std::memcpy(old, place.bytes, 4);
    std::memcpy(b, lanes<std::uint32_t>(warp, in.reg[2]) + lane, 4);
    for (int i = 0; i < 2; ++i) value[i] = sum(old[i], b[i]);
    std::memcpy(place.bytes, value, 4);
    ++warp.launch->writes;
    if (kResult) std::memcpy(lanes<std::uint32_t>(warp, in.reg[1]) + lane, old, 4);
  }
}

template <bool kResult>
Handler handler_of(const Decoder& d, Type type, std::uint8_t operation) {
  const bool is_bits = type == Type::B16 || type == Type::B32 || type == Type::B64 || type == Type::B128;
  const bool takes_bits = operation >= kAnd;
  if (is_bits != takes_bits) d.refuse("is not executed for this type");
  if (type == Type::B128) {
    if (operation < kExch) d.refuse("is not executed for this type");
    return &update<Wide, kResult>;
  }
  if (is_bits) return by_size(d, ptx::size_of(type), []<class T> { return &update<T, kResult>; });
  if (ptx::is_float(type)) {
    if (operation != kAdd) d.refuse("is not executed for this type");
    if (type == Type::F16x2) return &update_pair<kResult>;
    return by_type<Half, float, double>(d, type, []<class T> { return &update<T, kResult>; });
  }
  if ((operation == kInc || operation == kDec) && type != Type::U32) d.refuse("is not executed for this type");
  return by_type<std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(d, type, []<class T> { return &update<T, kResult>; });
}

template <bool kResult>
void atomic(Decoder& d) {
  d.out.strong = true;
  memory_words(d);
  d.out.option = static_cast<std::uint8_t>(d.choice(kOperations));
  d.take("noftz");
  const Type type = d.type();
  const std::size_t first = kResult ? 1 : 0;
  const std::size_t n = first + (d.out.option == kCas ? 3 : 2);
  if (d.n_operands() != n && d.n_operands() != n + 1) d.refuse("has " + std::to_string(d.n_operands()) + " operands");
  d.finish(d.n_operands());
  d.assembler.address(d.text.operands[first], d.out);
  if (d.out.space != ptx::Space::Global && d.out.space != ptx::Space::Shared && d.out.space != ptx::Space::Generic) d.refuse("is for global and shared memory");
  d.source(2, first + 1, type);
  if (d.out.option == kCas) d.source(3, first + 2, type);
  if (kResult) d.destination(1, 0, type);
  d.emit(handler_of<kResult>(d, type, d.out.option));
}

void fence_lanes(Warp& warp, const Instruction&) { warp.launch->clock.fence(warp, warp.mask); }

}  // namespace

void atom(Decoder& d) { atomic<true>(d); }
void red(Decoder& d) { atomic<false>(d); }

/// membar.level: a fence of the block, the device or the system. Which of them is not told apart.
void membar(Decoder& d) {
  d.choice({"cta", "gl", "sys"});
  d.finish(0);
  d.emit(&fence_lanes);
}

void fence(Decoder& d) {
  d.choice({"sc", "acq_rel", "acquire", "release"});
  d.choice({"cta", "cluster", "gpu", "sys"});
  d.finish(0);
  d.emit(&fence_lanes);
}

}  // namespace standin::decode

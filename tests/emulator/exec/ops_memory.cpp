// exec/ops_memory.cpp - loads and stores, of one item or a vector, and what only advises the caches.
#include "tests/emulator/exec/access.hpp"
#include "tests/emulator/exec/by_type.hpp"
#include "tests/emulator/exec/decode.hpp"
#include "tests/emulator/exec/memory_words.hpp"
#include "tests/emulator/exec/ops.hpp"

namespace standin::decode {
namespace {

using ptx::Space;

struct Wide {  // .b128
  std::uint64_t low, high;
};

bool is_counted(Space space) { return space != Space::Local && space != Space::Param; }

/// One item at a time; every access of all sizes can come this way.
template <class T>
void load_lanes(Warp& warp, const Instruction& in, const std::uint64_t* address) {
  const auto n = static_cast<std::uint32_t>(sizeof(T) * in.n_items);
  if (is_counted(in.space)) count_request(warp, in.space, address, n);
  for (std::uint32_t rest = warp.mask; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const Place place = locate(warp, in, lane, address[lane], n, Use::Read);
    if (in.strong) warp.launch->clock.strong_read(warp, lane, address[lane], in.acquire);
    touch(warp, in, lane, place, address[lane], n, Use::Read);
    for (std::uint32_t k = 0; k < in.n_items; ++k) std::memcpy(lanes<T>(warp, in.reg[1 + k]) + lane, place.bytes + k * sizeof(T), sizeof(T));
  }
}

template <class T>
void store_lanes(Warp& warp, const Instruction& in, const std::uint64_t* address) {
  const auto n = static_cast<std::uint32_t>(sizeof(T) * in.n_items);
  if (is_counted(in.space)) count_request(warp, in.space, address, n);
  for (std::uint32_t rest = warp.mask; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const Place place = locate(warp, in, lane, address[lane], n, Use::Write);
    touch(warp, in, lane, place, address[lane], n, Use::Write);
    if (in.strong) warp.launch->clock.strong_write(warp, lane, address[lane], in.release, false);
    for (std::uint32_t k = 0; k < in.n_items; ++k) std::memcpy(place.bytes + k * sizeof(T), lanes<T>(warp, in.reg[1 + k]) + lane, sizeof(T));
  }
}

template <class T, int N>
void load(Warp& warp, const Instruction& in) {
  Addresses32 at;
  addresses(warp, in, sizeof(T) * N, at);
  if (at.is_row)
    if (const std::byte* bytes = locate_row(warp, in, at.of[0], sizeof(T) * N, Use::Read)) {
      count_row(warp, in.space, at.of[0], sizeof(T) * N);
      for (std::size_t k = 0; k < N; ++k) {
        T* to = lanes<T>(warp, in.reg[1 + k]);
        for (int i = 0; i < 32; ++i) std::memcpy(to + i, bytes + (static_cast<std::size_t>(i) * N + k) * sizeof(T), sizeof(T));
      }
      return;
    }
  load_lanes<T>(warp, in, at.of);
}

template <class T, int N>
void store(Warp& warp, const Instruction& in) {
  Addresses32 at;
  addresses(warp, in, sizeof(T) * N, at);
  if (at.is_row)
    if (std::byte* bytes = locate_row(warp, in, at.of[0], sizeof(T) * N, Use::Write)) {
      count_row(warp, in.space, at.of[0], sizeof(T) * N);
      for (std::size_t k = 0; k < N; ++k) {
        const T* from = lanes<T>(warp, in.reg[1 + k]);
        for (int i = 0; i < 32; ++i) std::memcpy(bytes + (static_cast<std::size_t>(i) * N + k) * sizeof(T), from + i, sizeof(T));
      }
      return;
    }
  store_lanes<T>(warp, in, at.of);
}

/// A kernel's parameter at a fixed place: the same for all lanes.
template <class T>
void load_parameter(Warp& warp, const Instruction& in) {
  T value;
  std::memcpy(&value, warp.launch->parameters.data() + in.offset, sizeof value);
  ops::each_lane(warp.mask, lanes<T>(warp, in.reg[1]), [=](int) { return value; });
}


template <bool kLoad, class T>
Handler of_items(const Decoder& d, int n) {
  switch (n) {
    case 1: return kLoad ? &load<T, 1> : &store<T, 1>;
    case 2: return kLoad ? &load<T, 2> : &store<T, 2>;
    case 4: return kLoad ? &load<T, 4> : &store<T, 4>;
    case 8: return kLoad ? &load<T, 8> : &store<T, 8>;
    default: d.refuse("has a vector of another length");
  }
}

template <bool kLoad>
Handler handler_of(const Decoder& d, int bytes, int n) {
  switch (bytes) {
    case 1: return of_items<kLoad, std::uint8_t>(d, n);
    case 2: return of_items<kLoad, std::uint16_t>(d, n);
    case 4: return of_items<kLoad, std::uint32_t>(d, n);
    case 8: return of_items<kLoad, std::uint64_t>(d, n);
    default: return of_items<kLoad, Wide>(d, n);
  }
}

int vector_length(Decoder& d) { return d.take("v2") ? 2 : d.take("v4") ? 4 : d.take("v8") ? 8 : 1; }

/// ld ... type d, [a]   and   st ... type [a], b
template <bool kLoad>
void access(Decoder& d) {
  memory_words(d);
  const int n = vector_length(d);
  const Type type = d.type();
  const std::size_t policy = d.n_operands() > 2 ? 3 : 2;  // .L2::cache_hint names a policy as last operand
  d.finish(policy);
  const int bytes = ptx::size_of(type);
  if (bytes * n > 32) d.refuse("is wider than 32 bytes");
  d.out.bytes = static_cast<std::uint8_t>(bytes);
  d.out.n_items = static_cast<std::uint8_t>(n);
  d.assembler.address(d.text.operands[kLoad ? 1 : 0], d.out);
  const ptx::Operand& values = d.text.operands[kLoad ? 0 : 1];
  const bool is_vector = values.kind == ptx::OperandKind::Vector;
  if (is_vector != (n > 1) || (is_vector && values.items.size() != static_cast<std::size_t>(n))) d.refuse("does not fit its vector");
  for (int k = 0; k < n; ++k) {
    const ptx::Operand& value = is_vector ? values.items[static_cast<std::size_t>(k)] : values;
    d.out.reg[static_cast<std::size_t>(1 + k)] = kLoad ? d.assembler.destination(value, type, d.out) : d.assembler.source(value, type, d.out);
  }
  if (d.out.space == Space::Const && !kLoad) d.refuse("writes constant memory");
  d.emit(handler_of<kLoad>(d, bytes, n));
}

}  // namespace

void memory_words(Decoder& d) {
  struct Word {
    std::string_view name;
    void (*apply)(Instruction&);
  };
  constexpr auto nothing = [](Instruction&) {};
  constexpr auto block = [](Instruction& in) { in.block_scope = true; };
  static constexpr Word kWords[] = {
      {"weak", nothing}, {"volatile", [](Instruction& in) { in.strong = true; }}, {"mmio", [](Instruction& in) { in.strong = true; }},
      {"relaxed", [](Instruction& in) { in.strong = true; }}, {"acquire", [](Instruction& in) { in.strong = in.acquire = true; }},
      {"release", [](Instruction& in) { in.strong = in.release = true; }},
      {"acq_rel", [](Instruction& in) { in.strong = in.acquire = in.release = true; }},
      {"cta", block}, {"cluster", nothing}, {"gpu", nothing}, {"sys", nothing},
      {"global", [](Instruction& in) { in.space = Space::Global; }}, {"const", [](Instruction& in) { in.space = Space::Const; }},
      {"shared", [](Instruction& in) { in.space = Space::Shared; }}, {"shared::cta", [](Instruction& in) { in.space = Space::Shared; }},
      {"local", [](Instruction& in) { in.space = Space::Local; }}, {"param", [](Instruction& in) { in.space = Space::Param; }},
      {"param::entry", [](Instruction& in) { in.space = Space::Param; }}, {"param::func", [](Instruction& in) { in.space = Space::Param; }},
      {"nc", [](Instruction& in) { in.non_coherent = true; }},
      {"ca", nothing}, {"cg", nothing}, {"cs", nothing}, {"lu", nothing}, {"cv", nothing}, {"wb", nothing}, {"wt", nothing},
      {"L1::evict_normal", nothing}, {"L1::evict_unchanged", nothing}, {"L1::evict_first", nothing}, {"L1::evict_last", nothing}, {"L1::no_allocate", nothing},
      {"L2::evict_first", nothing}, {"L2::evict_last", nothing}, {"L2::evict_normal", nothing}, {"L2::cache_hint", nothing},
      {"L2::64B", nothing}, {"L2::128B", nothing}, {"L2::256B", nothing}, {"unified", nothing},
  };
  for (bool found = true; found;) {
    found = false;
    for (const Word& word : kWords)
      if (d.take(word.name)) word.apply(d.out), found = true;
  }
}

void ld(Decoder& d) { access<true>(d); }
void st(Decoder& d) { access<false>(d); }

/// Advice to the caches: the address is not even looked at.
void prefetch(Decoder& d) { d.emit([](Warp&, const Instruction&) {}); }

}  // namespace standin::decode

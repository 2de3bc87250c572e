// Integer instructions, each type of each, against C++.
#include <bit>

#include "tests/emulator/instruction.hpp"

namespace standin_test {
namespace {

using Bits = std::uint64_t;
using Result = std::function<Bits(Bits, Bits, Bits)>;

template <class T> T of(Bits bits) { return static_cast<T>(bits); }
template <class T> Bits to(T value) { return static_cast<Bits>(value); }

/// The reference computes in 128 bits and cuts: nothing wraps on the way.
using Wide = __int128;

struct Typed {
  std::string name;
  Wide (*read)(Bits);
  int bits;
  bool is_signed;
};

template <class T> Wide read(Bits bits) { return static_cast<Wide>(static_cast<T>(bits)); }

const Typed kTypes[] = {{"u16", read<std::uint16_t>, 16, false}, {"s16", read<std::int16_t>, 16, true},  {"u32", read<std::uint32_t>, 32, false},
                        {"s32", read<std::int32_t>, 32, true},   {"u64", read<std::uint64_t>, 64, false}, {"s64", read<std::int64_t>, 64, true}};

template <class F>
Result with(const Typed& type, F f) {
  return [=](Bits a, Bits b, Bits c) { return static_cast<Bits>(f(type.read(a), type.read(b), type.read(c))); };
}

std::string twice(const std::string& type) { return type[0] + std::to_string(2 * std::stoi(type.substr(1))); }

std::vector<Instruction> arithmetic() {
  std::vector<Instruction> found;
  for (const Typed& t : kTypes) {
    const std::string& n = t.name;
    const Wide top = Wide{1} << (t.bits - 1);
    const auto add = [&](const std::string& opcode, int operands, auto f) { found.push_back({opcode + "." + n, n, std::vector<std::string>(static_cast<std::size_t>(operands), n), with(t, f)}); };
    add("add", 2, [](Wide a, Wide b, Wide) { return a + b; });
    add("sub", 2, [](Wide a, Wide b, Wide) { return a - b; });
    add("mul.lo", 2, [](Wide a, Wide b, Wide) { return static_cast<Wide>(static_cast<unsigned __int128>(a) * static_cast<unsigned __int128>(b)); });
    add("mad.lo", 3, [](Wide a, Wide b, Wide c) { return static_cast<Wide>(static_cast<unsigned __int128>(a) * static_cast<unsigned __int128>(b)) + c; });
    const int bits = t.bits;
    const bool is_signed = t.is_signed;
    const auto high = [=](Wide a, Wide b) {
      if (bits == 64 && !is_signed) return static_cast<Wide>(static_cast<unsigned __int128>(a) * static_cast<unsigned __int128>(b) >> 64);
      return (a * b) >> bits;
    };
    add("mul.hi", 2, [=](Wide a, Wide b, Wide) { return high(a, b); });
    add("mad.hi", 3, [=](Wide a, Wide b, Wide c) { return high(a, b) + c; });
    add("div", 2, [=](Wide a, Wide b, Wide) { return b == 0 ? Wide{-1} : a / b; });
    add("rem", 2, [=](Wide a, Wide b, Wide) { return b == 0 ? a : a % b; });
    add("min", 2, [](Wide a, Wide b, Wide) { return std::min(a, b); });
    add("max", 2, [](Wide a, Wide b, Wide) { return std::max(a, b); });
    add("sad", 3, [](Wide a, Wide b, Wide c) { return c + (a < b ? b - a : a - b); });
    if (t.is_signed) {
      add("abs", 1, [](Wide a, Wide, Wide) { return a < 0 ? -a : a; });
      add("neg", 1, [](Wide a, Wide, Wide) { return -a; });
    }
    if (t.bits <= 32) {
      const std::string wide = twice(n);
      found.push_back({"mul.wide." + n, wide, {n, n}, with(t, [](Wide a, Wide b, Wide) { return a * b; })});
      found.push_back({"mad.wide." + n, wide, {n, n, wide}, [=, r = t.read](Bits a, Bits b, Bits c) { return static_cast<Bits>(r(a) * r(b)) + c; }});
    }
    (void)top;
  }
  const auto clamp = [](Wide value) { return std::min<Wide>(std::max<Wide>(value, INT32_MIN), INT32_MAX); };
  const Typed& s32 = kTypes[3];
  found.push_back({"add.sat.s32", "s32", {"s32", "s32"}, with(s32, [=](Wide a, Wide b, Wide) { return clamp(a + b); })});
  found.push_back({"sub.sat.s32", "s32", {"s32", "s32"}, with(s32, [=](Wide a, Wide b, Wide) { return clamp(a - b); })});
  found.push_back({"mad.hi.sat.s32", "s32", {"s32", "s32", "s32"}, with(s32, [=](Wide a, Wide b, Wide c) { return clamp((a * b >> 32) + c); })});
  for (const char sign : {'u', 's'}) {
    const auto cut = [=](Bits a) { return sign == 's' ? static_cast<Wide>(static_cast<std::int32_t>(a << 8) >> 8) : static_cast<Wide>(a & 0xffffff); };
    const std::string n = std::string(1, sign) + "32";
    found.push_back({"mul24.lo." + n, n, {n, n}, [=](Bits a, Bits b, Bits) { return static_cast<Bits>(cut(a) * cut(b)); }});
    found.push_back({"mul24.hi." + n, n, {n, n}, [=](Bits a, Bits b, Bits) { return static_cast<Bits>(cut(a) * cut(b) >> 16); }});
    found.push_back({"mad24.lo." + n, n, {n, n, n}, [=](Bits a, Bits b, Bits c) { return static_cast<Bits>(cut(a) * cut(b)) + c; }});
    found.push_back({"mad24.hi." + n, n, {n, n, n}, [=](Bits a, Bits b, Bits c) { return static_cast<Bits>(cut(a) * cut(b) >> 16) + c; }});
    for (const char other : {'u', 's'}) {
      const auto byte = [](Bits a, int i, char s) { return s == 's' ? static_cast<int>(static_cast<std::int8_t>(a >> 8 * i)) : static_cast<int>(static_cast<std::uint8_t>(a >> 8 * i)); };
      const auto word = [](Bits a, int i, char s) { return s == 's' ? static_cast<int>(static_cast<std::int16_t>(a >> 16 * i)) : static_cast<int>(static_cast<std::uint16_t>(a >> 16 * i)); };
      const std::string m = std::string(1, other) + "32", r = sign == 's' || other == 's' ? "s32" : "u32";
      found.push_back({"dp4a." + n + "." + m, r, {n, m, r}, [=](Bits a, Bits b, Bits c) {
                         for (int i = 0; i < 4; ++i) c += static_cast<Bits>(static_cast<std::int64_t>(byte(a, i, sign)) * byte(b, i, other));
                         return c;
                       }});
      for (const int half : {0, 1})
        found.push_back({std::string("dp2a.") + (half ? "hi." : "lo.") + n + "." + m, r, {n, m, r}, [=](Bits a, Bits b, Bits c) {
                           for (int i = 0; i < 2; ++i) c += static_cast<Bits>(static_cast<std::int64_t>(word(a, i, sign)) * byte(b, 2 * half + i, other));
                           return c;
                         }});
    }
    const std::string pair = std::string(1, sign) + "16x2";
    const auto part = [=](Bits a, int i) { return sign == 's' ? static_cast<int>(static_cast<std::int16_t>(a >> 16 * i)) : static_cast<int>(static_cast<std::uint16_t>(a >> 16 * i)); };
    const auto both = [=](auto f) {
      return [=](Bits a, Bits b, Bits) { return static_cast<Bits>(f(part(a, 0), part(b, 0)) & 0xffff) | static_cast<Bits>(f(part(a, 1), part(b, 1)) & 0xffff) << 16; };
    };
    found.push_back({"add." + pair, "u32", {"u32", "u32"}, both([](int a, int b) { return a + b; })});
    found.push_back({"min." + pair, "u32", {"u32", "u32"}, both([](int a, int b) { return std::min(a, b); })});
    found.push_back({"max." + pair, "u32", {"u32", "u32"}, both([](int a, int b) { return std::max(a, b); })});
  }
  return found;
}

std::vector<Instruction> bits() {
  std::vector<Instruction> found;
  for (const int n : {16, 32, 64}) {
    const std::string b = "b" + std::to_string(n), u = "u" + std::to_string(n);
    found.push_back({"and." + b, b, {b, b}, [](Bits x, Bits y, Bits) { return x & y; }});
    found.push_back({"or." + b, b, {b, b}, [](Bits x, Bits y, Bits) { return x | y; }});
    found.push_back({"xor." + b, b, {b, b}, [](Bits x, Bits y, Bits) { return x ^ y; }});
    found.push_back({"not." + b, b, {b}, [](Bits x, Bits, Bits) { return ~x; }});
    found.push_back({"cnot." + b, b, {b}, [](Bits x, Bits, Bits) { return Bits{x == 0}; }});
    found.push_back({"shl." + b, b, {b, "u32"}, [=](Bits x, Bits y, Bits) { return y >= static_cast<Bits>(n) ? 0 : x << y; }});
    for (const std::string& type : {b, u}) found.push_back({"shr." + type, type, {type, "u32"}, [=](Bits x, Bits y, Bits) { return y >= static_cast<Bits>(n) ? 0 : x >> y; }});
    const std::string s = "s" + std::to_string(n);
    found.push_back({"shr." + s, s, {s, "u32"}, [=](Bits x, Bits y, Bits) {
                       const std::int64_t value = static_cast<std::int64_t>(x << (64 - n)) >> (64 - n);
                       return static_cast<Bits>(value >> std::min<Bits>(y, 63));
                     }});
  }
  for (const char* op : {"and", "or", "xor"})
    found.push_back({std::string(op) + ".pred", "pred", {"pred", "pred"}, [=](Bits x, Bits y, Bits) { return *op == 'a' ? x & y : *op == 'o' ? x | y : x ^ y; }});
  found.push_back({"not.pred", "pred", {"pred"}, [](Bits x, Bits, Bits) { return x ^ 1; }});
  for (const bool right : {false, true})
    for (const bool clamp : {false, true})
      found.push_back({std::string("shf.") + (right ? "r" : "l") + (clamp ? ".clamp" : ".wrap") + ".b32", "b32", {"b32", "b32", "b32"}, [=](Bits a, Bits b, Bits c) {
                         const Bits both = b << 32 | a, n = clamp ? std::min<Bits>(c, 32) : c & 31;
                         return right ? both >> n : both << n >> 32;
                       }});
  found.push_back({"popc.b32", "u32", {"b32"}, [](Bits a, Bits, Bits) { return Bits(std::popcount(of<std::uint32_t>(a))); }});
  found.push_back({"popc.b64", "u32", {"b64"}, [](Bits a, Bits, Bits) { return Bits(std::popcount(a)); }});
  found.push_back({"clz.b32", "u32", {"b32"}, [](Bits a, Bits, Bits) { return Bits(std::countl_zero(of<std::uint32_t>(a))); }});
  found.push_back({"clz.b64", "u32", {"b64"}, [](Bits a, Bits, Bits) { return Bits(std::countl_zero(a)); }});
  for (const int n : {32, 64}) {
    const std::string size = std::to_string(n);
    found.push_back({"brev.b" + size, "b" + size, {"b" + size}, [=](Bits a, Bits, Bits) {
                       Bits reversed = 0;
                       for (int i = 0; i < n; ++i) reversed |= (a >> i & 1) << (n - 1 - i);
                       return reversed;
                     }});
    for (const char sign : {'u', 's'}) {
      const std::string type = sign + size;
      const auto highest = [=](Bits a) {
        if (sign == 's' && (a >> (n - 1) & 1)) a = ~a & (n == 64 ? ~Bits{0} : 0xffffffff);
        for (int i = n - 1; i >= 0; --i)
          if (a >> i & 1) return i;
        return -1;
      };
      found.push_back({"bfind." + type, "u32", {type}, [=](Bits a, Bits, Bits) { return Bits(static_cast<std::uint32_t>(highest(a))); }});
      found.push_back({"bfind.shiftamt." + type, "u32", {type}, [=](Bits a, Bits, Bits) { return highest(a) < 0 ? Bits{0xffffffff} : Bits(n - 1 - highest(a)); }});
      // The loop of the PTX ISA's own definition.
      found.push_back({"bfe." + type, type, {type, "u32", "u32"}, [=](Bits a, Bits b, Bits c) {
                         const Bits pos = b & 0xff, len = c & 0xff, msb = static_cast<Bits>(n) - 1;
                         const Bits sbit = sign == 'u' || len == 0 ? 0 : a >> std::min(pos + len - 1, msb) & 1;
                         Bits d = 0;
                         for (Bits i = 0; i <= msb; ++i) d |= ((i < len && pos + i <= msb) ? a >> (pos + i) & 1 : sbit) << i;
                         return d;
                       }});
    }
    found.push_back({"bfi.b" + size, "b" + size, {"b" + size, "b" + size, "u32"}, [=](Bits a, Bits b, Bits c) {
                       const Bits pos = c & 0xff, len = 7, msb = static_cast<Bits>(n) - 1;
                       Bits f = b;
                       for (Bits i = 0; i < len && pos + i <= msb; ++i) f = (f & ~(Bits{1} << (pos + i))) | (a >> i & 1) << (pos + i);
                       return f;
                     }, 0, "D, A, B, C, 7"});
  }
  const char* modes[] = {"", ".f4e", ".b4e", ".rc8", ".ecl", ".ecr", ".rc16"};
  for (int mode = 0; mode < 7; ++mode)
    found.push_back({std::string("prmt.b32") + modes[mode], "b32", {"b32", "b32", "b32"}, [=](Bits a, Bits b, Bits c) {
                       // PTX ISA, table of prmt: the bytes chosen for the results 3, 2, 1, 0 by mode and the two low bits.
                       static const int kTable[7][4][4] = {{}, {{3, 2, 1, 0}, {4, 3, 2, 1}, {5, 4, 3, 2}, {6, 5, 4, 3}}, {{5, 6, 7, 0}, {6, 7, 0, 1}, {7, 0, 1, 2}, {0, 1, 2, 3}},
                                                           {{0, 0, 0, 0}, {1, 1, 1, 1}, {2, 2, 2, 2}, {3, 3, 3, 3}}, {{3, 2, 1, 0}, {3, 2, 1, 1}, {3, 2, 2, 2}, {3, 3, 3, 3}},
                                                           {{0, 0, 0, 0}, {1, 1, 1, 0}, {2, 2, 1, 0}, {3, 2, 1, 0}}, {{1, 0, 1, 0}, {3, 2, 3, 2}, {1, 0, 1, 0}, {3, 2, 3, 2}}};
                       const Bits bytes = b << 32 | a;
                       Bits d = 0;
                       for (int i = 0; i < 4; ++i) {
                         const Bits selector = mode ? static_cast<Bits>(kTable[mode][c & 3][3 - i]) : c >> 4 * i & 15;
                         Bits byte = bytes >> 8 * (selector & 7) & 0xff;
                         if (selector & 8) byte = byte & 0x80 ? 0xff : 0;
                         d |= byte << 8 * i;
                       }
                       return d;
                     }});
  for (const int table : {0x00, 0x80, 0x96, 0xe8, 0xca, 0x1b, 0xff})
    found.push_back({"lop3.b32", "b32", {"b32", "b32", "b32"}, [=](Bits a, Bits b, Bits c) {
                       Bits d = 0;
                       for (int i = 0; i < 32; ++i) d |= static_cast<Bits>(table >> ((a >> i & 1) << 2 | (b >> i & 1) << 1 | (c >> i & 1)) & 1) << i;
                       return d;
                     }, 0, "D, A, B, C, " + std::to_string(table)});
  found.push_back({"fns.b32", "u32", {"b32", "b32", "s32"}, [](Bits mask, Bits base, Bits offset) {
                     const int n = static_cast<std::int32_t>(offset) % 40, from = static_cast<int>(base & 31);
                     if (static_cast<std::int32_t>(offset) != n) return Bits{0xffffffff};
                     if (n == 0) return mask >> from & 1 ? Bits(from) : Bits{0xffffffff};
                     int left = std::abs(n);
                     for (int i = from; i >= 0 && i < 32; i += n > 0 ? 1 : -1)
                       if ((mask >> i & 1) && --left == 0) return Bits(i);
                     return Bits{0xffffffff};
                   }});
  found.push_back({"bmsk.clamp.b32", "b32", {"u32", "u32"}, [](Bits a, Bits b, Bits) { return a >= 32 ? 0 : ((b >= 32 ? ~Bits{0} : (Bits{1} << b) - 1) << a); }});
  found.push_back({"bmsk.wrap.b32", "b32", {"u32", "u32"}, [](Bits a, Bits b, Bits) { return ((Bits{1} << (b & 31)) - 1) << (a & 31); }});
  const auto extend = [](bool is_signed, bool clamp) {
    return [=](Bits a, Bits b, Bits) {
      const Bits n = clamp ? b : b & 31;
      if (n == 0) return Bits{0};
      if (n >= 32) return a;
      const Bits low = a & ((Bits{1} << n) - 1);
      return is_signed && (low >> (n - 1) & 1) ? low | ~((Bits{1} << n) - 1) : low;
    };
  };
  for (const bool clamp : {true, false}) {
    const std::string mode = clamp ? "clamp" : "wrap";
    found.push_back({"szext." + mode + ".u32", "u32", {"u32", "u32"}, extend(false, clamp)});
    found.push_back({"szext." + mode + ".s32", "s32", {"s32", "u32"}, extend(true, clamp)});
  }
  return found;
}

std::vector<Instruction> moves() {
  std::vector<Instruction> found;
  for (const char* type : {"b16", "u16", "s16", "b32", "u32", "s32", "f32", "b64", "u64", "s64", "f64"})
    found.push_back({std::string("mov.") + type, type, {type}, [](Bits a, Bits, Bits) { return a; }});
  found.push_back({"mov.pred", "pred", {"pred"}, [](Bits a, Bits, Bits) { return a; }});
  found.push_back({"mov.b32", "b32", {"b16", "b16"}, [](Bits a, Bits b, Bits) { return a | b << 16; }, 0, "D, {A, B}"});
  found.push_back({"mov.b64", "b64", {"b32", "b32"}, [](Bits a, Bits b, Bits) { return a | b << 32; }, 0, "D, {A, B}"});
  found.push_back({"mov.b64", "b32", {"b64"}, [](Bits a, Bits, Bits) { return a >> 32; }, 0, "{%r60, D}, A"});
  found.push_back({"mov.b32", "b16", {"b32"}, [](Bits a, Bits, Bits) { return a; }, 0, "{D, _}, A"});
  for (const char* type : {"b16", "u16", "s16", "b32", "u32", "s32", "f32", "b64", "u64", "s64", "f64"})
    found.push_back({std::string("selp.") + type, type, {type, type, "pred"}, [](Bits a, Bits b, Bits c) { return c ? a : b; }});
  for (const char* type : {"b16", "b32", "u32", "f32", "b64", "u64", "f64"})
    found.push_back({std::string("slct.") + type + ".s32", type, {type, type, "s32"}, [](Bits a, Bits b, Bits c) { return static_cast<std::int32_t>(c) >= 0 ? a : b; }});
  found.push_back({"slct.u32.f32", "u32", {"u32", "u32", "f32"}, [](Bits a, Bits b, Bits c) {
                     float value;
                     const auto low = static_cast<std::uint32_t>(c);
                     std::memcpy(&value, &low, 4);
                     return value >= 0 ? a : b;
                   }});
  found.push_back({"cvta.to.global.u64", "u64", {"u64"}, [](Bits a, Bits, Bits) { return a; }});
  return found;
}



INSTANTIATE_TEST_SUITE_P(Integer, InstructionTest, ::testing::ValuesIn(arithmetic()), name_of);
INSTANTIATE_TEST_SUITE_P(Bits, InstructionTest, ::testing::ValuesIn(bits()), name_of);
INSTANTIATE_TEST_SUITE_P(Moves, InstructionTest, ::testing::ValuesIn(moves()), name_of);

/// Several results of one instruction chain: a 128-bit sum, difference and product by carries.
TEST(Carry, JoinsWordsIntoLongerNumbers) {
  Machine machine;
  const std::vector<std::uint64_t> a = {~0ull, 5, 1ull << 63, ~0ull}, b = {1, ~0ull, 1ull << 63, ~0ull};
  const auto at = machine.upload(a), bt = machine.upload(b), out = machine.allocate(4 * 6 * 8);
  const auto loaded = machine.load(kernel(3, R"(
    mad.wide.u32 %o, %i, 8, %a0; ld.global.u64 %q0, [%o]; mad.wide.u32 %o, %i, 8, %a1; ld.global.u64 %q1, [%o];
    add.cc.u64 %q2, %q0, %q1; addc.u64 %q3, 0, 0;
    sub.cc.u64 %q4, %q0, %q1; subc.u64 %q5, 0, 0;
    mul.lo.u64 %q6, %q0, %q1; mad.hi.u64 %q7, %q0, %q1, 0;
    mad.lo.cc.u64 %q8, %q0, %q1, 7; madc.hi.u64 %q9, %q0, %q1, 0;
    mad.wide.u32 %o, %i, 48, %a2;
    st.global.u64 [%o], %q2; st.global.u64 [%o+8], %q3; st.global.u64 [%o+16], %q4; st.global.u64 [%o+24], %q5; st.global.u64 [%o+32], %q8; st.global.u64 [%o+40], %q9;)"));
  ASSERT_EQ(machine.launch(machine.function(loaded), 1, 4, {at, bt, out}), 0) << standin_report();
  const auto got = machine.download<std::uint64_t>(out, 24);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto wide = [](std::uint64_t x) { return static_cast<unsigned __int128>(x); };
    const auto pair = [&](std::size_t k) { return wide(got[6 * i + k]) | wide(got[6 * i + k + 1]) << 64; };
    EXPECT_EQ(pair(0), wide(a[i]) + b[i]);
    EXPECT_EQ(pair(2), wide(a[i]) - b[i]);
    EXPECT_EQ(pair(4), wide(a[i]) * b[i] + 7);
  }
}

}  // namespace
}  // namespace standin_test

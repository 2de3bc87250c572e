#include "tests/emulator/instruction.hpp"

#include <cmath>
#include <limits>
#include <random>

namespace standin_test {
namespace {

constexpr std::size_t kThreads = 1024;

char kind_of(const std::string& type) { return type[0]; }

/// The register that holds the type, of those that kernel() declares.
std::string register_of(const std::string& type, int index) {
  if (type == "pred") return "%p" + std::to_string(index);
  const char* names[] = {"%h", "%h", "%r", "%q"};
  const int bytes = bytes_of(type);
  if (type == "f32") return "%f" + std::to_string(index);
  if (type == "f64") return "%d" + std::to_string(index);
  return names[bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3] + std::to_string(index);
}

/// For ld and st, which do not know f16.
std::string memory_type(const std::string& type) { return type == "f32" || type == "f64" ? type : (kind_of(type) == 's' ? "s" : "u") + std::to_string(8 * bytes_of(type)); }

const std::vector<std::uint64_t>& edges(const std::string& type) {
  static const std::vector<std::uint64_t> kInteger = {0, 1, 2, 3, 5, 7, 8, 15, 16, 31, 32, 33, 63, 64, 100, 127, 128, 255, 256, 32767, 32768, 65535, 65536,
                                                      0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
                                                      0xfffffffffffffffe, 0xffffffffffffffff, 0xaaaaaaaaaaaaaaaa, 0x123456789abcdef0};
  static const std::vector<std::uint64_t> kSingle = {0, 0x80000000, 0x3f800000, 0xbf800000, 0x40000000, 0x3f000000, 0x7f800000, 0xff800000, 0x7fc00000, 1, 0x80000001,
                                                     0x007fffff, 0x00800000, 0x7f7fffff, 0xff7fffff, 0x4b800000, 0x4f000000, 0x5f000000, 0xcf000000, 0x3f800001,
                                                     0x40200000, 0x40600000, 0xc0200000, 0x477fe000, 0x47800000, 0x33800000, 0x38800000};
  static const std::vector<std::uint64_t> kDouble = {0, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000, 0x4000000000000000, 0x3fe0000000000000,
                                                     0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 1, 0x8000000000000001, 0x000fffffffffffff,
                                                     0x0010000000000000, 0x7fefffffffffffff, 0x4340000000000000, 0x41e0000000000000, 0x43e0000000000000,
                                                     0xc1e0000000000000, 0xc3e0000000000000, 0x3ff0000000000001, 0x4004000000000000, 0x400c000000000000,
                                                     0x40effc0000000000, 0x40f0000000000000, 0x36a0000000000000, 0x47efffffe0000000};
  static const std::vector<std::uint64_t> kHalf = {0, 0x8000, 0x3c00, 0xbc00, 0x4000, 0x3800, 0x7c00, 0xfc00, 0x7e00, 1, 0x8001, 0x03ff, 0x0400, 0x7bff, 0xfbff, 0x3c01, 0x4100};
  if (type == "f32") return kSingle;
  if (type == "f64") return kDouble;
  if (type == "f16") return kHalf;
  return kInteger;
}

bool is_nan(const std::string& type, std::uint64_t bits) {
  if (type == "f32") return (bits & 0x7fffffff) > 0x7f800000;
  if (type == "f64") return (bits & 0x7fffffffffffffff) > 0x7ff0000000000000;
  return type == "f16" && (bits & 0x7fff) > 0x7c00;
}

bool agrees(const Instruction& instruction, std::uint64_t got, std::uint64_t expected) {
  if (got == expected) return true;
  if (is_nan(instruction.result, got) && is_nan(instruction.result, expected)) return true;  // payloads are not compared
  if (instruction.result == "f16x2") {
    const auto part = [&](int shift) { return (got >> shift & 0xffff) == (expected >> shift & 0xffff) || (is_nan("f16", got >> shift & 0xffff) && is_nan("f16", expected >> shift & 0xffff)); };
    return part(0) && part(16);
  }
  if (instruction.tolerated_ulp == 0 || instruction.result != "f32") return false;
  return std::llabs(static_cast<long long>(got) - static_cast<long long>(expected)) <= instruction.tolerated_ulp;
}

}  // namespace

int bytes_of(const std::string& type) {
  if (type == "pred") return 4;
  if (type == "f16x2" || type == "u16x2" || type == "s16x2") return 4;
  return std::stoi(type.substr(1)) / 8;
}

std::vector<std::uint64_t> values_of(const std::string& type, std::size_t n, unsigned seed) {
  std::mt19937_64 random(seed);
  const std::vector<std::uint64_t>& special = edges(type == "f16x2" ? "f16" : type);
  const int bits = 8 * bytes_of(type);
  const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  std::vector<std::uint64_t> found(n);
  for (std::size_t i = 0; i < n; ++i) {
    // The first half walks through pairs of special values.
    std::uint64_t value = i < n / 2 ? special[(seed == 1 ? i : seed == 2 ? i / special.size() : i * 7 + i / 5) % special.size()] : random();
    if (type == "f16x2") value = (i < n / 2 ? special[(i + seed) % special.size()] << 16 : random() << 16) | (value & 0xffff);
    // Random floats of any exponent are seldom near each other: half of them have a small one.
    if (i >= n / 2 && i % 2 && (type == "f32" || type == "f64")) {
      const double real = std::ldexp(static_cast<double>(static_cast<std::int64_t>(value)), -60);
      const float single = static_cast<float>(real);
      if (type == "f64") std::memcpy(&value, &real, 8);
      else value = 0, std::memcpy(&value, &single, 4);
    }
    found[i] = value & mask;
  }
  return found;
}

void check(const Instruction& instruction) {
  Machine machine;
  std::string body, names[4];
  names[0] = register_of(instruction.result, 0);
  std::vector<std::vector<std::uint64_t>> values;
  std::vector<std::uint64_t> parameters{0};
  for (std::size_t k = 0; k < instruction.operands.size(); ++k) {
    const std::string& type = instruction.operands[k];
    const std::string number = std::to_string(k + 1);
    names[k + 1] = register_of(type, static_cast<int>(k) + 1);
    values.push_back(values_of(type, kThreads, static_cast<unsigned>(k) + 1));
    const int bytes = bytes_of(type);
    std::vector<std::uint8_t> packed(kThreads * static_cast<std::size_t>(bytes));
    for (std::size_t i = 0; i < kThreads; ++i) std::memcpy(packed.data() + i * static_cast<std::size_t>(bytes), &values[k][i], static_cast<std::size_t>(bytes));
    parameters.push_back(machine.upload(packed));
    body += "mad.wide.u32 %o, %i, " + std::to_string(bytes) + ", %a" + number + ";\n";
    if (type == "pred") body += "ld.global.u32 %r" + std::to_string(40 + k) + ", [%o]; and.b32 %r50, %r" + std::to_string(40 + k) + ", 1; setp.ne.u32 " + names[k + 1] + ", %r50, 0;\n";
    else body += "ld.global." + memory_type(type) + " " + names[k + 1] + ", [%o];\n";
  }
  std::string operands;
  if (instruction.form.empty()) {
    operands = names[0];
    for (std::size_t k = 0; k < instruction.operands.size(); ++k) operands += ", " + names[k + 1];
  } else {
    for (const char c : instruction.form) operands += c == 'D' ? names[0] : c >= 'A' && c <= 'C' ? names[c - 'A' + 1] : std::string(1, c);
  }
  body += instruction.text + " " + operands + ";\n";
  const int bytes = bytes_of(instruction.result);
  body += "mad.wide.u32 %o, %i, " + std::to_string(bytes) + ", %a0;\n";
  if (instruction.result == "pred") body += "selp.u32 %r0, 1, 0, %p0;\nst.global.u32 [%o], %r0;";
  else body += "st.global." + memory_type(instruction.result) + " [%o], " + names[0] + ";";
  parameters[0] = machine.allocate(kThreads * static_cast<std::size_t>(bytes));
  void* loaded = machine.load(kernel(static_cast<int>(parameters.size()), body));
  ASSERT_EQ(machine.launch(machine.function(loaded), 4, kThreads / 4, parameters), 0) << standin_report();
  const auto got = machine.download<std::uint8_t>(parameters[0], kThreads * static_cast<std::size_t>(bytes));
  const std::uint64_t mask = bytes == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * bytes) - 1;
  for (std::size_t i = 0; i < kThreads; ++i) {
    std::uint64_t result = 0;
    std::memcpy(&result, got.data() + i * static_cast<std::size_t>(bytes), static_cast<std::size_t>(bytes));
    const auto value = [&](std::size_t k) {
      if (k >= values.size()) return std::uint64_t{0};
      return instruction.operands[k] == "pred" ? values[k][i] & 1 : values[k][i];
    };
    const std::uint64_t expected = instruction.expected(value(0), value(1), value(2)) & mask;
    ASSERT_TRUE(agrees(instruction, result, expected)) << std::hex << "a = " << value(0) << ", b = " << value(1) << ", c = " << value(2) << ": got " << result << ", expected " << expected;
  }
}

}  // namespace standin_test

namespace standin_test {

TEST_P(InstructionTest, AgreesWithCpp) { check(GetParam()); }

}  // namespace standin_test

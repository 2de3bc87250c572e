// exec/opcodes.cpp - the opcode table: every instruction that is executed. What is not here is refused when a module is loaded.
#include <algorithm>

#include "tests/emulator/exec/decode.hpp"

namespace standin {
namespace {

using namespace decode;

// Sorted by name.
constexpr Opcode kOpcodes[] = {
    {"abs", abs},           {"activemask", activemask}, {"add", add},       {"addc", addc},         {"and", bit_and},     {"applypriority", prefetch},
    {"atom", atom},         {"bar", bar},               {"barrier", barrier}, {"bfe", bfe},         {"bfi", bfi},         {"bfind", bfind},
    {"bmsk", bmsk},         {"bra", bra},               {"brev", brev},     {"brkpt", trap},        {"brx", brx},         {"call", call},
    {"clz", clz},           {"cnot", cnot},             {"copysign", copysign}, {"cos", cos},       {"cvt", cvt},         {"cvta", cvta},
    {"discard", prefetch},  {"div", div},               {"dp2a", dp2a},     {"dp4a", dp4a},         {"elect", elect},     {"ex2", ex2},
    {"exit", exit},         {"fence", fence},           {"fma", fma},       {"fns", fns},           {"isspacep", isspacep}, {"ld", ld},
    {"ldu", ld},            {"lg2", lg2},               {"lop3", lop3},     {"mad", mad},           {"mad24", mad24},     {"madc", madc},
    {"match", match},       {"max", max},               {"membar", membar}, {"min", min},           {"mov", mov},         {"mul", mul},
    {"mul24", mul24},       {"nanosleep", nanosleep},   {"neg", neg},       {"not", bit_not},       {"or", bit_or},       {"pmevent", nothing},
    {"popc", popc},         {"prefetch", prefetch},     {"prefetchu", prefetch}, {"prmt", prmt},    {"rcp", rcp},         {"red", red},
    {"redux", redux},       {"rem", rem},               {"ret", ret},       {"rsqrt", rsqrt},       {"sad", sad},         {"selp", selp},
    {"set", set},           {"setp", setp},             {"shf", shf},       {"shfl", shfl},         {"shl", shl},         {"shr", shr},
    {"sin", sin},           {"slct", slct},             {"sqrt", sqrt},     {"st", st},             {"sub", sub},         {"subc", subc},
    {"szext", szext},       {"tanh", tanh},             {"testp", testp},   {"trap", trap},         {"vote", vote},       {"xor", bit_xor},
};
static_assert(std::is_sorted(std::begin(kOpcodes), std::end(kOpcodes), [](const Opcode& a, const Opcode& b) { return a.name < b.name; }));

}  // namespace

const Opcode* find_opcode(std::string_view name) {
  const auto found = std::lower_bound(std::begin(kOpcodes), std::end(kOpcodes), name, [](const Opcode& row, std::string_view key) { return row.name < key; });
  return found != std::end(kOpcodes) && found->name == name ? found : nullptr;
}

}  // namespace standin

// The parser and the assembler: what is read, and that everything else is refused with its line.
#include "tests/emulator/ptx/parser.hpp"

#include <gtest/gtest.h>

#include "tests/emulator/exec/program.hpp"

namespace standin {
namespace {

const std::string kHeader = ".version 8.7\n.target sm_90a\n.address_size 64\n";

std::string entry(const std::string& body) { return kHeader + ".visible .entry k(.param .u64 p)\n{\n" + body + "\n}\n"; }

ptx::Module read(const std::string& body) { return ptx::parse(entry(body)); }

/// The error of text that is refused; "" where it is taken.
std::string refusal(const std::string& text) {
  try {
    const ptx::Module module = ptx::parse(text);
    for (const ptx::Function& function : module.functions)
      if (function.is_entry) assemble(module, function, {});
    return "";
  } catch (const ptx::Error& error) {
    return error.what();
  }
}

TEST(Ptx, ReadsVersionTargetAndLimits) {
  const ptx::Module module =
      ptx::parse(kHeader + ".entry k() .maxntid 128, 2, 1 .minnctapersm 3 { ret; }\n.entry r() .reqntid 64 { ret; }");
  EXPECT_EQ(module.version, 87);
  EXPECT_EQ(module.target, "sm_90a");
  EXPECT_EQ(module.functions[0].max_threads[1], 2);
  EXPECT_EQ(module.functions[0].min_blocks, 3);
  EXPECT_EQ(module.functions[1].required_threads[0], 64);
  EXPECT_EQ(module.functions[1].required_threads[2], 1);
}

TEST(Ptx, TakesTheAlignmentOfAPointeeForNoneOfTheParameter) {
  const ptx::Module module =
      ptx::parse(kHeader + ".entry k(.param .f32 x, .param .u64 .ptr .global .align 1 p, .param .align 4 .b8 q[8]) { ret; }");
  EXPECT_EQ(module.functions[0].variables[module.functions[0].parameters[1]].align, 8u);
  EXPECT_EQ(module.functions[0].variables[module.functions[0].parameters[2]].align, 4u);
}

TEST(Ptx, ReadsRangesOfRegisters) {
  const ptx::Module module = read(".reg .b32 %r<12>; .reg .pred p, q; mov.u32 %r11, 1;");
  EXPECT_EQ(module.functions[0].registers.size(), 14u);
  EXPECT_EQ(module.functions[0].registers[module.functions[0].body[0].operands[0].index].name, "%r11");
}

TEST(Ptx, ReadsEveryLiteral) {
  const ptx::Module module = read(
      ".reg .b64 %q; mov.u64 %q, 0x1fU; mov.u64 %q, 017; mov.u64 %q, 0b101; mov.u64 %q, -2; mov.f64 %q, 0d3FF0000000000000; mov.f32 %q, "
      "0f3F800000;");
  const std::vector<std::uint64_t> expected = {31, 15, 5, ~std::uint64_t{1}, 0x3ff0000000000000, 0x3f800000};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(module.functions[0].body[i].operands[1].bits, expected[i]) << i;
}

TEST(Ptx, InitialisesVariables) {
  const ptx::Module module = ptx::parse(kHeader +
                                        ".global .align 4 .b8 t[8] = {1, 2, 255};\n.global .u64 a = t+4;\n.const .u64 b[2] = {generic(t), "
                                        "7};\n.global .f32 f = 0f3F800000;\n");
  EXPECT_EQ(module.variables[0].size, 8u);
  EXPECT_EQ(module.variables[0].content[2], std::byte{255});
  EXPECT_EQ(module.variables[0].content[3], std::byte{0});
  EXPECT_EQ(module.variables[1].relocations[0].name, "t");
  EXPECT_EQ(module.variables[1].relocations[0].addend, 4);
  EXPECT_TRUE(module.variables[2].relocations[0].generic);
  EXPECT_EQ(module.variables[3].content[3], std::byte{0x3f});
}

TEST(Ptx, ResolvesALabelInTheScopeItIsIn) {
  const ptx::Module module = read("L: bra L; { bra L; L: ret; } bra L;");
  EXPECT_EQ(module.functions[0].body[0].operands[0].index, 0u);
  EXPECT_EQ(module.functions[0].body[1].operands[0].index, 2u);
  EXPECT_EQ(module.functions[0].body[3].operands[0].index, 0u);
}

TEST(Ptx, InnerRegistersShadowOuterOnes) {
  const ptx::Module module = read(".reg .b32 %r<4>; { .reg .b64 %r1; mov.u64 %r1, 1; mov.u32 %r2, 1; } mov.u32 %r1, 1;");
  const ptx::Function& function = module.functions[0];
  EXPECT_EQ(function.registers[function.body[0].operands[0].index].type, ptx::Type::B64);
  EXPECT_EQ(function.registers[function.body[1].operands[0].index].type, ptx::Type::B32);
  EXPECT_EQ(function.registers[function.body[2].operands[0].index].type, ptx::Type::B32);
}

TEST(Ptx, SkipsCommentsAndPragmas) {
  EXPECT_EQ(read("// one\n/* two\n three */ .pragma \"nounroll\"; ret; .loc 1 2 3\n ret;").functions[0].body[0].line, 8);
}

struct Refused {
  const char* what;
  std::string text;
  const char* message;
};

class Refusal : public ::testing::TestWithParam<Refused> {};
TEST_P(Refusal, NamesTheLine) { EXPECT_EQ(refusal(GetParam().text), GetParam().message); }
INSTANTIATE_TEST_SUITE_P(
    Ptx, Refusal,
    ::testing::Values(
        Refused{"Opcode", entry("ret;\nwgmma.fence.sync.aligned;"), "line 7: opcode 'wgmma' is not known"},
        Refused{"Modifier", entry(".reg .f32 %f;\nadd.rna.f32 %f, %f, %f;"), "line 7: 'add.rna.f32': a type is missing"},
        Refused{"TrailingModifier", entry(".reg .b32 %r;\nadd.s32.wide %r, %r, %r;"), "line 7: 'add.s32.wide': '.wide' is not known here"},
        Refused{"Type", entry(".reg .b32 %r;\npopc.f32 %r, %r;"), "line 7: 'popc.f32': is not executed for this type"},
        Refused{"Operands", entry(".reg .b32 %r;\nadd.s32 %r, %r;"), "line 7: 'add.s32': has 2 operands"},
        Refused{"Directive", kHeader + ".texref t;\n", "line 4: directive '.texref' is not known"},
        Refused{"BodyDirective", entry(".surf x;"), "line 6: directive '.surf' is not known"},
        Refused{"Name", entry(".reg .b32 %r;\nmov.u32 %r, %r1;"), "line 7: special register '%r1' is not known"},
        Refused{"Special", entry(".reg .b32 %r;\nmov.u32 %r, %clusterid.x;"), "line 7: special register '%clusterid.x' is not known"},
        Refused{"Label", entry("bra L;"), "line 6: label 'L' is not declared"},
        Refused{"LabelTwice", entry("L: L: ret;"), "line 6: label 'L' twice"},
        Refused{"Width", entry(".reg .b16 %h; .reg .b32 %r;\nadd.s32 %r, %r, %h;"), "line 7: register '%h' is too narrow"},
        Refused{"Predicate", entry(".reg .b32 %r;\nsetp.eq.s32 %r, %r, %r;"), "line 7: register '%r' has the wrong type"},
        Refused{"Guard", entry(".reg .b32 %r;\n@%r ret;"), "line 7: the guard is no predicate"},
        Refused{"Recursion", kHeader + ".func f() { call f; ret; }\n.entry k() { call f; ret; }", "line 4: recursion is not executed"},
        Refused{"Callee", entry("call f;"), "line 6: function 'f' is called and not defined"},
        Refused{"CallThroughRegister", entry(".reg .b64 %q;\ncall %q;"), "line 7: calls through a register are not executed"},
        Refused{"Vector", entry(".reg .b32 %r<4>; .reg .b64 %q;\nld.global.v2.u32 {%r1, %r2, %r3}, [%q];"),
                "line 7: 'ld.global.v2.u32': does not fit its vector"},
        Refused{"ConstantStore", entry(".reg .b64 %q;\nst.const.u64 [%q], %q;"), "line 7: 'st.const.u64': writes constant memory"},
        Refused{"Bits", entry(".reg .pred %p; .reg .b32 %r;\nsetp.lt.b32 %p, %r, %r;"),
                "line 7: 'setp.lt.b32': compares bits for equality alone"},
        Refused{"Conversion", entry(".reg .f32 %f; .reg .f64 %d;\ncvt.f32.f64 %f, %d;"), "line 7: 'cvt.f32.f64': needs a rounding"},
        Refused{"Unclosed", kHeader + ".entry k() {\nret;\n", "line 6: '{' without its '}'"},
        Refused{"Comment", kHeader + "/* no end", "line 4: comment without an end"},
        Refused{"Decimal", entry(".reg .f32 %f;\nmov.f32 %f, 1.5;"),
                "line 7: decimal floating-point literals are not read: write 0f or 0d"}),
    [](const auto& info) { return info.param.what; });

}  // namespace
}  // namespace standin

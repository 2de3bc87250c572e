#include <gtest/gtest.h>

#include "graph_text.hpp"

namespace engine::ir {
namespace {

TEST(Build, SharesEqualNodes) {
  const Built built = build_text("(a + b)*(a + b)", "a:float64[1] b:float64[1]");
  EXPECT_EQ(print(built.graph),
            "slot 0 a float64[1]\nslot 1 b float64[1]\n"
            "%0 = Input 0@0 : float64[1]\n%1 = Input 1@0 : float64[1]\n"
            "%2 = Add.11 %0 %1 : float64[1]\n%3 = Multiply.11 %2 %2 : float64[1]\n%4 = Output Result %3\n");
}

TEST(Build, KeepsLiteralsWeak) {
  EXPECT_EQ(type_of("a*2.0", "a:float32[1]"), "float32[1]");
  EXPECT_EQ(type_of("a + 1", "a:int8[1]"), "int8[1]");
  EXPECT_EQ(type_of("1/2*a", "a:float32[1]"), "float32[1]");
  EXPECT_EQ(type_of("2**-1*a", "a:float16[0]"), "float16[0]");
  EXPECT_EQ(type_of("True + True", ""), "int64[0]");
  EXPECT_EQ(type_of("a*s", "a:float32[2] s:pyfloat"), "float32[2]");
}

TEST(Build, GivesAPositionTheRankItTellsApart) {
  EXPECT_EQ(type_of("a + index(1)", "a:float32[3]"), "float64[3]");
  EXPECT_EQ(type_of("t = a*1; t[1] = index(); t", "a:int64[3]"), "int64[3]");
  EXPECT_EQ(type_of("t = a*1; t[1, 0] = index(0); t", "a:int64[3]"), "int64[3]");
  EXPECT_EQ(type_of("b[...] = index()", "b:int64[32]"), "int64[32]");
}

TEST(Build, FindsTypeErrors) {
  EXPECT_THROW(build_text("a - b", "a:bool[1] b:bool[1]"), DTypeError);
  EXPECT_THROW(build_text("a & b", "a:float64[1] b:int8[1]"), DTypeError);
  EXPECT_THROW(build_text("a + 300", "a:int8[1]"), RangeError);
  EXPECT_THROW(build_text("a ** -1", "a:int64[1]"), RangeError);
  EXPECT_THROW(build_text("a[b]", "a:float64[1] b:int64[1]"), DTypeError);
  EXPECT_THROW(build_text("a[0, 0]", "a:float64[1]"), ShapeError);
  EXPECT_THROW(build_text("sum(a, axis=2)", "a:float64[2]"), ShapeError);
  EXPECT_THROW(build_text("sum(a, axis=(0, -2))", "a:float64[2]"), ShapeError);
  EXPECT_THROW(build_text("c + 1", "a:float64[2]"), UnknownName);
  EXPECT_THROW(build_text("index(0)", ""), ShapeError);
  EXPECT_THROW(build_text("1//0", ""), RangeError);
}

TEST(Build, ComparesIntegersThatDoNotFitExactly) {
  EXPECT_EQ(type_of("a < 300", "a:int8[1]"), "bool[1]");
  EXPECT_EQ(type_of("a == -1", "a:uint64[2]"), "bool[2]");
}

TEST(Build, ChecksExponentsThatDependOnData) {
  const Built built = build_text("a ** b", "a:int64[1] b:int64[1]");
  EXPECT_EQ(built.graph.outputs[built.graph[built.graph.output_nodes[0]].payload].kind, OutputSpec::Kind::Check);
  EXPECT_EQ(build_text("a ** b", "a:int64[1] b:uint8[1]").graph.output_nodes.size(), 1u);
}

TEST(Build, GivesReadsAfterAWriteANewVersion) {
  const Built built = build_text("t = a; a[0] = 1; t + a", "a:float64[1]");
  std::uint32_t versions = 0;
  for (const Node& node : built.graph.nodes)
    if (node.kind == NodeKind::Input) versions |= 1u << node.version;
  EXPECT_EQ(versions, 3u);
}

TEST(Build, MakesALocalOfAValueThatIsWrittenInParts) {
  const Built built = build_text("t = a*2; t[0] = 1; t", "a:float64[1]");
  ASSERT_EQ(built.graph.slots.size(), 2u);
  EXPECT_TRUE(built.graph.slots[1].local);
  EXPECT_EQ(built.graph.output_nodes.size(), 3u);
}

TEST(Build, AsksForAScalarsValueOnlyWhereItMatters) {
  EXPECT_NO_THROW(build_text("a*s", "a:float32[1] s:pyfloat"));
  EXPECT_THROW(build_text("a*(s + 1)", "a:float32[1] s:pyfloat"), NeedsValue);
  EXPECT_THROW(build_text("a[n:]", "a:float32[1] n:int64[0]"), NeedsValue);
  EXPECT_NO_THROW(build_text("a + n", "a:float32[1] n:int64[0]"));
}

TEST(Build, TypesASumOfTwentyThousandTerms) {
  std::string text = "a";
  for (int i = 1; i < 20000; ++i) text += " + b";
  EXPECT_EQ(type_of(text, "a:float64[1] b:float64[1]"), "float64[1]");
}

}  // namespace
}  // namespace engine::ir

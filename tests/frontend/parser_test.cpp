#include "engine/frontend/parser.hpp"

#include <gtest/gtest.h>

namespace engine::frontend {
namespace {

/// The tree with all its brackets: calls for operators too.
std::string tree(const Ast& ast, NodeId id) {
  const Node& node = ast.nodes[id];
  if (node.kind != Syntax::Apply) return print(ast, id);
  std::string text = std::string(catalog::info(static_cast<catalog::Op>(node.id)).name()) + "(";
  for (NodeId child : ast.children_of(node)) text += (text.back() == '(' ? "" : ",") + tree(ast, child);
  return text + ")";
}
std::string tree(std::string_view text) {
  const Ast ast = parse(text, {});
  return tree(ast, ast.statements.back().value);
}

TEST(Parser, BindsLikePython) {
  EXPECT_EQ(tree("a + b * c"), "add(a,multiply(b,c))");
  EXPECT_EQ(tree("a - b - c"), "subtract(subtract(a,b),c)");
  EXPECT_EQ(tree("a ** b ** c"), "power(a,power(b,c))");
  EXPECT_EQ(tree("-a ** b"), "negative(power(a,b))");
  EXPECT_EQ(tree("a ** -b"), "power(a,negative(b))");
  EXPECT_EQ(tree("-a * b"), "multiply(negative(a),b)");
  EXPECT_EQ(tree("~a & b | c ^ d << e"), "bitwise_or(bitwise_and(invert(a),b),bitwise_xor(c,left_shift(d,e)))");
  EXPECT_EQ(tree("not a == b"), "logical_not(equal(a,b))");
  EXPECT_EQ(tree("not a and b or c"), "logical_or(logical_and(logical_not(a),b),c)");
  EXPECT_EQ(tree("a | b == c"), "equal(bitwise_or(a,b),c)");
}

TEST(Parser, ChainsComparisonsOverOneMiddle) {
  const Ast ast = parse("a < b < c", {});
  EXPECT_EQ(tree(ast, ast.statements[0].value), "bitwise_and(less(a,b),less(b,c))");
  EXPECT_EQ(ast.nodes.size(), 6u);
}

TEST(Parser, MakesNoCastOfADTypeThatIsOnlyNamed) {
  for (const char* text : {"sum(a, dtype=int8)", "nanmean(a, dtype=float32, where=b)", "std(a, dtype='float32')"})
    for (const Node& node : parse(text, {}).nodes) EXPECT_TRUE(node.kind != Syntax::Cast || node.count == 1) << text;
}

TEST(Parser, TakesTernariesFromTheRight) { EXPECT_EQ(tree("x if a else y if b else z"), "where(a,x,where(b,y,z))"); }

TEST(Parser, PutsKeywordArgumentsInTheirPlace) {
  EXPECT_EQ(tree("clip(a, max=2, min=1)"), "clip(a,1,2)");
  EXPECT_EQ(tree("sum(a, keepdims=True, axis=(0, 1))"), "sum(a, axis=(0, 1), keepdims=True)");
  EXPECT_EQ(tree("sum((a)+b, axis=None)"), "sum(a + b, axis=None)");
  EXPECT_THROW(parse("sum(a, axes=0)", {}), ParseError);
  EXPECT_THROW(parse("where(a, 1)", {}), ParseError);
}

TEST(Parser, TakesNoneForAnOpenEndOfASlice) {
  EXPECT_EQ(tree("a[None:2]"), "a[:2]");
  EXPECT_EQ(tree("a[None:None:None]"), "a[:]");
  EXPECT_EQ(tree("a[None, None:-1, :None]"), "a[None, :-1, :]");
}

TEST(Parser, KeywordsAreNoNamesOfTheProgram) {
  const Ast ast = parse("sum(a, axis=0)", {});
  ASSERT_EQ(ast.symbols.size(), 1u);
  EXPECT_EQ(ast.symbols[0], "a");
}

TEST(Parser, SeparatesStatementsAndTargets) {
  const Ast ast = parse("t = a; b[1:, ...] += t\nt", {});
  ASSERT_EQ(ast.statements.size(), 3u);
  EXPECT_EQ(ast.symbols[ast.statements[0].target], "t");
  EXPECT_TRUE(ast.statements[1].subscripted);
  EXPECT_EQ(ast.statements[1].augmented, static_cast<int>(catalog::Op::Add));
  EXPECT_EQ(ast.statements[2].target, kNone);
  EXPECT_THROW(parse("1 = a", {}), ParseError);
  EXPECT_THROW(parse("sin(a) = b", {}), ParseError);
}

TEST(Parser, ParsesASumOfTwentyThousandTerms) {
  std::string text = "a";
  for (int i = 1; i < 20000; ++i) text += "+a";
  EXPECT_EQ(parse(text, {}).nodes.size(), 39999u);
}

TEST(Parser, BoundsNestingOfEveryKind) {
  const auto repeat = [](std::string_view s, int n) {
    std::string text;
    for (int i = 0; i < n; ++i) text += s;
    return text;
  };
  EXPECT_THROW(parse(repeat("(", 10000) + "a" + repeat(")", 10000), {}), LimitError);
  EXPECT_THROW(parse(repeat("-", 10000) + "a", {}), LimitError);
  EXPECT_THROW(parse(repeat("a**", 10000) + "a", {}), LimitError);
  EXPECT_THROW(parse(repeat("a if b else ", 10000) + "a", {}), LimitError);
  EXPECT_THROW(parse(repeat("sin(", 10000) + "a" + repeat(")", 10000), {}), LimitError);
  EXPECT_THROW(parse(repeat("sin((", 120) + "a" + repeat("))", 120) + "(", {}), ParseError);  // and in linear time
}

TEST(Parser, HoldsItsOtherLimits) {
  EXPECT_THROW(parse("a+b+c", {.nodes = 4}), LimitError);
  EXPECT_THROW(parse("a+b+c", {.names = 2}), LimitError);
}

TEST(Parser, OffersTheNearestFunction) {
  try {
    parse("sqtr(a)", {});
    FAIL();
  } catch (const UnknownName& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'sqrt'?"), std::string::npos);
  }
}

}  // namespace
}  // namespace engine::frontend

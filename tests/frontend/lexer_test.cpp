#include "engine/frontend/lexer.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace engine::frontend {
namespace {

std::vector<Token> lex(std::string_view text) {
  Lexer lexer(text);
  std::vector<Token> tokens;
  do tokens.push_back(lexer.next());
  while (tokens.back().kind != Tok::End);
  return tokens;
}

TEST(Lexer, GivesEveryTokenItsSpan) {
  const auto tokens = lex("ab + 12");
  ASSERT_EQ(tokens.size(), 4u);
  EXPECT_EQ(tokens[0].span, (Span{0, 2}));
  EXPECT_EQ(tokens[1].span, (Span{3, 4}));
  EXPECT_EQ(tokens[2].span, (Span{5, 7}));
}

TEST(Lexer, ReadsIntegersOfEveryBase) {
  EXPECT_EQ(lex("0xFF")[0].integer, 255u);
  EXPECT_EQ(lex("0b1_01")[0].integer, 5u);
  EXPECT_EQ(lex("0o17")[0].integer, 15u);
  EXPECT_EQ(lex("1_000_000")[0].integer, 1000000u);
  EXPECT_EQ(lex("18446744073709551615")[0].integer, 0xffffffffffffffffu);
  EXPECT_THROW(lex("18446744073709551616"), LimitError);
  EXPECT_THROW(lex("012"), ParseError);
  EXPECT_THROW(lex("2x"), ParseError);
}

TEST(Lexer, ReadsFloatsAsPythonDoes) {
  EXPECT_EQ(lex("1e5")[0].real, 1e5);
  EXPECT_EQ(lex(".5")[0].real, 0.5);
  EXPECT_EQ(lex("1.")[0].real, 1.0);
  EXPECT_EQ(lex("1_0.5e-1")[0].real, 1.05);
  EXPECT_EQ(lex("2.5j")[0].kind, Tok::Imaginary);
  EXPECT_EQ(lex("1e999")[0].real, __builtin_inf());
  EXPECT_EQ(lex("1e-999")[0].real, 0.0);
}

TEST(Lexer, TellsOperatorsFromAugmentedAssignments) {
  EXPECT_EQ(lex("a **= b")[1].kind, Tok::Augmented);
  EXPECT_EQ(lex("a ** b")[1].kind, Tok::Operator);
  EXPECT_EQ(lex("a <= b")[1].infix->id, catalog::Op::LessEqual);
  EXPECT_EQ(lex("a <<= b")[1].kind, Tok::Augmented);
  EXPECT_EQ(lex("a == b")[1].infix->id, catalog::Op::Equal);
}

TEST(Lexer, SkipsCommentsAndLineBreaksInsideBrackets) {
  const auto tokens = lex("(a # one\n + b)\nc \\\n d");
  std::size_t newlines = 0;
  for (const Token& token : tokens) newlines += token.kind == Tok::Newline;
  EXPECT_EQ(newlines, 1u);
}

TEST(Lexer, RefusesBytesThatAreNoText) {
  EXPECT_THROW(lex(std::string_view("a\0b", 3)), ParseError);
  EXPECT_THROW(lex("\xff\xfe"), ParseError);
  EXPECT_THROW(lex("'open"), ParseError);
  EXPECT_THROW(lex("a && b"), ParseError);
}

}  // namespace
}  // namespace engine::frontend

#include <gtest/gtest.h>

#include "engine/frontend/parser.hpp"

namespace engine::frontend {
namespace {

TEST(Print, GivesTextThatPrintsTheSameAgain) {
  for (const char* text : {"a + b*c - d",
                           "(a + b)*c",
                           "a**b**c",
                           "(a**b)**c",
                           "-a**2",
                           "(-a)**2",
                           "a**-b",
                           "2**-1",
                           "not (a and b)",
                           "(a < b) & (b < c)",
                           "x[1:, ::2, None, ..., -1]",
                           "x.T.T",
                           "sum(a, axis=(0, -1), keepdims=True)",
                           "where(a, b, c)",
                           "t = a; b[1:] += t; t",
                           "float32(a)/1e-300",
                           "index(0) + 2j",
                           "a - (b - c)",
                           "~a << b",
                           "(a if b else c) + 1",
                           "1.5.real + x.imag"}) {
    const std::string once = print(parse(text, {}));
    EXPECT_EQ(print(parse(once, {})), once) << text;
  }
}

TEST(Print, UsesNoBracketsThatAreNotNeeded) {
  EXPECT_EQ(print(parse("((a)) + ((b) * c)", {})), "a + b * c");
  EXPECT_EQ(print(parse("(a + b) * c", {})), "(a + b) * c");
}

}  // namespace
}  // namespace engine::frontend

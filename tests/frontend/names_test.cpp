#include <gtest/gtest.h>

#include "engine/frontend/parser.hpp"

namespace engine::frontend {
namespace {

std::string names(std::string_view text, bool blitz = false) {
  const Ast ast = parse(text, {});
  std::string result;
  for (std::uint32_t id : free_names(ast, blitz, std::pmr::get_default_resource())) result += std::string(ast.symbols[id]) + " ";
  return result;
}

TEST(FreeNames, AreThoseReadBeforeTheyAreBound) {
  EXPECT_EQ(names("t = a; t + b"), "a b ");
  EXPECT_EQ(names("t + 1; t = a"), "t a ");
}

TEST(FreeNames, IncludeTargetsWrittenInPlace) {
  EXPECT_EQ(names("b[1:] = a"), "b a ");
  EXPECT_EQ(names("b += a"), "b a ");
  EXPECT_EQ(names("b = a"), "a ");
  EXPECT_EQ(names("b = a", true), "b a ");
  EXPECT_EQ(names("t = a; t[0] = 1"), "a ");
}

TEST(FreeNames, IncludeBounds) { EXPECT_EQ(names("a[n // 2:]"), "a n "); }

}  // namespace
}  // namespace engine::frontend

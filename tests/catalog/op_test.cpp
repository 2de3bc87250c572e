#include "engine/catalog/op.hpp"

#include <gtest/gtest.h>

#include <set>

namespace engine::catalog {
namespace {

TEST(Table, EveryRowIsComplete) {
  for (const OpInfo& row : operations()) {
    EXPECT_FALSE(row.identifier.empty());
    EXPECT_FALSE(row.spelling.names.empty()) << row.identifier;
    EXPECT_FALSE(row.meaning.empty()) << row.identifier;
    EXPECT_EQ(row.oracle.numpy.empty(), row.id == Op::Complex) << row.identifier;  // which NumPy has no function for
    EXPECT_LT(row.oracle.low, row.oracle.high) << row.identifier;
    EXPECT_EQ(row.sentence.back(), '.') << row.identifier;
    EXPECT_LE(row.arity.count, 3) << row.identifier;
  }
  for (const ReductionInfo& row : reductions()) {
    EXPECT_FALSE(row.combine.empty()) << row.identifier;
    EXPECT_EQ(row.sentence.back(), '.') << row.identifier;
  }
}

TEST(Table, NoNameIsGivenTwice) {
  std::set<std::string_view> seen;
  for (const OpInfo& row : operations())
    for (std::string_view rest = row.spelling.names; !rest.empty();) {
      const std::size_t end = rest.find('|');
      EXPECT_TRUE(seen.insert(rest.substr(0, end)).second) << rest;
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
  for (const ReductionInfo& row : reductions()) EXPECT_TRUE(seen.insert(row.name).second) << row.name;
}

TEST(LookUp, FindsEveryAliasAndNothingElse) {
  EXPECT_EQ(find_function("abs"), find_function("absolute"));
  EXPECT_EQ(find_function("mod")->id, Op::Remainder);
  EXPECT_EQ(find_function("eval"), nullptr);
  EXPECT_EQ(find_function(""), nullptr);
  EXPECT_EQ(find_infix("**")->id, Op::Power);
  EXPECT_EQ(find_prefix("-")->id, Op::Negative);
  EXPECT_EQ(find_infix("-")->id, Op::Subtract);
}

TEST(Nearest, OffersTyposAndNotOtherWords) {
  EXPECT_EQ(nearest_function("sqtr"), "sqrt");
  EXPECT_EQ(nearest_function("minimun"), "minimum");
  EXPECT_EQ(nearest_function("zzzzzz"), "");
}

}  // namespace
}  // namespace engine::catalog

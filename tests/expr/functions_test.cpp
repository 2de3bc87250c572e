// The catalog as data, and what this build can use.
#include <gtest/gtest.h>
#include <engine/engine.hpp>

#include <set>
#include <string>

namespace engine {
namespace {

TEST(Functions, AreFoundByEveryNameTheyHave) {
  ASSERT_NE(find_function("hypot"), nullptr);
  EXPECT_EQ(find_function("asin"), find_function("arcsin"));
  EXPECT_EQ(find_function("bitwise_invert")->name, "invert");
  EXPECT_EQ(find_function("var")->kind, "reduction");
  EXPECT_EQ(find_function("float16")->kind, "cast");
  EXPECT_EQ(find_function("pi")->kind, "constant");
  for (const char* absent : {"", "eval", "arcsi", "invert|bitwise_not", "bitwise_not|bitwise_invert"})
    EXPECT_EQ(find_function(absent), nullptr) << absent;
}

TEST(Functions, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const Function& row : functions()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.sentence.empty()) << row.name;
  }
  EXPECT_EQ(names.size(), n_functions());
}

TEST(Functions, CanAllBeCalledInATextByEachOfTheirNames) {
  for (const Function& row : functions()) {
    if (row.kind == "constant") continue;
    std::string names(row.name);
    if (!row.aliases.empty()) names += "|" + std::string(row.aliases);
    for (std::size_t at = 0; at < names.size();) {
      const std::size_t end = std::min(names.find('|', at), names.size());
      std::string text = names.substr(at, end - at) + "(";
      std::string_view rest = row.arguments;
      for (bool first = true; !rest.empty(); first = false) {
        const std::size_t comma = std::min(rest.find(", "), rest.size());
        if (rest.substr(0, comma).find('=') == std::string_view::npos) text += first ? "x" : ", x";
        rest.remove_prefix(std::min(comma + 2, rest.size()));
      }
      EXPECT_NO_THROW(compile(text + ")")) << text;
      at = end + 1;
    }
  }
}

TEST(Backends, AreProbedAsTheyAreListed) {
  for (const Backend& backend : backends()) {
    const Availability found = probe(backend.choice);
    EXPECT_EQ(found.usable, backend.usable);
    EXPECT_EQ(found.reason, backend.reason);
    EXPECT_EQ(found.help.empty(), found.usable);
    Options options;
    options.backend = backend.choice;
    if (found.usable)
      EXPECT_NO_THROW(compile("a + 1", options));
    else
      EXPECT_THROW(compile("a + 1", options), BackendError);
  }
  EXPECT_TRUE(probe(BackendChoice::Auto).usable);
}

}  // namespace
}  // namespace engine

// Writes expr_functions.hpp and expr_functions.cpp of engine/ from the catalog:
//   build/dev/tests/expr/make_expr_functions engine/include/engine/expr_functions.hpp engine/expr_functions.cpp
// With --check before the files: exit status 1 unless they are what would be written.
#include <engine/functions.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using engine::Function;

/// The keywords that struct Over holds, where they may be left out.
constexpr std::string_view kOver[] = {"axis=None",  "axis=-1", "keepdims=False",  "dtype=None",          "initial=None",
                                      "where=True", "ddof=0",  "exclusive=False", "boundary='constant'", "cval=0"};

std::vector<std::string_view> split(std::string_view list, std::string_view separator) {
  std::vector<std::string_view> parts;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(separator), list.size());
    parts.push_back(list.substr(0, end));
    list.remove_prefix(std::min(end + separator.size(), list.size()));
  }
  return parts;
}

/// "bool" is a word of C++.
std::string cpp_name(std::string_view name) { return std::string(name) + (name == "bool" ? "_" : ""); }

std::string default_value(std::string_view text) { return text == "False" ? "false" : text == "True" ? "true" : std::string(text); }

struct Pages {
  std::string declarations, definitions;
};

/// One function of C++, of the first `count` parameters, `with_defaults` or all to be given.
void define(Pages& pages, std::string_view name, const std::vector<std::string_view>& items, std::size_t count, bool with_defaults,
            bool is_over) {
  std::string parameters, defaulted, arguments;
  const auto add = [](std::string& list, const std::string& item) { list += (list.empty() ? "" : ", ") + item; };
  for (std::string_view item : std::vector(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(count))) {
    const std::size_t equals = std::min(item.find('='), item.size());
    const std::string parameter(item.substr(0, equals));
    const bool has_default = with_defaults && equals < item.size();
    add(parameters, "const Expr& " + parameter);
    add(defaulted, "const Expr& " + parameter + (has_default ? " = " + default_value(item.substr(equals + 1)) : ""));
    add(arguments, parameter);
  }
  if (is_over) add(parameters, "const Over& how"), add(defaulted, "const Over& how = {}");
  pages.declarations += "Expr " + cpp_name(name) + "(" + defaulted + ");\n";
  pages.definitions += "Expr " + cpp_name(name) + "(" + parameters + ") { return call(\"" + std::string(name) + "\", {" + arguments + "}" +
                       (is_over ? ", how" : "") + "); }\n";
}

/// C++ has no None: parameters that default to it are all given or all left out.
void define(Pages& pages, const Function& row, std::string_view name) {
  std::vector<std::string_view> items;
  bool is_over = false;
  for (std::string_view item : split(row.arguments, ", ")) {
    if (std::find(std::begin(kOver), std::end(kOver), item) != std::end(kOver))
      is_over = true;
    else if (item != "range=None")  // a pair, which C++ has no form for: texts do
      items.push_back(item);
  }
  const auto none = std::find_if(items.begin(), items.end(), [](std::string_view item) { return item.ends_with("=None"); });
  define(pages, name, items, static_cast<std::size_t>(none - items.begin()), true, is_over);
  if (none != items.end()) define(pages, name, items, items.size(), false, is_over);
}

Pages make_pages() {
  const std::string made =
      "// Made from the catalog by tools/make_expr_functions.cpp: not to be changed by hand. Casts carry the name of their dtype;\n"
      "// that of bool is bool_.\n";
  Pages pages;
  pages.declarations = "// engine/expr_functions.hpp - every function of the catalog as a function of Exprs, under all its names.\n" +
                       made +
                       "//\n"
                       "//     hypot(x, y), sum(a, {.axis = 0}), where(a > 0, a, -a), float32(a)\n"
                       "#pragma once\n\n"
                       "#include <engine/expr.hpp>\n\n"
                       "// clang-format off\n"
                       "namespace engine ENGINE_API {\n\n";
  pages.definitions = "// expr_functions.cpp - what engine/expr_functions.hpp declares: calls by name.\n" + made +
                      "#include <engine/expr_functions.hpp>\n\n"
                      "// clang-format off\n"
                      "namespace engine {\n\n";
  for (const Function& row : engine::functions()) {
    if (row.kind == "constant") continue;
    pages.declarations += "/// " + std::string(row.sentence) + "\n";
    if (row.name == "index") {  // its axis is no reduction's
      pages.declarations += "Expr index();\nExpr index(int axis);\n";
      pages.definitions += "Expr index() { return call(\"index\", {}); }\nExpr index(int axis) { return call(\"index\", {axis}); }\n";
      continue;
    }
    define(pages, row, row.name);
    for (std::string_view alias : split(row.aliases, "|")) define(pages, row, alias);
  }
  pages.declarations += "\n}  // namespace engine ENGINE_API\n// clang-format on\n";
  pages.definitions += "\n}  // namespace engine\n// clang-format on\n";
  return pages;
}

bool holds(const char* path, const std::string& page) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {}) == page;
}

bool write(const char* path, const std::string& page) {
  std::ofstream file(path, std::ios::binary);
  return static_cast<bool>(file << page << std::flush);
}

}  // namespace

int main(int argc, char** argv) {
  const bool check = argc == 4 && std::string_view(argv[1]) == "--check";
  if (!check && argc != 3) {
    std::fprintf(stderr, "usage: %s [--check] HEADER SOURCE\n", argv[0]);
    return 2;
  }
  const Pages pages = make_pages();
  const char* const header = argv[argc - 2];
  const char* const source = argv[argc - 1];
  const auto each = check ? holds : write;
  if (each(header, pages.declarations) && each(source, pages.definitions)) return 0;
  if (check)
    std::fprintf(stderr, "not what the catalog says; write them anew: %s %s %s\n", argv[0], header, source);
  else
    std::fprintf(stderr, "cannot write %s or %s\n", header, source);
  return 1;
}

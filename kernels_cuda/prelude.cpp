// kernels_cuda/prelude.cpp - see prelude.hpp.
//
// The files are our own and formatted by one rule, so lines are enough: a declaration starts at a line without indentation,
// ends at the line on which its braces are closed by `}` or `;`, and stands in the namespace opened last.
#include "kernels_cuda/prelude.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace engine::cuda {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// Calls visit(identifier, end) for each, in order.
template <class Visit>
void identifiers(std::string_view text, Visit visit) {
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_word(text[end])) ++end;
    if (!std::isdigit(static_cast<unsigned char>(text[at]))) visit(text.substr(at, end - at), end);
    at = end;
  }
}

bool mentions(std::string_view text, std::string_view word) {
  bool found = false;
  identifiers(text, [&](std::string_view name, std::size_t) { found |= name == word; });
  return found;
}

struct Declaration {
  std::string text;
  std::string_view space;                    ///< namespace; empty of macros
  bool of_complex = false, of_half = false;  ///< an overload or specialisation for them
};

/// What comes before the body or the value.
std::string_view signature_of(std::string_view text) { return text.substr(0, text.find('{')); }

/// The name that a declaration gives: of a macro, a type, a variable or alias (before `=`), a function (before its parameters).
/// No two variables share a declaration but for those that are always used together.
std::string_view name_of(std::string_view text) {
  const std::string_view head = signature_of(text);
  if (head.starts_with("#define ")) {
    std::size_t end = 8;
    while (end < head.size() && is_word(head[end])) ++end;
    return head.substr(8, end - 8);
  }
  std::string_view previous, name;
  // Template arguments are not names; `template <…>` and requires-clauses come first.
  int angle = 0, square = 0;
  std::size_t at = 0;
  while (at < head.size()) {
    const char c = head[at];
    if (is_word(c)) {
      std::size_t end = at;
      while (end < head.size() && is_word(head[end])) ++end;
      if (angle == 0 && square == 0) {
        previous = name;
        name = head.substr(at, end - at);
        if (previous == "struct") return name;
      }
      at = name == "alignas" ? head.find(')', end) + 1 : end;
      continue;
    }
    angle += (c == '<') - (c == '>');
    square += (c == '[') - (c == ']');
    if (angle == 0 && square == 0 && (c == '=' || c == '(')) return name;
    ++at;
  }
  return name;
}

class Library {
 public:
  Library() {
    for (std::size_t i = 0; i < kDeviceFileCount; ++i) read(kDeviceFiles[i]);
    for (std::uint32_t i = 0; i < declarations_.size(); ++i) {
      Declaration& declaration = declarations_[i];
      const std::string_view head = signature_of(declaration.text), name = name_of(declaration.text);
      declaration.of_complex = name != "Complex" && mentions(head, "Complex");
      declaration.of_half = name != "Half" && mentions(head, "Half");
      by_name_[name].push_back(i);
    }
    // What is there for them alone, and so only named where they are, is no overload to be left out.
    for (const auto& [name, all] : by_name_) {
      const auto every = [&](auto member) {
        return std::all_of(all.begin(), all.end(), [&](std::uint32_t i) { return declarations_[i].*member; });
      };
      for (const auto member : {&Declaration::of_complex, &Declaration::of_half})
        if (every(member))
          for (std::uint32_t i : all) declarations_[i].*member = false;
    }
  }

  std::string pick(std::string_view text, PreludeTypes types) const {
    std::vector<bool> used(declarations_.size(), false);
    std::vector<std::uint32_t> open;
    const auto need = [&](std::string_view from) {
      identifiers(from, [&](std::string_view name, std::size_t) {
        const auto found = by_name_.find(name);
        if (found == by_name_.end()) return;
        for (std::uint32_t i : found->second) {
          const Declaration& declaration = declarations_[i];
          if (used[i] || (declaration.of_complex && !types.complex) || (declaration.of_half && !types.half)) continue;
          used[i] = true;
          open.push_back(i);
        }
      });
    };
    need(text);
    while (!open.empty()) {
      const std::uint32_t next = open.back();
      open.pop_back();
      need(declarations_[next].text);
    }
    std::string prelude;
    std::string_view space;
    for (std::size_t i = 0; i < used.size(); ++i) {
      if (!used[i]) continue;
      const Declaration& declaration = declarations_[i];
      if (declaration.space != space) {
        if (!space.empty()) prelude += "}\n";
        space = declaration.space;
        if (!space.empty()) prelude.append("namespace ").append(space).append(" {\n");
      }
      prelude += declaration.text;
    }
    if (!space.empty()) prelude += "}\n";
    return prelude;
  }

 private:
  void read(std::string_view file) {
    std::string_view space;
    std::string open;  // the lines of a declaration that is not complete
    int depth = 0;
    bool skipped = false, conditional = false;
    while (!file.empty()) {
      std::string_view line = file.substr(0, file.find('\n'));
      file.remove_prefix(std::min(file.size(), line.size() + 1));
      line = line.substr(0, line.find("//"));
      while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
      if (line.empty()) continue;
      if (line.starts_with("#if")) {
        conditional = true;  // each asks whether this is the device's compiler
        skipped = line.find('!') != std::string_view::npos;
        continue;
      }
      if (conditional && line.starts_with("#else")) {
        skipped = !skipped;
        continue;
      }
      if (conditional && line.starts_with("#endif")) {
        conditional = skipped = false;
        continue;
      }
      if (skipped || line.starts_with("#pragma once") || line.starts_with("#include")) continue;
      if (line.starts_with("#define")) {
        declarations_.push_back({std::string(line) + "\n", {}});
        continue;
      }
      if (open.empty() && line.starts_with("namespace ") && line.ends_with(" {")) {
        space = line.substr(10, line.size() - 12);
        continue;
      }
      if (open.empty() && line == "}") continue;  // of the namespace
      open.append(line).append("\n");
      for (char c : line) depth += (c == '{') - (c == '}');
      if (depth == 0 && (line.back() == ';' || line.back() == '}')) {
        declarations_.push_back({std::move(open), space});
        open.clear();
      }
    }
  }

  std::vector<Declaration> declarations_;
  std::unordered_map<std::string_view, std::vector<std::uint32_t>> by_name_;
};

}  // namespace

std::string prelude_for(std::string_view text, PreludeTypes types) {
  static const Library library;
  return library.pick(text, types);
}

}  // namespace engine::cuda

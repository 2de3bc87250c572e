// frontend/lexer.hpp - characters -> tokens with spans, one at a time.
#pragma once

#include <string_view>

#include "engine/frontend/token.hpp"

namespace engine::frontend {

/// Python's tokens as far as contract §1 uses them. Comments, blanks, line breaks inside brackets and escaped line breaks
/// are skipped. Throws ParseError, and LimitError for integers beyond 64 bits.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Token next();

 private:
  Token number();
  Token word();
  Token string(std::size_t begin);
  Token symbol();
  Token make(Tok kind, std::size_t begin) const;
  [[noreturn]] void fail(std::size_t begin, std::size_t end, std::string what, std::string label, std::string help) const;
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

  std::string_view text_;
  std::size_t pos_ = 0;
  int depth_ = 0;  // of brackets: line breaks inside them are blanks
};

/// Whether a name may be spelled so: not a keyword.
bool is_keyword(std::string_view word) noexcept;

}  // namespace engine::frontend

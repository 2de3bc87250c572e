// frontend/token.hpp - what the lexer gives the parser.
#pragma once

#include <cstdint>
#include <engine/error.hpp>

#include "engine/catalog/op.hpp"

namespace engine::frontend {

enum class Tok : std::uint8_t {
  End,
  Newline,  // Newline: a line break outside brackets, or ';'
  Integer,
  Float,
  Imaginary,
  String,
  Name,
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  Comma,
  Colon,
  Dot,
  Ellipsis,
  Assign,
  Augmented,  // '=' and 'op='
  Operator,   // anything with a binding power, words included
  True,
  False,
  None,
  If,
  Else,
};

struct Token {
  Tok kind = Tok::End;
  Span span;
  const catalog::OpInfo* infix = nullptr;   ///< Operator: as an infix; Augmented: the operation
  const catalog::OpInfo* prefix = nullptr;  ///< Operator: as a prefix
  union {
    std::uint64_t integer = 0;  ///< Integer
    double real;                ///< Float, Imaginary
  };
};

}  // namespace engine::frontend

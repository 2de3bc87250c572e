// frontend/lexer.cpp - see lexer.hpp. Lexical grammar: the Python Language Reference, section 2.
#include "engine/frontend/lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <string>

namespace engine::frontend {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// Bytes of UTF-8 sequences count as letters, so names may be in any script.
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
constexpr std::array<bool, 256> kInWords = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 256; ++c) table[static_cast<std::size_t>(c)] = is_letter(static_cast<char>(c)) || (c >= '0' && c <= '9');
  return table;
}();
/// A letter or a digit.
bool is_in_word(char c) { return kInWords[static_cast<unsigned char>(c)]; }

int digit_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

struct Symbol {
  std::string_view text;
  const catalog::OpInfo* infix;
  const catalog::OpInfo* prefix;
};

/// The operators of the catalog that are not words, by their first character, longer ones first.
struct Symbols {
  Symbol rows[128][6] = {};
  Symbols() {
    for (const catalog::OpInfo& row : catalog::operations()) {
      const std::string_view text = row.spelling.symbol;
      if (text.empty() || is_letter(text[0])) continue;
      Symbol* list = rows[static_cast<unsigned char>(text[0])];
      Symbol* place = list;
      while (!place->text.empty() && place->text != text) ++place;
      place->text = text;
      (row.spelling.form == catalog::Spelling::Form::Prefix ? place->prefix : place->infix) = &row;
    }
    for (auto& list : rows)
      std::stable_sort(std::begin(list), std::end(list), [](const Symbol& a, const Symbol& b) { return a.text.size() > b.text.size(); });
  }
};
const Symbols& symbols() {
  static const Symbols table;
  return table;
}

struct Word {
  std::string_view text;
  Tok kind;
};
constexpr Word kWords[] = {{"True", Tok::True}, {"False", Tok::False}, {"None", Tok::None}, {"if", Tok::If}, {"else", Tok::Else}};

/// Python's other keywords: never names here either, so that a program means the same to both.
constexpr std::string_view kRefused[] = {"lambda", "import",   "from", "for",    "while",    "def",  "class",   "return", "yield",
                                         "await",  "async",    "try",  "except", "raise",    "with", "as",      "assert", "del",
                                         "global", "nonlocal", "pass", "break",  "continue", "elif", "finally", "is",     "in"};

bool utf8_valid(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    std::size_t n = lead < 0x80                   ? 1
                    : lead >= 0xc2 && lead < 0xe0 ? 2
                    : lead >= 0xe0 && lead < 0xf0 ? 3
                    : lead >= 0xf0 && lead < 0xf5 ? 4
                                                  : 0;
    if (n == 0 || i + n > text.size()) return false;
    for (std::size_t k = 1; k < n; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    i += n;
  }
  return true;
}

}  // namespace

bool is_keyword(std::string_view word) noexcept {
  for (const Word& w : kWords)
    if (w.text == word) return true;
  for (std::string_view refused : kRefused)
    if (refused == word) return true;
  return word == "and" || word == "or" || word == "not";
}

Token Lexer::make(Tok kind, std::size_t begin) const {
  Token token;
  token.kind = kind;
  token.span = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(pos_)};
  return token;
}

void Lexer::fail(std::size_t begin, std::size_t end, std::string what, std::string label, std::string help) const {
  throw ParseError({.what = std::move(what),
                    .labels = {{{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)}, std::move(label)}},
                    .help = std::move(help),
                    .text = std::string(text_)});
}

Token Lexer::next() {
  while (pos_ < text_.size()) {
    const char c = text_[pos_];
    if (c == ' ' || c == '\t' || c == '\f' || c == '\r') {
      ++pos_;
    } else if (c == '#') {
      while (pos_ < text_.size() && text_[pos_] != '\n') ++pos_;
    } else if (c == '\\' && (at(pos_ + 1) == '\n' || (at(pos_ + 1) == '\r' && at(pos_ + 2) == '\n'))) {
      pos_ += at(pos_ + 1) == '\n' ? 2 : 3;
    } else if (c == '\n' && depth_ > 0) {
      ++pos_;
    } else {
      break;
    }
  }
  if (pos_ >= text_.size()) return make(Tok::End, pos_);
  const char c = text_[pos_];
  if (c == '\n' || c == ';') {
    ++pos_;
    return make(Tok::Newline, pos_ - 1);
  }
  if (is_letter(c)) return word();
  if (is_digit(c) || (c == '.' && is_digit(at(pos_ + 1)))) return number();
  if (c == '\'' || c == '"') return string(pos_);
  return symbol();
}

Token Lexer::word() {
  const std::size_t begin = pos_;
  unsigned char bits = 0;
  for (; pos_ < text_.size() && is_in_word(text_[pos_]); ++pos_) bits |= static_cast<unsigned char>(text_[pos_]);
  const bool ascii = bits < 0x80;
  const std::string_view text = text_.substr(begin, pos_ - begin);
  if (!ascii && !utf8_valid(text)) fail(begin, pos_, "the text is not valid UTF-8", "here", "pass a Python str, or UTF-8 bytes");
  if (at(pos_) == '\'' || at(pos_) == '"') {
    if (text == "b" || text == "r" || text == "u" || text == "rb" || text == "br") return string(begin);
    if (text == "f" || text == "F")
      fail(begin, pos_ + 1, "formatted strings are not part of the language", "here", "give the value a name and use the name");
  }
  if (text.size() >= 2 && text.size() <= 8) {  // as keywords are
    for (const Word& w : kWords)
      if (w.text == text) return make(w.kind, begin);
    if (text == "and" || text == "or" || text == "not") {
      Token token = make(Tok::Operator, begin);
      static const catalog::OpInfo* const words[3] = {catalog::find_infix("and"), catalog::find_infix("or"), catalog::find_prefix("not")};
      if (text == "not")
        token.prefix = words[2];
      else
        token.infix = text == "and" ? words[0] : words[1];
      return token;
    }
    for (std::string_view refused : kRefused)
      if (refused == text)
        fail(begin, pos_, fmt::format("'{}' is not part of the language", text), "here",
             refused == "is"   ? "compare values with =="
             : refused == "in" ? "compare with == and |, or use any(...)"
                               : "an expression is made of arithmetic, comparisons, calls and subscripts");
  }
  return make(Tok::Name, begin);
}

Token Lexer::string(std::size_t begin) {
  while (text_[pos_] != '\'' && text_[pos_] != '"') ++pos_;
  const char quote = text_[pos_++];
  while (pos_ < text_.size() && text_[pos_] != quote && text_[pos_] != '\n') pos_ += text_[pos_] == '\\' ? 2 : 1;
  if (pos_ >= text_.size() || text_[pos_] != quote)
    fail(begin, std::min(pos_, text_.size()), "this string is not closed", "starts here", fmt::format("end it with {}", quote));
  ++pos_;
  return make(Tok::String, begin);
}

Token Lexer::number() {
  const std::size_t begin = pos_;
  const auto trailing = [&] {
    if (pos_ >= text_.size() || !is_in_word(text_[pos_])) return;
    std::size_t end = pos_;
    while (end < text_.size() && is_in_word(text_[end])) ++end;
    fail(begin, end, fmt::format("'{}' is not a number", text_.substr(begin, end - begin)), "here",
         "a product needs its *: write 2*x, not 2x");
  };
  const auto overflow = [&] {
    while (pos_ < text_.size() && is_in_word(text_[pos_])) ++pos_;
    throw LimitError({.what = "an integer beyond 64 bits",
                      .labels = {{{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(pos_)}, "at most 18446744073709551615"}},
                      .help = "write it as a float: 1e30",
                      .text = std::string(text_)});
  };
  const char kind = static_cast<char>(at(pos_ + 1) | 0x20);
  if (text_[pos_] == '0' && (kind == 'x' || kind == 'o' || kind == 'b') && at(pos_ + 1) != '\0') {
    const unsigned base = kind == 'x' ? 16 : kind == 'o' ? 8 : 2;
    pos_ += 2;
    std::uint64_t value = 0;
    bool any = false;
    while (pos_ < text_.size()) {
      if (text_[pos_] == '_' && digit_value(at(pos_ + 1)) < static_cast<int>(base)) {
        ++pos_;
        continue;
      }
      const int digit = digit_value(text_[pos_]);
      if (digit >= static_cast<int>(base)) break;
      if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, static_cast<unsigned>(digit), &value)) overflow();
      any = true;
      ++pos_;
    }
    if (!any) fail(begin, pos_, "digits are missing", "after this", "write for example 0xFF, 0o17 or 0b101");
    trailing();
    Token token = make(Tok::Integer, begin);
    token.integer = value;
    return token;
  }
  const auto digits = [&] {
    while (is_digit(at(pos_)) || (at(pos_) == '_' && pos_ > begin && is_digit(text_[pos_ - 1]) && is_digit(at(pos_ + 1)))) ++pos_;
  };
  digits();
  bool real = false;
  if (at(pos_) == '.') {
    real = true;
    ++pos_;
    if (is_digit(at(pos_))) digits();
  }
  if ((at(pos_) | 0x20) == 'e' && (is_digit(at(pos_ + 1)) || ((at(pos_ + 1) == '+' || at(pos_ + 1) == '-') && is_digit(at(pos_ + 2))))) {
    real = true;
    pos_ += 2;
    digits();
  }
  const std::size_t end = pos_;
  const bool imaginary = (at(pos_) | 0x20) == 'j';
  if (imaginary) ++pos_;
  trailing();
  if (!real && !imaginary) {
    std::uint64_t value = 0;
    for (std::size_t i = begin; i < end; ++i) {
      if (text_[i] == '_') continue;
      if (__builtin_mul_overflow(value, 10u, &value) || __builtin_add_overflow(value, static_cast<unsigned>(text_[i] - '0'), &value))
        overflow();
    }
    if (text_[begin] == '0' && value != 0)
      fail(begin, pos_, "an integer must not start with 0", "here", "drop the zeros, or write 0o for octal");
    Token token = make(Tok::Integer, begin);
    token.integer = value;
    return token;
  }
  // from_chars is correctly rounded and knows no locale; it wants the digits without underscores.
  std::string large;
  const char* first = text_.data() + begin;
  std::size_t length = end - begin;
  if (text_.substr(begin, length).find('_') != std::string_view::npos) {
    for (std::size_t i = begin; i < end; ++i)
      if (text_[i] != '_') large += text_[i];
    first = large.data();
    length = large.size();
  }
  Token token = make(imaginary ? Tok::Imaginary : Tok::Float, begin);
  token.real = 0;
  const auto result = std::from_chars(first, first + length, token.real);
  if (result.ec == std::errc::result_out_of_range) {
    // Python gives inf and 0 for these; from_chars leaves the value alone.
    bool small_exponent = false;
    for (std::size_t i = 0; i + 1 < length; ++i) small_exponent = small_exponent || ((first[i] | 0x20) == 'e' && first[i + 1] == '-');
    token.real = small_exponent ? 0.0 : __builtin_inf();
  }
  return token;
}

Token Lexer::symbol() {
  const std::size_t begin = pos_;
  const char c = text_[pos_];
  const auto single = [&](Tok kind) {
    ++pos_;
    return make(kind, begin);
  };
  switch (c) {
    case '(':
      ++depth_;
      return single(Tok::LeftParen);
    case ')':
      depth_ -= depth_ > 0;
      return single(Tok::RightParen);
    case '[':
      ++depth_;
      return single(Tok::LeftBracket);
    case ']':
      depth_ -= depth_ > 0;
      return single(Tok::RightBracket);
    case ',':
      return single(Tok::Comma);
    case ':':
      if (at(pos_ + 1) == '=')
        fail(begin, begin + 2, "':=' is not part of the language", "here", "assign in a statement of its own: t = …; …");
      return single(Tok::Colon);
    case '.':
      if (at(pos_ + 1) == '.' && at(pos_ + 2) == '.') {
        pos_ += 3;
        return make(Tok::Ellipsis, begin);
      }
      return single(Tok::Dot);
    default:
      break;
  }
  if (static_cast<unsigned char>(c) < 128) {
    const Symbol* best = nullptr;
    const auto stands_here = [&](std::string_view symbol) {
      std::size_t same = 1;
      while (same < symbol.size() && at(pos_ + same) == symbol[same]) ++same;
      return same == symbol.size();
    };
    for (const Symbol* s = symbols().rows[static_cast<unsigned char>(c)]; !best && !s->text.empty(); ++s)
      if (stands_here(s->text)) best = s;
    if (best) {
      pos_ += best->text.size();
      // "a &= b", but "a == b" and "a <= b" are operators of their own.
      const bool comparison = best->infix && best->infix->rule == catalog::Rule::Comparison;
      if (best->infix && !comparison && at(pos_) == '=' && at(pos_ + 1) != '=') {
        ++pos_;
        Token token = make(Tok::Augmented, begin);
        token.infix = best->infix;
        return token;
      }
      if ((c == '&' || c == '|') && at(pos_) == c)
        fail(begin, pos_ + 1, fmt::format("'{0}{0}' is not an operator", c), "here",
             fmt::format("use '{}' on booleans, or the word '{}'", c, c == '&' ? "and" : "or"));
      Token token = make(Tok::Operator, begin);
      token.infix = best->infix;
      token.prefix = best->prefix;
      return token;
    }
  }
  if (c == '=') return single(Tok::Assign);
  if (c == '!') fail(begin, begin + 1, "'!' is not an operator", "here", "use 'not x' or '~x'");
  if (c == '{') fail(begin, begin + 1, "braces are not part of the language", "here", "pass sets and dictionaries from Python by name");
  if (c == '@') fail(begin, begin + 1, "matrix products are not part of the language", "here", "write sum(a[:, :, None] * b, axis=1)");
  const auto byte = static_cast<unsigned char>(c);
  fail(begin, begin + 1,
       byte < 0x20 || byte == 0x7f ? fmt::format("the character \\x{:02x} has no meaning here", byte)
                                   : fmt::format("the character '{}' has no meaning here", c),
       "here", "remove it");
}

}  // namespace engine::frontend

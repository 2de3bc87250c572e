#include "tests/emulator/ptx/cursor.hpp"

#include <cctype>

namespace standin::ptx {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%'; }

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

}  // namespace

void Cursor::skip() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '\n') {
      ++line_;
      ++at_;
    } else if (std::isspace(static_cast<unsigned char>(c))) {
      ++at_;
    } else if (text_.substr(at_, 2) == "//") {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (text_.substr(at_, 2) == "/*") {
      const int opened = line_;
      for (at_ += 2; at_ < text_.size() && text_.substr(at_, 2) != "*/"; ++at_) line_ += text_[at_] == '\n';
      if (at_ >= text_.size()) throw Error(opened, "comment without an end");
      at_ += 2;
    } else {
      return;
    }
  }
}

bool Cursor::accept(char mark) {
  if (peek() != mark) return false;
  ++at_;
  skip();
  return true;
}

void Cursor::expect(char mark) {
  if (!accept(mark)) fail(std::string("expected '") + mark + "', found '" + std::string(text_.substr(at_, 12)) + "'");
}

bool Cursor::at_word() const { return is_word(peek()) && !std::isdigit(static_cast<unsigned char>(peek())); }
bool Cursor::at_number() const { return std::isdigit(static_cast<unsigned char>(peek())) || peek() == '-'; }

std::string_view Cursor::word() {
  const std::size_t first = at_;
  while (is_word(peek())) ++at_;
  if (at_ == first) fail("expected a name, found '" + std::string(text_.substr(at_, 12)) + "'");
  const std::string_view found = text_.substr(first, at_ - first);
  skip();
  return found;
}

std::string_view Cursor::dotted() {
  const std::size_t first = at_;
  while (is_word(peek()) || peek() == '.' || (peek() == ':' && text_.substr(at_, 2) == "::")) at_ += peek() == ':' ? 2 : 1;
  if (at_ == first) fail("expected an instruction, found '" + std::string(text_.substr(at_, 12)) + "'");
  const std::string_view found = text_.substr(first, at_ - first);
  skip();
  return found;
}

std::string_view Cursor::directive() {
  const std::size_t first = at_;
  if (peek() == '.') ++at_;
  const std::size_t n = word().size();
  return text_.substr(first, n + (text_[first] == '.'));
}

/// Decimal, 0x, 0b and octal integers with an optional U; 0fXXXXXXXX and 0dXXXXXXXXXXXXXXXX; decimal floats in initialisers.
Number Cursor::number() {
  const bool negative = peek() == '-';
  if (negative) ++at_;
  const std::string_view rest = text_.substr(at_);
  int base = 10;
  std::size_t n = 0;
  OperandKind kind = OperandKind::Integer;
  std::size_t exact = 0;
  if (rest.size() > 1 && rest[0] == '0') {
    switch (rest[1]) {
      case 'x': case 'X': base = 16, n = 2; break;
      case 'b': case 'B': base = 2, n = 2; break;
      case 'f': case 'F': base = 16, n = 2, exact = 8, kind = OperandKind::Float32; break;
      case 'd': case 'D': base = 16, n = 2, exact = 16, kind = OperandKind::Float64; break;
      default: base = 8;
    }
  }
  const std::size_t first = n;
  std::uint64_t bits = 0;
  for (; n < rest.size() && digit(rest[n]) < base; ++n) bits = bits * base + digit(rest[n]);
  if (n == first || (exact && n - first != exact)) fail("malformed number '" + std::string(rest.substr(0, 20)) + "'");
  if (n < rest.size() && rest[n] == '.') fail("decimal floating-point literals are not read: write 0f or 0d");
  if (n < rest.size() && rest[n] == 'U') ++n;
  at_ += n;
  skip();
  if (negative) {
    if (kind == OperandKind::Float32) bits ^= std::uint64_t{1} << 31;
    else if (kind == OperandKind::Float64) bits ^= std::uint64_t{1} << 63;
    else bits = 0 - bits;
  }
  return {kind, bits};
}

std::int64_t Cursor::integer() {
  const Number found = number();
  if (found.kind != OperandKind::Integer) fail("expected an integer");
  return static_cast<std::int64_t>(found.bits);
}

std::string_view Cursor::string() {
  if (peek() != '"') fail("expected a string");
  const std::size_t first = ++at_;
  while (!at_end() && text_[at_] != '"') ++at_;
  if (at_end()) fail("string without an end");
  const std::string_view found = text_.substr(first, at_ - first);
  ++at_;
  skip();
  return found;
}

void Cursor::skip_line() {
  while (!at_end() && text_[at_] != '\n') ++at_;
  skip();
}

void Cursor::skip_past(char mark) {
  while (!at_end() && text_[at_] != mark) line_ += text_[at_++] == '\n';
  expect(mark);
}

}  // namespace standin::ptx

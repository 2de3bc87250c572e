// ptx/cursor.hpp - reads words, numbers and marks from PTX text and counts its lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/emulator/ptx/module.hpp"

namespace standin::ptx {

struct Number {
  OperandKind kind;  // Integer, Float32 or Float64
  std::uint64_t bits;
};

class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) { skip(); }

  int line() const { return line_; }
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool accept(char mark);
  void expect(char mark);
  /// [A-Za-z0-9_$%]+
  std::string_view word();
  /// A word with the points and colons inside it: an opcode with its modifiers.
  std::string_view dotted();
  /// A point and a word; a word alone where there is no point.
  std::string_view directive();
  bool at_word() const;
  bool at_number() const;
  Number number();
  std::int64_t integer();
  std::string_view string();
  /// Everything to the end of the line, or to the mark.
  void skip_line();
  void skip_past(char mark);
  [[noreturn]] void fail(const std::string& what) const { throw Error(line_, what); }

 private:
  void skip();

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace standin::ptx

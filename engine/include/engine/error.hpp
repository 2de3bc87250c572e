// engine/error.hpp - what can go wrong, where in the text, and how to mend it.
//
//     try {
//       evaluate("2*(a", {{"a", a}});
//     } catch (const ParseError& error) {
//       std::puts(error.what());
//     }
#pragma once

#include <cstdint>
#include <engine/export.hpp>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace engine ENGINE_API {

/// A half-open range of bytes of the text: [begin, end).
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

/// A remark that stands under a span of the text.
struct Label {
  Span span;
  std::string text;
};

/// The parts of an error's message. `text` is the expression; render() draws the labels under it.
struct Diagnostic {
  std::string what;           ///< one line: what is wrong
  std::vector<Label> labels;  ///< where, with a word on each place; the first is the main one
  std::string help;           ///< how to mend it; may be empty
  std::string text;           ///< the expression the spans point into; filled in by the outermost caller that knows it
};

/// The message as it is shown: what, the lines of the text with carets and labels, help.
///
///     cannot broadcast '2*a' with 'b'
///       | 2*a + b
///       | ^^^      shape (3, 4)
///       |       ^  shape (4, 3)
///       = help: axis 0 is 3 against 4: make them equal, or one of them 1
std::string render(const Diagnostic& diagnostic);

/// The classes of contract §7; the C ABI's codes are these numbers.
enum class ErrorKind : std::uint8_t { Parse = 1, UnknownName, DType, Shape, Range, Limit, Backend, OutOfMemory, Internal };

/// The name of the class that users see: "ParseError", "ShapeError", …
///
///     name(ErrorKind::Shape) == "ShapeError"
std::string_view name(ErrorKind kind) noexcept;

/// Base of all errors of the engine. what() is the rendered message.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, Diagnostic diagnostic);
  ErrorKind kind() const noexcept { return kind_; }
  const Diagnostic& diagnostic() const noexcept { return diagnostic_; }
  const char* what() const noexcept override { return rendered_.c_str(); }
  /// Gives the diagnostic the expression its spans point into, if it has none yet.
  void attach_text(std::string_view text);

 private:
  ErrorKind kind_;
  Diagnostic diagnostic_;
  std::string rendered_;
};

template <ErrorKind kKind>
class ErrorOf : public Error {
 public:
  explicit ErrorOf(Diagnostic diagnostic) : Error(kKind, std::move(diagnostic)) {}
};

using ParseError = ErrorOf<ErrorKind::Parse>;         ///< the text
using UnknownName = ErrorOf<ErrorKind::UnknownName>;  ///< no operand or function of that name
using DTypeError = ErrorOf<ErrorKind::DType>;         ///< types that do not combine, a cast that is forbidden
using ShapeError = ErrorOf<ErrorKind::Shape>;         ///< broadcasting, axis, out shape
using RangeError = ErrorOf<ErrorKind::Range>;         ///< a literal that does not fit, negative integer power
using LimitError = ErrorOf<ErrorKind::Limit>;         ///< a budget was exceeded
using BackendError = ErrorOf<ErrorKind::Backend>;     ///< asked-for backend not usable, and why
using OutOfMemory = ErrorOf<ErrorKind::OutOfMemory>;  ///< host or device memory
using InternalError = ErrorOf<ErrorKind::Internal>;   ///< a broken invariant; the dump is attached

/// Thrown by Execution::run when the caller's `interrupted` said so. Not an error of the expression: what had been written
/// into out and targets by then stays written.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "the evaluation was interrupted"; }
};

}  // namespace engine ENGINE_API

// bindings/cli/scalars.cpp - see scalars.hpp.
#include "scalars.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

#include "failures.hpp"

namespace engine::cli {
namespace {

/// Without the underscores, which must stand between digits.
std::optional<std::string> without_underscores(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
    } else if (i == 0 || i + 1 == text.size() || !std::isalnum(static_cast<unsigned char>(text[i - 1])) ||
               !std::isalnum(static_cast<unsigned char>(text[i + 1]))) {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<double> read_real(std::string_view text) {
  if (text.starts_with("+-") || text.find('(') != std::string_view::npos) return std::nullopt;  // "nan(0)" is C's
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // As Python: to infinity, or to zero.
    const bool tiny = text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
    value = tiny ? 0 : std::numeric_limits<double>::infinity();
    return text[0] == '-' ? -value : value;
  }
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

enum class Found { Nothing, Integer, TooLarge };

Found read_integer(std::string_view text, bool& negative, std::uint64_t& magnitude) {
  negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 2 && text[0] == '0') {
    const char kind = text[1];
    base = kind == 'x' || kind == 'X' ? 16 : kind == 'o' || kind == 'O' ? 8 : kind == 'b' || kind == 'B' ? 2 : 10;
    if (base != 10) text.remove_prefix(2);
  }
  if (text.empty()) return Found::Nothing;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (end != text.data() + text.size()) return Found::Nothing;
  return error == std::errc::result_out_of_range ? Found::TooLarge : error == std::errc() ? Found::Integer : Found::Nothing;
}

/// The place where the imaginary part of "1e-3+2e+4j" begins, or 0.
std::size_t imaginary_from(std::string_view text) {
  for (std::size_t i = text.size(); i-- > 1;)
    if ((text[i] == '+' || text[i] == '-') && text[i - 1] != 'e' && text[i - 1] != 'E') return i;
  return 0;
}

}  // namespace

Operand read_scalar(std::string_view given, const std::string& name) {
  Operand operand;
  operand.present = true;
  const auto put = [&](Weak weak, const auto& value) {
    operand.weak = weak;
    std::memcpy(operand.scalar, &value, sizeof value);
  };
  const std::optional<std::string> text = without_underscores(given);
  if (text && (*text == "True" || *text == "False")) {
    put(Weak::Bool, static_cast<std::uint8_t>(*text == "True"));
    return operand;
  }
  bool negative = false;
  std::uint64_t magnitude = 0;
  const Found found = text ? read_integer(*text, negative, magnitude) : Found::Nothing;
  if (found == Found::TooLarge || (found == Found::Integer && negative && magnitude > std::uint64_t{1} << 63))
    throw LimitError(
        {.what = fmt::format("'{}' is an integer beyond 64 bits", name), .labels = {}, .help = "give it as a float", .text = {}});
  if (found == Found::Integer) {
    operand.negative = negative && magnitude > 0;
    put(Weak::Int, negative ? std::uint64_t{0} - magnitude : magnitude);
    return operand;
  }
  if (text)
    if (const auto real = read_real(*text)) {
      put(Weak::Float, *real);
      return operand;
    }
  if (text && (text->ends_with('j') || text->ends_with('J'))) {
    const std::string_view number(text->data(), text->size() - 1);
    const std::size_t split = imaginary_from(number);
    const auto re = split ? read_real(number.substr(0, split)) : std::optional(0.0);
    const auto im = read_real(number.substr(split));
    if (re && im) {
      const double parts[2] = {*re, *im};
      put(Weak::Complex, parts);
      return operand;
    }
  }
  throw UsageFailure{
      {fmt::format("-s {}={}: that is no number", name, given), "numbers are written as in Python: 3, -0x1f, 2.5e-3, inf, 1+2j, True"}};
}

}  // namespace engine::cli

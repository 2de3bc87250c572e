// bindings/cli/print.cpp - see print.hpp.
#include "print.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace engine::cli {
namespace {

// ---- numbers --------------------------------------------------------------------------------------------------------

double half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 1023;
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == 31) return mantissa ? std::nan("") : sign * HUGE_VAL;
  return sign * (exponent ? std::ldexp(1024 + mantissa, exponent - 25) : std::ldexp(mantissa, -24));
}

/// A float's digits and exponent in Python's form: 1.0, 0.001, 1e-05, 1.5e+16.
std::string python_float(std::string shortest) {
  if (shortest.find_first_of("ni") != std::string::npos) return shortest;  // nan, inf
  if (shortest.find_first_of(".e") == std::string::npos) shortest += ".0";
  return shortest;
}

template <class T>
std::string shortest(T value) {
  if (std::isnan(value)) return "nan";  // of whatever sign
  return python_float(fmt::format("{}", value));
}

/// The fewest digits that lie closer to it than to its neighbours.
std::string shortest_half(std::uint16_t bits) {
  const double value = half(bits);
  if (!std::isfinite(value)) return shortest(value);
  const auto magnitude = static_cast<std::uint16_t>(bits & 0x7fff);
  const double a = std::abs(value), above = magnitude == 0x7bff ? 65536 : half(static_cast<std::uint16_t>(magnitude + 1));
  const double below = magnitude ? half(static_cast<std::uint16_t>(magnitude - 1)) : 0;
  for (int digits = 1; digits < 6; ++digits) {
    double read = 0;
    const std::string text = fmt::format("{:.{}e}", a, digits - 1);
    std::from_chars(text.data(), text.data() + text.size(), read);
    if (std::abs(read - a) < (above - a) / 2 && (magnitude == 0 || std::abs(read - a) < (a - below) / 2))
      return shortest(std::copysign(read, value));
  }
  return shortest(value);
}

template <class T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <class T>
std::string complex_text(const char* at) {
  const T re = load<T>(at), im = load<T>(at + sizeof(T));
  const std::string imaginary = std::isnan(im) ? "+nan" : fmt::format("{:+}", im);
  if (re == 0 && !std::signbit(re)) return imaginary.substr(imaginary[0] == '+') + "j";
  return fmt::format("({}{}j)", std::isnan(re) ? "nan" : fmt::format("{}", re), imaginary);
}

std::string element_text(DType dtype, const char* at) {
  switch (dtype) {
    case DType::Bool:
      return *at ? "True" : "False";
    case DType::Int8:
      return fmt::format("{}", static_cast<int>(load<std::int8_t>(at)));
    case DType::UInt8:
      return fmt::format("{}", static_cast<int>(load<std::uint8_t>(at)));
    case DType::Int16:
      return fmt::format("{}", load<std::int16_t>(at));
    case DType::UInt16:
      return fmt::format("{}", load<std::uint16_t>(at));
    case DType::Int32:
      return fmt::format("{}", load<std::int32_t>(at));
    case DType::UInt32:
      return fmt::format("{}", load<std::uint32_t>(at));
    case DType::Int64:
      return fmt::format("{}", load<std::int64_t>(at));
    case DType::UInt64:
      return fmt::format("{}", load<std::uint64_t>(at));
    case DType::Float16:
      return shortest_half(load<std::uint16_t>(at));
    case DType::Float32:
      return shortest(load<float>(at));
    case DType::Float64:
      return shortest(load<double>(at));
    case DType::Complex64:
      return complex_text<float>(at);
    case DType::Complex128:
      return complex_text<double>(at);
  }
  return {};
}

Json real_json(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

Json element_json(DType dtype, const char* at) {
  switch (dtype) {
    case DType::Bool:
      return *at != 0;
    case DType::Int8:
      return load<std::int8_t>(at);
    case DType::UInt8:
      return load<std::uint8_t>(at);
    case DType::Int16:
      return load<std::int16_t>(at);
    case DType::UInt16:
      return load<std::uint16_t>(at);
    case DType::Int32:
      return load<std::int32_t>(at);
    case DType::UInt32:
      return load<std::uint32_t>(at);
    case DType::Int64:
      return load<std::int64_t>(at);
    case DType::UInt64:
      return load<std::uint64_t>(at);
    case DType::Float16:
      return real_json(half(load<std::uint16_t>(at)));
    case DType::Float32:
      return real_json(load<float>(at));
    case DType::Float64:
      return real_json(load<double>(at));
    case DType::Complex64:
      return Json::array({real_json(load<float>(at)), real_json(load<float>(at + 4))});
    case DType::Complex128:
      return Json::array({real_json(load<double>(at)), real_json(load<double>(at + 8))});
  }
  return {};
}

// ---- arrays ---------------------------------------------------------------------------------------------------------

/// Of each axis of a large array so many at either end are shown.
constexpr std::int64_t kEnds = 3;

void write_axis(const ArrayView& array, int axis, const char* at, bool whole, std::string& out) {
  if (axis == array.shape.size()) {
    out += element_text(array.dtype, at);
    return;
  }
  const bool innermost = axis + 1 == array.shape.size();
  const std::string separator = innermost ? ", " : ",\n" + std::string(static_cast<std::size_t>(axis) + 1, ' ');
  out += '[';
  const std::int64_t extent = array.shape[axis];
  for (std::int64_t i = 0; i < extent; ++i) {
    if (i > 0) out += separator;
    if (!whole && extent > 2 * kEnds && i == kEnds) {
      out += "..." + separator;
      i = extent - kEnds;
    }
    write_axis(array, axis + 1, at + i * array.strides[axis], whole, out);
  }
  out += ']';
}

Json axis_json(const ArrayView& array, int axis, const char* at) {
  if (axis == array.shape.size()) return element_json(array.dtype, at);
  Json list = Json::array();
  for (std::int64_t i = 0; i < array.shape[axis]; ++i) list.push_back(axis_json(array, axis + 1, at + i * array.strides[axis]));
  return list;
}

}  // namespace

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::string array_text(const ArrayView& array) {
  std::string out;
  write_axis(array, 0, static_cast<const char*>(array.data), n_items(array.shape) <= kPrintedWhole, out);
  return out;
}

Json array_json(const ArrayView& array) { return axis_json(array, 0, static_cast<const char*>(array.data)); }

// ---- errors ---------------------------------------------------------------------------------------------------------

std::string error_text(std::string_view name, std::string_view rendered, bool colour) {
  if (!colour) return fmt::format("{}: {}", name, rendered);
  constexpr std::string_view kRed = "\x1b[1;31m", kBold = "\x1b[1m", kCyan = "\x1b[36m", kPlain = "\x1b[0m", kBar = "  | ";
  std::string out = fmt::format("{}{}:{} ", kRed, name, kPlain);
  bool after_text = false;  // of the lines with a bar, the first is the expression
  for (std::size_t at = 0, line = 0; at <= rendered.size(); ++line) {
    const std::size_t end = std::min(rendered.find('\n', at), rendered.size());
    const std::string_view text = rendered.substr(at, end - at);
    const std::size_t caret = text.find_first_not_of(' ', kBar.size());
    if (line > 0) out += '\n';
    if (line == 0) {
      out += fmt::format("{}{}{}", kBold, text, kPlain);
    } else if (text.starts_with(kBar) && after_text && caret != std::string_view::npos && text[caret] == '^') {
      out += fmt::format("{}{}{}{}", text.substr(0, caret), kRed, text.substr(caret), kPlain);
    } else if (text.starts_with("  = help:")) {
      out += fmt::format("{}{}{}", kCyan, text, kPlain);
    } else {
      out += text;
      after_text = text.starts_with(kBar);
    }
    at = end + 1;
  }
  return out;
}

Json error_json(std::string_view name, int exit_code, const Diagnostic& d, std::string_view rendered) {
  Json spans = Json::array();
  for (const Label& label : d.labels) spans.push_back({{"begin", label.span.begin}, {"end", label.span.end}, {"label", label.text}});
  return {{"error",
           {{"class", name},
            {"exit_code", exit_code},
            {"what", d.what},
            {"help", d.help},
            {"expression", d.text},
            {"spans", spans},
            {"message", rendered}}}};
}

std::string json_text(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace); }

}  // namespace engine::cli

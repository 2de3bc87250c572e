// base/json.hpp - strings as JSON has them; everything else of JSON is plain formatting.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace engine {

/// The text in quotes, escaped. Text that is not UTF-8 stays as it is.
inline std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace engine

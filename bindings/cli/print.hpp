// bindings/cli/print.hpp - arrays and errors as people and programs read them.
#pragma once

#include <engine/array.hpp>
#include <engine/error.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace engine::cli {

using Json = nlohmann::ordered_json;

/// To standard output; whether all of it arrived is seen at the end, by ferror().
void print(const std::string& text);

/// Up to so many elements an array is printed whole; of larger ones, the ends of each axis.
inline constexpr std::int64_t kPrintedWhole = 1000;

/// As Python writes nested lists: shortest digits that read back as the same number.
std::string array_text(const ArrayView& array);

/// Nested lists. A complex number is [real, imaginary]; "nan", "inf" and "-inf" are strings, for JSON has no such numbers.
Json array_json(const ArrayView& array);

/// "ShapeError: …" with the text and its carets; in colour for terminals.
std::string error_text(std::string_view name, std::string_view rendered, bool colour);
Json error_json(std::string_view name, int exit_code, const Diagnostic& diagnostic, std::string_view rendered);

/// JSON on lines of its own. Bytes that are no UTF-8 are replaced.
std::string json_text(const Json& json);

}  // namespace engine::cli

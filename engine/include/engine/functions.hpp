// engine/functions.hpp - the catalog as read-only data, and derivatives made from it.
#pragma once

#include <cstddef>
#include <engine/export.hpp>
#include <engine/options.hpp>
#include <span>
#include <string>
#include <string_view>

namespace engine ENGINE_API {

/// One row of the catalog, for help and documentation.
struct Function {
  std::string_view name;       ///< "hypot"
  std::string_view arguments;  ///< "x, y"; those that may be left out with their default: "a, decimals=0"
  std::string_view sentence;
  std::string_view oracle;     ///< NumPy's name: "hypot", "frexp[0]", "scipy.special.erf"; empty where it has none
  double ulp;                  ///< largest error against NumPy, in units in the last place; 0: the same bits
  std::string_view kind;       ///< "elementwise", "reduction", "ordered" (along an axis), "cast", "constant"
  double low = 0, high = 1;    ///< the range of arguments over which the accuracy is tested
  std::string_view aliases{};  ///< its other names: "asin", or "bitwise_not|bitwise_invert"
  std::string_view symbol{};   ///< the operator it also is: "+", "and"
};

/// All rows: operations, reductions, functions that stand for texts, casts, constants. They live as long as the process.
///
///     for (const Function& row : functions()) std::printf("%s\n", row.name.data());
std::span<const Function> functions();

/// The row of that name or alias, or null.
///
///     find_function("asin")->name == "arcsin"
const Function* find_function(std::string_view name);

/// Number and rows of functions(), one at a time.
///
///     function(0).name == "add"
std::size_t n_functions() noexcept;
Function function(std::size_t index) noexcept;

/// The derivative of an expression with respect to one of its names, as a text in the same language, simplified: as every
/// element of `wrt` grows alike, so elementwise the partial derivative, under a sum the sum of them.
/// Throws ParseError (where no derivative is known, or operands are written), UnknownName (wrt is not used), LimitError.
///
///     gradient("sin(a)*b", "a") == "b * cos(a)"
std::string gradient(std::string_view text, std::string_view wrt, const Options& options = {});

}  // namespace engine ENGINE_API

// catalog/op.cpp - the table itself, and look-up in it.
#include "engine/catalog/op.hpp"

#include <algorithm>

namespace engine::catalog {
namespace {

constexpr std::array<OpInfo, kOps> kOperations{{
#define OP(NAME, SPELLING, ARITY, RULE, MEANING, LOWERING, GRADIENT, ORACLE, SENTENCE, ...) \
  OpInfo{Op::NAME, #NAME, SPELLING, ARITY, RULE, #MEANING, LOWERING, GRADIENT, ORACLE, SENTENCE __VA_OPT__(, ) __VA_ARGS__},
#include "engine/catalog/elementwise.def"
#undef OP
}};

constexpr std::array<ReductionInfo, kReductions> kReductionTable{{
#define REDUCTION(NAME, CALL, KERNEL, ACCUMULATOR, IDENTITY, COMBINE, ORACLE, SENTENCE) \
  ReductionInfo{Reduction::NAME, #NAME, CALL, Reduction::KERNEL, ACCUMULATOR, IDENTITY, #COMBINE, ORACLE, SENTENCE},
#include "engine/catalog/reduction.def"
#undef REDUCTION
}};

constexpr std::array<OrderedInfo, kOrdered> kOrderedTable{{
#define ORDERED(NAME, CALL, FORM, COMBINE, ACCUMULATOR, PARAMETERS, ORACLE, SENTENCE) \
  OrderedInfo{Ordered::NAME, #NAME, CALL, FORM, Reduction::COMBINE, ACCUMULATOR, PARAMETERS, ORACLE, SENTENCE},
#include "engine/catalog/ordered.def"
#undef ORDERED
}};

constexpr std::array<DerivedInfo, kDerived> kDerivedTable{{
#define DERIVED(NAME, PARAMETERS, TEXT, ORACLE, SENTENCE) DerivedInfo{NAME, PARAMETERS, TEXT, ORACLE, SENTENCE},
#include "engine/catalog/derived.def"
#undef DERIVED
}};

constexpr ConstantInfo kConstants[] = {
#define CONSTANT(NAME, VALUE, SENTENCE) {NAME, VALUE, SENTENCE},
#include "engine/catalog/constants.def"
#undef CONSTANT
};

struct Named {
  std::string_view name;
  const OpInfo* op;
};

/// Calls visit(name, row) for all call names.
template <class Visit>
constexpr void each_name(Visit visit) {
  for (const OpInfo& row : kOperations)
    for (std::string_view rest = row.spelling.names; !rest.empty();) {
      const std::size_t end = rest.find('|');
      visit(rest.substr(0, end), &row);
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
}
constexpr std::size_t kNames = [] {
  std::size_t n = 0;
  each_name([&](std::string_view, const OpInfo*) { ++n; });
  return n;
}();

/// All call names, sorted. Of the compiler's making, like the rows: looking a name up needs no memory.
constexpr std::array<Named, kNames> kSorted = [] {
  std::array<Named, kNames> list{};
  std::size_t n = 0;
  each_name([&](std::string_view name, const OpInfo* row) { list[n++] = {name, row}; });
  std::sort(list.begin(), list.end(), [](const Named& a, const Named& b) { return a.name < b.name; });
  return list;
}();

/// What may be called: operations, reductions, what is along an axis, derived functions, casts.
constexpr auto kCallable = [] {
  std::array<std::string_view, kNames + kReductions + kOrdered + kDerived + kDTypes> list{};
  std::size_t n = 0;
  for (const Named& named : kSorted) list[n++] = named.name;
  for (const ReductionInfo& row : kReductionTable) list[n++] = row.name;
  for (const OrderedInfo& row : kOrderedTable) list[n++] = row.name;
  for (const DerivedInfo& row : kDerivedTable) list[n++] = row.name;
  for (const DTypeInfo& dtype : kDTypeInfo) list[n++] = dtype.name;
  return list;
}();

}  // namespace

const OpInfo& info(Op op) noexcept { return kOperations[static_cast<std::size_t>(op)]; }
const ReductionInfo& info(Reduction reduction) noexcept { return kReductionTable[static_cast<std::size_t>(reduction)]; }
const OrderedInfo& info(Ordered ordered) noexcept { return kOrderedTable[static_cast<std::size_t>(ordered)]; }
const std::array<OpInfo, kOps>& operations() noexcept { return kOperations; }
const std::array<ReductionInfo, kReductions>& reductions() noexcept { return kReductionTable; }
const std::array<OrderedInfo, kOrdered>& ordered() noexcept { return kOrderedTable; }

const OpInfo* find_function(std::string_view name) noexcept {
  const auto it = std::lower_bound(kSorted.begin(), kSorted.end(), name, [](const Named& a, std::string_view b) { return a.name < b; });
  return it != kSorted.end() && it->name == name ? it->op : nullptr;
}

const ReductionInfo* find_reduction(std::string_view name) noexcept {
  for (const ReductionInfo& row : kReductionTable)
    if (row.name == name) return &row;
  return nullptr;
}

const OrderedInfo* find_ordered(std::string_view name) noexcept {
  for (const OrderedInfo& row : kOrderedTable)
    if (row.name == name) return &row;
  return nullptr;
}

std::string_view parameters(const ReductionInfo& row) noexcept {
  switch (row.id) {
    case Reduction::Sum:
    case Reduction::Prod:
      return "x, axis=None, keepdims=False, dtype=None, initial=None, where=True";
    case Reduction::Min:
    case Reduction::Max:
    case Reduction::Nanmin:
    case Reduction::Nanmax:
      return "x, axis=None, keepdims=False, initial=None, where=True";
    case Reduction::Mean:
      return "x, axis=None, keepdims=False, dtype=None, where=True, ddof=0";
    case Reduction::Any:
    case Reduction::All:
    case Reduction::CountNonzero:
      return "x, axis=None, keepdims=False, where=True";
    case Reduction::Var:
    case Reduction::Nanvar:
      return "a, axis=None, keepdims=False, ddof=0, dtype=None, where=True";
    default:
      return "x, axis=None, keepdims=False";
  }
}

std::string_view parameters(const OpInfo& row) noexcept {
  switch (row.id) {
    case Op::Round:
      return "a, decimals=0";
    case Op::Clip:
      return "a, min=None, max=None";
    case Op::NanToNum:
      return "x, copy=True, nan=0.0, posinf=None, neginf=None";
    default:
      return row.arity.names;
  }
}

const std::array<DerivedInfo, kDerived>& derived() noexcept { return kDerivedTable; }

const DerivedInfo* find_derived(std::string_view name) noexcept {
  for (const DerivedInfo& row : kDerivedTable)
    if (row.name == name) return &row;
  return nullptr;
}

const OpInfo* find_infix(std::string_view symbol) noexcept {
  for (const OpInfo& row : kOperations)
    if (row.spelling.symbol == symbol && (row.spelling.form == Spelling::Form::Infix || row.spelling.form == Spelling::Form::InfixRight))
      return &row;
  return nullptr;
}

const OpInfo* find_prefix(std::string_view symbol) noexcept {
  for (const OpInfo& row : kOperations)
    if (row.spelling.symbol == symbol && row.spelling.form == Spelling::Form::Prefix) return &row;
  return nullptr;
}

std::span<const ConstantInfo> constants() noexcept { return kConstants; }

bool find_constant(std::string_view name, double& value) noexcept {
  for (const ConstantInfo& constant : kConstants)
    if (constant.name == name) {
      value = constant.value;
      return true;
    }
  return false;
}

namespace {

/// Optimal string alignment distance (insertions, deletions, substitutions, neighbours swapped), or `limit` if not below.
std::size_t distance(std::string_view a, std::string_view b, std::size_t limit) {
  constexpr std::size_t kLongest = 32;
  if (a.size() > kLongest || b.size() > kLongest) return limit;
  std::size_t rows[3][kLongest + 1];
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t* now = rows[i % 3];
    const std::size_t* above = rows[(i - 1) % 3];
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({above[j] + 1, now[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], rows[(i - 2) % 3][j - 2] + 1);
    }
  }
  return std::min(rows[a.size() % 3][b.size()], limit);
}

}  // namespace

std::string_view nearest(std::string_view name, const std::string_view* candidates, std::size_t count) noexcept {
  std::string_view best;
  // One slip in three letters is a typo; more is another word.
  std::size_t limit = std::max<std::size_t>(1, (name.size() + 1) / 3) + 1;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t d = distance(name, candidates[i], limit);
    if (d >= limit || d >= std::max(name.size(), candidates[i].size())) continue;
    limit = d;
    best = candidates[i];
  }
  return best;
}

std::string_view nearest_function(std::string_view name) noexcept { return nearest(name, kCallable.data(), kCallable.size()); }

}  // namespace engine::catalog

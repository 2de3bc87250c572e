// catalog/evaluate.cpp - see evaluate.hpp.
#include "engine/catalog/evaluate.hpp"

#include <cstring>
#include <utility>

#include "engine/catalog/meaning.hpp"

namespace engine::catalog {
namespace {

template <class T, bool kAsIs = false>
auto load(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (kAsIs)
    return value;
  else
    return math::convert<Widened<T>>(value);
}
template <class T>
void save(void* to, const T& value) {
  std::memcpy(to, &value, sizeof value);
}

using Function = void (*)(const void* const*, void*);

template <Op kOp, std::size_t kLoop>
void apply_one(const void* const* in, void* out) {
  using M = Meaning<kOp>;
  constexpr Loop kSignature = loops(M::kRule)[kLoop];
  using X = Lane<kSignature.in[0]>;
  using Y = Lane<kSignature.in[1]>;
  using Z = Lane<kSignature.in[2]>;
  using R = Lane<kSignature.out>;
  const auto x = load<X, M::kHalf>(in[0]);
  if constexpr (M::kArity == 1) {
    save(out, math::convert<R>(M::apply(x, x, x)));
  } else if constexpr (M::kArity == 2) {
    save(out, math::convert<R>(M::apply(x, load<Y, M::kHalf>(in[1]), x)));
  } else {
    save(out, math::convert<R>(M::apply(x, load<Y, M::kHalf>(in[1]), load<Z, M::kHalf>(in[2]))));
  }
}

using Row = std::array<Function, kMaxLoops>;

template <Op kOp>
constexpr Row row() {
  Row functions{};
  if constexpr (Meaning<kOp>::kRule != Rule::Position)
    [&]<std::size_t... kLoop>(std::index_sequence<kLoop...>) {
      ((functions[kLoop] = &apply_one<kOp, kLoop>), ...);
    }(std::make_index_sequence<loops(Meaning<kOp>::kRule).size()>{});
  return functions;
}

constexpr std::array<Row, kOps> kFunctions{
#define OP(NAME, ...) row<Op::NAME>(),
#include "engine/catalog/elementwise.def"
#undef OP
};

template <std::size_t kFrom, std::size_t kTo>
void cast_one(const void* in, void* out) {
  Lane<static_cast<DType>(kFrom)> value;
  std::memcpy(&value, in, sizeof value);
  save(out, math::convert<Lane<static_cast<DType>(kTo)>>(value));
}

using Cast = void (*)(const void*, void*);
constexpr auto kCasts = []<std::size_t... kPair>(std::index_sequence<kPair...>) {
  return std::array<Cast, sizeof...(kPair)>{&cast_one<kPair / kDTypes, kPair % kDTypes>...};
}(std::make_index_sequence<kDTypes * kDTypes>{});

template <Reduction kReduction, std::size_t kDType>
void combine_one([[maybe_unused]] const void* x, [[maybe_unused]] const void* y, [[maybe_unused]] void* out) {
  if constexpr (has_moments(kReduction))
    return;  // no values are combined
  else {
    using T = Lane<static_cast<DType>(kDType)>;
    const auto result = Combination<kReduction>::apply(load<T>(x), load<T>(y));
    save(out, math::convert<T>(result));
  }
}

using Combine = void (*)(const void*, const void*, void*);
template <Reduction kReduction>
constexpr auto combines() {
  return []<std::size_t... kDType>(std::index_sequence<kDType...>) {
    return std::array<Combine, kDTypes>{&combine_one<kReduction, kDType>...};
  }(std::make_index_sequence<kDTypes>{});
}
constexpr std::array<std::array<Combine, kDTypes>, kReductions> kCombines{
#define REDUCTION(NAME, ...) combines<Reduction::NAME>(),
#include "engine/catalog/reduction.def"
#undef REDUCTION
};

}  // namespace

void apply_scalar(Op op, int loop, const void* const* in, void* out) noexcept {
  kFunctions[static_cast<std::size_t>(op)][static_cast<std::size_t>(loop)](in, out);
}

void cast_scalar(DType from, DType to, const void* in, void* out) noexcept {
  kCasts[static_cast<std::size_t>(from) * kDTypes + static_cast<std::size_t>(to)](in, out);
}

void limit_scalar(DType dtype, bool upper, void* out) noexcept {
  if (is_inexact(dtype)) {
    const double infinity[2] = {upper ? __builtin_inf() : -__builtin_inf(), upper ? __builtin_inf() : -__builtin_inf()};
    return cast_scalar(is_complex(dtype) ? DType::Complex128 : DType::Float64, dtype, infinity, out);
  }
  const std::size_t item = item_size(dtype);
  const bool is_signed = dtype == DType::Int8 || dtype == DType::Int16 || dtype == DType::Int32 || dtype == DType::Int64;
  std::uint64_t value = upper ? ~std::uint64_t{0} : 0;
  if (dtype == DType::Bool)
    value = upper;
  else if (is_signed)
    value = (std::uint64_t{1} << (8 * item - 1)) - (upper ? 1 : 0);
  std::memcpy(out, &value, item);
}

void identity_scalar(Reduction reduction, DType accumulator, void* out) noexcept {
  const ReductionInfo& row = info(reduction);
  if (row.identity.empty()) return limit_scalar(accumulator, row.kernel == Reduction::Min || row.kernel == Reduction::Nanmin, out);
  const double value = row.identity == "1" ? 1 : 0;
  cast_scalar(DType::Float64, accumulator, &value, out);
}

void combine_scalar(Reduction primitive, DType accumulator, const void* x, const void* y, void* out) noexcept {
  kCombines[static_cast<std::size_t>(primitive)][static_cast<std::size_t>(accumulator)](x, y, out);
}

}  // namespace engine::catalog

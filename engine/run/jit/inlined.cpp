// run/jit/inlined.cpp - elementary functions as instructions: their templates over a lane that writes down what is done with it.
// The one definition of a function is so the loop of the interpreter, the call of the machine and the code that stands in its place.
#include <engine/error.hpp>

#include <bit>

#include "engine/catalog/elementary/exp.hpp"
#include "engine/catalog/elementary/log.hpp"
#include "engine/run/jit/builder.hpp"

namespace engine::run::jit {
namespace {

/// Of the function that is being written down, and where its straight way does not hold.
thread_local Builder* builder = nullptr;
thread_local Register rare = kNone;

}  // namespace
}  // namespace engine::run::jit

namespace engine::math {

using run::jit::Code;
using run::jit::Predicate;
using run::jit::Register;

/// A mask, of whatever lanes.
struct WrittenMask {
  Register id;
  friend WrittenMask operator&(WrittenMask a, WrittenMask b) { return {run::jit::builder->mask_and(a.id, b.id)}; }
  friend WrittenMask operator|(WrittenMask a, WrittenMask b) { return {run::jit::builder->mask_or(a.id, b.id)}; }
  WrittenMask operator!() const { return {run::jit::builder->mask_not(id)}; }
};
/// The straight way is written down. Where the mask is true in some lane, the function itself is called instead.
inline bool any(WrittenMask mask) {
  Register& rare = run::jit::rare;
  rare = rare == run::jit::kNone ? mask.id : run::jit::builder->mask_or(rare, mask.id);
  return false;
}

template <class U>
struct WrittenBits {
  static constexpr int kBytes = sizeof(U);
  Register id;
  struct Made {};
  WrittenBits(Made, Register made) : id(made) {}
  explicit WrittenBits(U value) : id(run::jit::builder->constant(value, kBytes)) {}
  static WrittenBits of(Code code, Register x, Register y) { return {Made{}, run::jit::builder->make(code, kBytes, x, y)}; }
  static WrittenBits by(Code code, Register x, std::uint32_t count) {
    return {Made{}, run::jit::builder->make(code, kBytes, x, run::jit::kNone, run::jit::kNone, count)};
  }
  friend WrittenBits operator+(WrittenBits a, WrittenBits b) { return of(Code::AddI, a.id, b.id); }
  friend WrittenBits operator-(WrittenBits a, WrittenBits b) { return of(Code::SubI, a.id, b.id); }
  friend WrittenBits operator&(WrittenBits a, WrittenBits b) { return of(Code::And, a.id, b.id); }
  friend WrittenBits operator|(WrittenBits a, WrittenBits b) { return of(Code::Or, a.id, b.id); }
  friend WrittenBits operator^(WrittenBits a, WrittenBits b) { return of(Code::Xor, a.id, b.id); }
  WrittenBits operator~() const { return *this ^ WrittenBits(static_cast<U>(~U{0})); }
};
template <int kBits, class U>
WrittenBits<U> shl(WrittenBits<U> a) {
  return WrittenBits<U>::by(Code::ShiftLeftBy, a.id, kBits);
}
template <int kBits, class U>
WrittenBits<U> shr(WrittenBits<U> a) {
  return WrittenBits<U>::by(Code::ShiftRightBy, a.id, kBits);
}

template <class T>
struct Written {
  static constexpr int kBytes = sizeof(T);
  Register id = run::jit::kNone;
  struct Made {};
  Written() = default;
  Written(Made, Register made) : id(made) {}
  explicit Written(T value) : id(run::jit::builder->constant(std::bit_cast<typename LaneTraits<T>::Bits>(value), kBytes)) {}
  static Written of(Code code, Register x, Register y = run::jit::kNone, Register z = run::jit::kNone) {
    return {Made{}, run::jit::builder->make(code, kBytes, x, y, z)};
  }
  static WrittenMask compare(Predicate predicate, Written a, Written b) {
    return {run::jit::builder->compare_f(predicate, a.id, b.id, kBytes)};
  }
  friend Written operator+(Written a, Written b) { return of(Code::AddF, a.id, b.id); }
  friend Written operator-(Written a, Written b) { return of(Code::SubF, a.id, b.id); }
  friend Written operator*(Written a, Written b) { return of(Code::MulF, a.id, b.id); }
  friend Written operator/(Written a, Written b) { return of(Code::DivF, a.id, b.id); }
  Written operator-() const { return {Made{}, run::jit::builder->negative(id, kBytes)}; }
  friend WrittenMask operator<(Written a, Written b) { return compare(Predicate::Less, a, b); }
  friend WrittenMask operator<=(Written a, Written b) { return compare(Predicate::LessEqual, a, b); }
  friend WrittenMask operator>(Written a, Written b) { return compare(Predicate::Less, b, a); }
  friend WrittenMask operator>=(Written a, Written b) { return compare(Predicate::LessEqual, b, a); }
  friend WrittenMask operator==(Written a, Written b) { return compare(Predicate::Equal, a, b); }
  friend WrittenMask operator!=(Written a, Written b) { return compare(Predicate::NotEqual, a, b); }
};

template <class T>
struct LaneTraits<Written<T>> {
  static constexpr bool kIsLane = true;
  using Item = T;
  using Bits = WrittenBits<typename LaneTraits<T>::Bits>;
  using Mask = WrittenMask;
};

template <class T>
WrittenBits<typename LaneTraits<T>::Bits> bits_of(Written<T> a) {
  return {typename WrittenBits<typename LaneTraits<T>::Bits>::Made{}, a.id};
}
inline Written<double> float_of(WrittenBits<unsigned long> a) { return {Written<double>::Made{}, a.id}; }
inline Written<float> float_of(WrittenBits<unsigned> a) { return {Written<float>::Made{}, a.id}; }
template <class T>
Written<T> fma(Written<T> a, Written<T> b, Written<T> c) {
  return Written<T>::of(Code::FmaF, a.id, b.id, c.id);
}
template <class T>
Written<T> select(WrittenMask mask, Written<T> a, Written<T> b) {
  return {typename Written<T>::Made{}, run::jit::builder->select(Written<T>::kBytes, mask.id, a.id, b.id)};
}
/// As the interpreter's vectors of AVX-512 have it: what is scaled is inlined with those alone.
template <class T>
Written<T> scale(Written<T> x, Exponent<Written<T>> n) {
  return Written<T>::of(Code::ScaleF, x.id, n.value.id);
}

}  // namespace engine::math

namespace engine::run::jit {
namespace {

template <class T>
Register written(catalog::Op op, Register x) {
  const math::Written<T> a(typename math::Written<T>::Made{}, x);
  switch (op) {
    case catalog::Op::Exp:
      return math::exp(a).id;
    case catalog::Op::Exp2:
      return math::exp2(a).id;
    default:  // Log
      return math::log(a).id;
  }
}

}  // namespace

bool is_inlined(const Target& target, catalog::Op op) noexcept {
  // Sixteen registers do not hold what exp needs beside what else there is: called it is a tenth faster with AVX2.
  return op == catalog::Op::Log || (target.has_avx512 && (op == catalog::Op::Exp || op == catalog::Op::Exp2));
}

Register inlined(Builder& b, catalog::Op op, int bytes, Register x) {
  builder = &b;
  rare = kNone;
  // The templates throw nothing, so memory for all that they write down is there before.
  constexpr std::size_t kMostInstructions = 40, kMostConstants = 24;
  const auto make_room = [](auto& vector, std::size_t n) {
    if (vector.capacity() - vector.size() < n) vector.reserve(2 * vector.size() + n);
  };
  make_room(b.program.body, kMostInstructions);
  make_room(b.program.head, kMostConstants);
  make_room(b.program.pool, kMostConstants);
  [[maybe_unused]] const std::size_t instructions = b.program.body.size(), constants = b.program.head.size();
  const Register result = bytes == 8 ? written<double>(op, x) : written<float>(op, x);
#ifdef ENGINE_VERIFY
  if (b.program.body.size() - instructions > kMostInstructions || b.program.head.size() - constants > kMostConstants)
    throw InternalError({.what = "a function is longer than there is room for", .labels = {}, .help = {}, .text = {}});
#endif
  return rare == kNone ? result : b.make(Code::Guard, bytes, rare, x, result, static_cast<std::uint32_t>(op));
}

}  // namespace engine::run::jit

// run/ordered/keys.hpp - what sorts compare: see catalog/ordering.hpp.
#pragma once

#include <functional>
#include <type_traits>

#include "engine/catalog/ordering.hpp"
#include "engine/run/ordered/vqsort.hpp"

namespace engine::run::ordered {

template <class T>
using Bits = math::KeyOf<T>;

using math::key_of;
template <class T>
T value_of(Bits<T> key) {
  return math::value_of_key<T>(key);
}

struct ComplexLess {
  template <class T>
  bool operator()(const math::Complex<T>& x, const math::Complex<T>& y) const {
    return math::goes_before(x, y);
  }
};
/// The order of keys.
template <class Key>
using KeyLess = std::conditional_t<math::kIsComplex<Key>, ComplexLess, std::less<Key>>;

/// By key, then by place.
void sort_pairs(Pair* pairs, std::int64_t n);

}  // namespace engine::run::ordered

// run/ordered/lanes.hpp - a dtype at run time -> code for its lane.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "engine/catalog/meaning.hpp"

namespace engine::run::ordered {

/// Calls visit.template operator()<T>() for the lane of the dtype, which is not Float16. Of bool it is uint8, in the same order.
template <class Visit>
void with_lane(DType dtype, Visit visit) {
  const auto call = [&]<std::size_t kDType>() {
    using Lane = catalog::Lane<static_cast<DType>(kDType)>;
    if constexpr (!std::is_same_v<Lane, math::Half>)
      if (dtype == static_cast<DType>(kDType))
        visit.template operator()<std::conditional_t<std::is_same_v<Lane, bool>, std::uint8_t, Lane>>();
  };
  [&]<std::size_t... kDType>(std::index_sequence<kDType...>) {
    (call.template operator()<kDType>(), ...);
  }(std::make_index_sequence<kDTypes>{});
}

}  // namespace engine::run::ordered

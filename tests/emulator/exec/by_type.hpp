// exec/by_type.hpp - picks the instance of a template for a PTX type.
#pragma once

#include "tests/emulator/exec/decoder.hpp"
#include "tests/emulator/exec/numeric.hpp"

namespace standin {

template <class T>
constexpr bool matches(Type type);
template <> constexpr bool matches<std::uint8_t>(Type type) { return type == Type::U8; }
template <> constexpr bool matches<std::uint16_t>(Type type) { return type == Type::U16; }
template <> constexpr bool matches<std::uint32_t>(Type type) { return type == Type::U32; }
template <> constexpr bool matches<std::uint64_t>(Type type) { return type == Type::U64; }
template <> constexpr bool matches<std::int8_t>(Type type) { return type == Type::S8; }
template <> constexpr bool matches<std::int16_t>(Type type) { return type == Type::S16; }
template <> constexpr bool matches<std::int32_t>(Type type) { return type == Type::S32; }
template <> constexpr bool matches<std::int64_t>(Type type) { return type == Type::S64; }
template <> constexpr bool matches<numeric::Half>(Type type) { return type == Type::F16; }
template <> constexpr bool matches<float>(Type type) { return type == Type::F32; }
template <> constexpr bool matches<double>(Type type) { return type == Type::F64; }

/// make.operator()<T>() for the T among Ts that the type is; refused where there is none.
template <class... Ts, class Make>
Handler by_type(const Decoder& decoder, Type type, Make make) {
  Handler found = nullptr;
  ((matches<Ts>(type) ? void(found = make.template operator()<Ts>()) : void()), ...);
  if (!found) decoder.refuse("is not executed for this type");
  return found;
}

/// The same by size alone, unsigned.
template <class Make>
Handler by_size(const Decoder& decoder, int bytes, Make make) {
  switch (bytes) {
    case 1: return make.template operator()<std::uint8_t>();
    case 2: return make.template operator()<std::uint16_t>();
    case 4: return make.template operator()<std::uint32_t>();
    case 8: return make.template operator()<std::uint64_t>();
    default: decoder.refuse("is not executed for this type");
  }
}

}  // namespace standin

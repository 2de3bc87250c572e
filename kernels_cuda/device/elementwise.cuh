// device/elementwise.cuh - how a kernel that works on elements reaches memory.
namespace engine::cuda {

/// W neighbours in memory, moved in words of up to 16 bytes.
template <class T, int kWidth>
struct Pack {
  T at[kWidth];
};

template <int kBytes>
struct WordOf {
  using type = uint4;
};
template <>
struct WordOf<1> {
  using type = unsigned char;
};
template <>
struct WordOf<2> {
  using type = unsigned short;
};
template <>
struct WordOf<4> {
  using type = unsigned;
};
template <>
struct WordOf<8> {
  using type = uint2;
};
template <int kBytes>
struct Words {
  using Word = typename WordOf<kBytes>::type;
  Word at[kBytes > 16 ? kBytes / 16 : 1];
};

/// One word by one instruction. Left to itself the compiler moves what it sees used: a mask byte by byte, a selected pack by
/// numbers, which costs a kernel half of its bandwidth. The meaning stands beside it.
#define ENGINE_WORD(meaning, ...) asm volatile(__VA_ARGS__)
template <class Word>
ENGINE_LANE Word load_word(const Word* from) {
  Word word;
  if constexpr (sizeof(Word) == 16)
    ENGINE_WORD(word = *from, "ld.global.v4.b32 {%0, %1, %2, %3}, [%4];" : "=r"(word.x), "=r"(word.y), "=r"(word.z),
                "=r"(word.w) : "l"(from));
  else if constexpr (sizeof(Word) == 8)
    ENGINE_WORD(word = *from, "ld.global.v2.b32 {%0, %1}, [%2];" : "=r"(word.x), "=r"(word.y) : "l"(from));
  else if constexpr (sizeof(Word) == 4)
    ENGINE_WORD(word = *from, "ld.global.b32 %0, [%1];" : "=r"(word) : "l"(from));
  else
    word = *from;
  return word;
}
template <class Word>
ENGINE_LANE void store_word(Word* to, const Word& word) {
  if constexpr (sizeof(Word) == 16)
    ENGINE_WORD(*to = word, "st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(to), "r"(word.x), "r"(word.y), "r"(word.z),
                "r"(word.w) : "memory");
  else if constexpr (sizeof(Word) == 8)
    ENGINE_WORD(*to = word, "st.global.v2.b32 [%0], {%1, %2};" ::"l"(to), "r"(word.x), "r"(word.y) : "memory");
  else if constexpr (sizeof(Word) == 4)
    ENGINE_WORD(*to = word, "st.global.b32 [%0], %1;" ::"l"(to), "r"(word) : "memory");
  else
    *to = word;
}

template <int kWidth, class T>
ENGINE_LANE Pack<T, kWidth> load_pack(const T* from) {
  using W = Words<sizeof(T) * kWidth>;
  W words;
  const auto* source = reinterpret_cast<const typename W::Word*>(from);
  for (int i = 0; i < static_cast<int>(sizeof(W) / sizeof(words.at[0])); ++i) words.at[i] = load_word(source + i);
  return __builtin_bit_cast(Pack<T, kWidth>, words);
}
template <int kWidth, class T>
ENGINE_LANE void store_pack(T* to, const Pack<T, kWidth>& pack) {
  using W = Words<sizeof(T) * kWidth>;
  const W words = __builtin_bit_cast(W, pack);
  auto* target = reinterpret_cast<typename W::Word*>(to);
  for (int i = 0; i < static_cast<int>(sizeof(W) / sizeof(words.at[0])); ++i) store_word(target + i, words.at[i]);
}
/// The same of neighbours that do not start at a multiple of the word.
template <int kWidth, class T>
ENGINE_LANE Pack<T, kWidth> load_each(const T* from) {
  Pack<T, kWidth> pack;
  for (int i = 0; i < kWidth; ++i) pack.at[i] = from[i];
  return pack;
}
template <int kWidth, class T>
ENGINE_LANE void store_each(T* to, const Pack<T, kWidth>& pack) {
  for (int i = 0; i < kWidth; ++i) to[i] = pack.at[i];
}

template <class T>
ENGINE_LANE T load(const char* at) {
  return *reinterpret_cast<const T*>(at);
}
template <class T>
ENGINE_LANE void store(char* at, T value) {
  *reinterpret_cast<T*>(at) = value;
}
/// Complex numbers at multiples of their size: by one word, where the compiler would take each of its numbers from every other place.
template <class T>
ENGINE_LANE T load_whole(const char* at) {
  return load_pack<1>(reinterpret_cast<const T*>(at)).at[0];
}
template <class T>
ENGINE_LANE void store_whole(char* at, T value) {
  store_pack(reinterpret_cast<T*>(at), Pack<T, 1>{value});
}
/// Unaligned memory, or numbers of kNumber bytes in the other byte order: byte by byte.
template <class T, int kNumber>
ENGINE_LANE T load_bytes(const char* at) {
  Pack<char, sizeof(T)> bytes;
  for (int i = 0; i < static_cast<int>(sizeof(T)); ++i) bytes.at[i / kNumber * kNumber + kNumber - 1 - i % kNumber] = at[i];
  return __builtin_bit_cast(T, bytes);
}
template <class T, int kNumber>
ENGINE_LANE void store_bytes(char* at, T value) {
  const auto bytes = __builtin_bit_cast(Pack<char, sizeof(T)>, value);
  for (int i = 0; i < static_cast<int>(sizeof(T)); ++i) at[i] = bytes.at[i / kNumber * kNumber + kNumber - 1 - i % kNumber];
}

/// The number, of which the compiler does not know that it has it already: what is computed from it is not kept in registers
/// until then.
ENGINE_LANE unsigned afresh(unsigned number) {
  asm volatile("" : "+r"(number));
  return number;
}

/// index / extent by a multiplication (Granlund & Montgomery, PLDI 1994), for index < 2^31; index is left as the rest.
ENGINE_LANE unsigned divide_index(unsigned& index, unsigned extent, unsigned multiplier, unsigned shift) {
  const unsigned quotient = (__umulhi(index, multiplier) + index) >> shift;
  index -= quotient * extent;
  return quotient;
}

/// The same of 64 bits.
ENGINE_LANE unsigned long divide_index(unsigned long& index, unsigned long extent) {
  const unsigned long quotient = index / extent;
  index -= quotient * extent;
  return quotient;
}

}  // namespace engine::cuda

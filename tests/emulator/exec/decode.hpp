// exec/decode.hpp - the rows' decoders, by the file that has their handlers.
#pragma once

#include "tests/emulator/exec/decoder.hpp"

namespace standin::decode {

// ops_integer.cpp, ops_bits.cpp
void add(Decoder&), sub(Decoder&), mul(Decoder&), mad(Decoder&), div(Decoder&), rem(Decoder&), abs(Decoder&), neg(Decoder&), min(Decoder&), max(Decoder&),
    addc(Decoder&), subc(Decoder&), madc(Decoder&), mul24(Decoder&), mad24(Decoder&), sad(Decoder&), dp4a(Decoder&), dp2a(Decoder&);
void bit_and(Decoder&), bit_or(Decoder&), bit_xor(Decoder&), bit_not(Decoder&), cnot(Decoder&), shl(Decoder&), shr(Decoder&), shf(Decoder&), popc(Decoder&),
    clz(Decoder&), bfind(Decoder&), brev(Decoder&), bfe(Decoder&), bfi(Decoder&), prmt(Decoder&), lop3(Decoder&), fns(Decoder&), bmsk(Decoder&), szext(Decoder&);
// ops_float.cpp, ops_approximate.cpp
void float_add(Decoder&, Type), float_sub(Decoder&, Type), float_mul(Decoder&, Type), float_min(Decoder&, Type), float_max(Decoder&, Type),
    float_abs(Decoder&, Type), float_neg(Decoder&, Type);
void fma(Decoder&), float_div(Decoder&), sqrt(Decoder&), rcp(Decoder&), rsqrt(Decoder&), ex2(Decoder&), lg2(Decoder&), sin(Decoder&), cos(Decoder&), tanh(Decoder&),
    testp(Decoder&), copysign(Decoder&);
// ops_compare.cpp, ops_convert.cpp, ops_data.cpp
void setp(Decoder&), set(Decoder&), selp(Decoder&), slct(Decoder&);
void cvt(Decoder&);
void mov(Decoder&), cvta(Decoder&), isspacep(Decoder&);
// ops_memory.cpp, ops_atomic.cpp
void ld(Decoder&), st(Decoder&), prefetch(Decoder&);
void atom(Decoder&), red(Decoder&), membar(Decoder&), fence(Decoder&);
// ops_warp.cpp, ops_flow.cpp
void shfl(Decoder&), vote(Decoder&), match(Decoder&), redux(Decoder&), activemask(Decoder&), elect(Decoder&);
void bra(Decoder&), brx(Decoder&), call(Decoder&), ret(Decoder&), exit(Decoder&), trap(Decoder&), bar(Decoder&), barrier(Decoder&), nanosleep(Decoder&), nothing(Decoder&);

}  // namespace standin::decode

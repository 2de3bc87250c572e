// device/words.cuh - the compiler's words of catalog/scalar.hpp, under the names that NVRTC knows them by.
#define __builtin_ceil ::ceil
#define __builtin_ceilf ::ceilf
#define __builtin_copysign ::copysign
#define __builtin_copysignf ::copysignf
#define __builtin_floor ::floor
#define __builtin_floorf ::floorf
#define __builtin_frexp ::frexp
#define __builtin_frexpf ::frexpf
#define __builtin_ldexp ::ldexp
#define __builtin_ldexpf ::ldexpf
#define __builtin_popcountl ::__popcll
#define __builtin_rint ::rint
#define __builtin_rintf ::rintf
#define __builtin_trunc ::trunc
#define __builtin_truncf ::truncf

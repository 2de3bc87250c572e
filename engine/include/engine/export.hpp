// engine/export.hpp - what the shared library shows: the public headers' declarations and nothing else.
#pragma once

#if defined(__GNUC__)
#define ENGINE_API __attribute__((visibility("default")))
#else
#define ENGINE_API
#endif

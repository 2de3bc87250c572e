// base/format_functions.cpp - the functions that <fmt/format.h> leaves to a library, as its own is built of them. Its templates:
// format.cpp.
#include <fmt/format-inl.h>

// What the examples hold themselves to.
#pragma once

#include <cstdio>
#include <source_location>

inline int& failures() {
  static int count = 0;
  return count;
}

inline void check(bool holds, std::source_location where = std::source_location::current()) {
  if (holds) return;
  ++failures();
  std::fprintf(stderr, "%s:%u does not hold\n", where.file_name(), static_cast<unsigned>(where.line()));
}

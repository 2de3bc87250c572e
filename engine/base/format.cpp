// base/format.cpp - the templates that <fmt/format.h> leaves to a library: those of its header-only form, compiled once, without inlining.
#define FMT_HEADER_ONLY 1
#include <cstdio>

#include <fmt/format.h>

namespace engine {
namespace {

/// All that users of the header may be linked to hangs on these calls.
[[gnu::used]] std::string format_anything(fmt::string_view text, fmt::format_args args, fmt::memory_buffer& buffer) {
  fmt::vformat_to(std::back_inserter(buffer), text, args);
  fmt::vprint(stdout, text, args);
  fmt::vprint(text, args);
  if (text.size() == 0) throw fmt::format_error("nothing");
  return fmt::vformat(text, args) + fmt::format("{:>{}.{}} {} {} {}", 1.5, 8, 3, 2.5f, "text", static_cast<const void*>(buffer.data()));
}

}  // namespace
}  // namespace engine

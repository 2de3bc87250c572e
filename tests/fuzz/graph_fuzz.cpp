// Any bytes as the text of a graph: a graph that keeps its invariants, and prints as what is read again, or a ParseError.
#include <string_view>

#include "engine/ir/graph.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace engine;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string printed;
  try {
    const ir::Graph graph = ir::read(text);
    ir::verify(graph);
    printed = ir::print(graph);
  } catch (const ParseError&) {
    return 0;
  }
  const ir::Graph again = ir::read(printed);  // whatever is thrown from here on is a defect
  if (ir::print(again) != printed) __builtin_trap();
  return 0;
}

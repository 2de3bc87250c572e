// opt/pipeline.hpp - graph -> smaller graph: the ordered list of passes.
#pragma once

#include "engine/ir/graph.hpp"

namespace engine::opt {

/// What one pass did.
struct PassReport {
  std::string_view name;
  std::size_t nodes_before, nodes_after;
  bool changed;
};

/// Runs every pass once, in order. Same outputs bit for bit, unless options.exactness allows otherwise.
/// Where there is a `report`, each pass adds its line.
ir::Graph optimise(ir::Graph graph, const Options& options, std::vector<PassReport>* report = nullptr);

// The passes; each takes a verified graph and leaves one. Mostly there is nothing to do, and the graph stays where it is.
void power(ir::Graph& graph, const Options& options);    ///< x ** constant as NumPy takes it (square, sqrt, …)
void fold(ir::Graph& graph, const Options& options);     ///< operations on constants
void algebra(ir::Graph& graph, const Options& options);  ///< identities that keep every bit
void relax(ir::Graph& graph, const Options& options);    ///< what exactness="relaxed" allows
void prune(ir::Graph& graph, const Options& options);    ///< nodes no output needs

}  // namespace engine::opt

// driver/api_graph.cpp - graphs of kernels: made node by node, instantiated, updated, launched.
#include <algorithm>
#include <memory>

#include "tests/emulator/driver/launch.hpp"

namespace standin {

struct GraphNode {
  CUfunction function = nullptr;
  std::function<void()> work;
  std::vector<CUgraphNode> after;
};

struct Graph {
  std::vector<std::unique_ptr<GraphNode>> nodes;
};

struct GraphExecutable {
  std::vector<std::pair<CUgraphNode, GraphNode>> nodes;  // copies, by the nodes that they are of
};

namespace {

template <class T>
T& known(const std::unordered_set<T*>& all, T* handle) {
  require(all.count(handle), kInvalidValue);
  return *handle;
}

void fill(Driver& driver, GraphNode& node, const CUkernelNodeParams* parameters) {
  require(parameters && !parameters->kern && !parameters->ctx, kNotSupported);
  const CUkernelNodeParams& p = *parameters;
  node.work = prepare(driver, p.func, {{p.gridDimX, p.gridDimY, p.gridDimZ}, {p.blockDimX, p.blockDimY, p.blockDimZ}, p.sharedMemBytes},
                      p.kernelParams, p.extra);
  node.function = p.func;
}

/// The latest first, of those that wait for no other: so that a dependency that is missing shows.
void run(const std::vector<std::pair<CUgraphNode, GraphNode>>& nodes) {
  std::vector<CUgraphNode> done;
  const auto is_done = [&](CUgraphNode node) { return std::find(done.begin(), done.end(), node) != done.end(); };
  while (done.size() < nodes.size())
    for (auto each = nodes.rbegin(); each != nodes.rend(); ++each) {
      const auto& [handle, node] = *each;
      if (is_done(handle) || !std::all_of(node.after.begin(), node.after.end(), is_done)) continue;
      node.work();
      done.push_back(handle);
      break;
    }
}

}  // namespace

STANDIN_API int cuGraphCreate(CUgraph* graph, unsigned flags) {
  return enter("cuGraphCreate", Needs::Initialised, [&](Driver& driver) {
    require(graph && flags == 0);
    *graph = new Graph;
    driver.graphs.insert(*graph);
  });
}

STANDIN_API int cuGraphDestroy(CUgraph graph) {
  return enter("cuGraphDestroy", Needs::Initialised, [&](Driver& driver) {
    known(driver.graphs, graph);
    driver.graphs.erase(graph);
    delete graph;
  });
}

STANDIN_API int cuGraphAddKernelNode_v2(CUgraphNode* node, CUgraph graph, const CUgraphNode* after, std::size_t n_after,
                                        const CUkernelNodeParams* parameters) {
  return enter("cuGraphAddKernelNode_v2", Needs::Context, [&](Driver& driver) {
    Graph& found = known(driver.graphs, graph);
    require(node && (after || n_after == 0));
    auto made = std::make_unique<GraphNode>();
    for (std::size_t i = 0; i < n_after; ++i) {
      require(std::any_of(found.nodes.begin(), found.nodes.end(), [&](const auto& each) { return each.get() == after[i]; }));
      made->after.push_back(after[i]);
    }
    fill(driver, *made, parameters);
    *node = made.get();
    found.nodes.push_back(std::move(made));
  });
}

STANDIN_API int cuGraphInstantiateWithFlags(CUgraphExec* executable, CUgraph graph, unsigned long long flags) {
  return enter("cuGraphInstantiateWithFlags", Needs::Context, [&](Driver& driver) {
    const Graph& found = known(driver.graphs, graph);
    require(executable && flags == 0);
    *executable = new GraphExecutable;
    driver.graph_executables.insert(*executable);
    for (const auto& node : found.nodes) (*executable)->nodes.emplace_back(node.get(), *node);
  });
}

/// The node is one of the graph that it was made of.
STANDIN_API int cuGraphExecKernelNodeSetParams_v2(CUgraphExec executable, CUgraphNode node, const CUkernelNodeParams* parameters) {
  return enter("cuGraphExecKernelNodeSetParams_v2", Needs::Context, [&](Driver& driver) {
    GraphExecutable& found = known(driver.graph_executables, executable);
    const auto copy = std::find_if(found.nodes.begin(), found.nodes.end(), [&](const auto& each) { return each.first == node; });
    require(copy != found.nodes.end());
    fill(driver, copy->second, parameters);
  });
}

STANDIN_API int cuGraphExecDestroy(CUgraphExec executable) {
  return enter("cuGraphExecDestroy", Needs::Initialised, [&](Driver& driver) {
    known(driver.graph_executables, executable);
    driver.graph_executables.erase(executable);
    delete executable;
  });
}

STANDIN_API int cuGraphLaunch(CUgraphExec executable, CUstream stream) {
  return enter("cuGraphLaunch", Needs::Context, [&](Driver& driver) {
    const GraphExecutable& found = known(driver.graph_executables, executable);
    for (const auto& [handle, node] : found.nodes) known_kernel(driver, node.function);  // whose modules may be gone
    driver.enqueue(driver.stream(stream), [nodes = found.nodes] { run(nodes); });
  });
}

}  // namespace standin

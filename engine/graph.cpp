// graph.cpp - see <engine/graph.hpp>.
#include <engine/graph.hpp>

#include "engine/run/launches.hpp"

namespace engine {

template class Handle<LaunchGraph::Impl>;

LaunchGraph::LaunchGraph() : impl_(new Impl) {}

LaunchGraphStats LaunchGraph::stats() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->stats;
}

}  // namespace engine

// placement.cpp - see placement.hpp.
#include "engine/placement.hpp"

#include <algorithm>
#include <cstdlib>
#include <engine/threads.hpp>

#include "engine/run/backend.hpp"
#include "engine/run/executor.hpp"

namespace engine {
namespace {

/// Element-operations below which nobody asks whether a device would be faster: about 2 ms of one thread.
constexpr double kWorthPlacing = 1.2e7;

/// The least seconds on the host for which a device is started: ENGINE_AUTO_SECONDS, or a quarter.
double least_seconds() {
  const char* const text = std::getenv("ENGINE_AUTO_SECONDS");
  char* end = nullptr;
  const double value = text ? std::strtod(text, &end) : 0;
  return text && end != text ? value : 0.25;
}

/// Whether all that is written is a new array: then a device that fails has spoilt nothing, and the host can begin anew.
bool writes_new_memory(const plan::Plan& plan, const plan::Binding& binding) {
  return binding.is_fresh && std::none_of(plan.stores.begin(), plan.stores.end(), [&](const plan::Store& store) {
           return plan.buffers[plan.accesses[store.access].buffer].kind == plan::Buffer::Kind::Slot;
         });
}

}  // namespace

Placement place(const plan::Plan& plan, std::span<const run::interp::Code> codes, const plan::Binding& binding, int threads) {
  Placement found;
  for (const plan::Action& action : plan.actions)
    if (action.kind == plan::Action::Kind::Order) return found;  // the host's alone
  if (run::work(plan, codes, binding) < kWorthPlacing) return found;
  found.here = run::seconds(plan, codes, binding, threads ? threads : num_threads());
  const run::BackendEntry* const entry = run::find_backend(BackendChoice::Cuda);
  if (!entry || found.here < least_seconds() || !probe(BackendChoice::Cuda).usable) return found;
  try {
    const run::Estimate estimate = entry->estimate(plan, binding, kHost);
    found.place = estimate.place;
    found.there = std::max(estimate.seconds, estimate.copy_seconds);
    found.is_elsewhere = 2 * found.there < found.here && writes_new_memory(plan, binding);
  } catch (const BackendError&) {  // a device that does not answer
    found.place.clear();
  }
  return found;
}

}  // namespace engine

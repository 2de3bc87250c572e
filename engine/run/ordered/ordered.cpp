// run/ordered/ordered.cpp - see ordered.hpp.
#include "engine/run/ordered/ordered.hpp"

namespace engine::run::ordered {

void run(const Work& work) {
  if (work.rows.total() == 0) return;
  if (catalog::info(work.ordered).form == catalog::Form::Scan)
    run_scan(work);
  else
    run_sort(work);
}

double cost(catalog::Ordered ordered) noexcept { return catalog::info(ordered).form == catalog::Form::Scan ? 6 : 120; }

}  // namespace engine::run::ordered

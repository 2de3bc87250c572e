// memory/finding.hpp - what a launch did wrong. Thrown where it is seen, caught by the launch, kept in the report.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace standin {

enum class Defect : std::uint8_t {
  OutOfBounds, UseAfterFree, Uninitialised, SharedRace, GlobalRace, DivergentBarrier, BadMask, NonCoherentLoad, Misaligned, EndlessSpin,
  ReadOnly, Trap, BadBranch, BadLaunch,
};

/// The word that the report uses: "use-after-free".
std::string_view name_of(Defect defect);
/// The driver's error of a launch with this defect.
int status_of(Defect defect);

struct Finding {
  Defect defect;
  std::string what;
};

}  // namespace standin

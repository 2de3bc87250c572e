// bindings/cli/failures.hpp - what can go wrong here besides engine::Error, and the exit codes of all of it.
#pragma once

#include <engine/error.hpp>
#include <string>

namespace engine::cli {

/// 0: done. Those of engine::Error follow kExitError in the order of ErrorKind: 11 ParseError … 19 InternalError.
enum ExitCode : int { kExitDone = 0, kExitFile = 1, kExitUsage = 2, kExitError = 10 };

struct Failure {
  std::string what;
  std::string help;  ///< may be empty
};
/// A file that cannot be read, written, or understood.
struct FileFailure : Failure {};
/// A command that asks for something that cannot be.
struct UsageFailure : Failure {};

}  // namespace engine::cli

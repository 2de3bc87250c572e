// bindings/cli/commands.hpp - what each command is asked to do.
#pragma once

#include <engine/options.hpp>
#include <string>
#include <vector>

namespace engine::cli {

/// Of `engine eval` and `engine explain`.
struct Request {
  std::string expression;
  std::vector<std::string> inputs;   ///< "a=a.npy"
  std::vector<std::string> scalars;  ///< "n=3"
  std::string output;                ///< empty: print
  bool in_place = false;
  bool json = false;
  bool progress = false;  ///< shown on standard error
  Options options;
};

/// Of `engine stencil`.
struct StencilRequest : Request {
  std::vector<std::string> outputs;     ///< "u=u.npy", or one file
  std::vector<std::string> boundaries;  ///< "wrap", "reflect,nearest:wrap", "u=wrap"
  double cval = 0;
  std::int64_t steps = 1, every = 1;
  std::string until;
};

void evaluate(const Request& request);
void stencil(const StencilRequest& request);
void explain(const Request& request);
void list_functions(bool json);
void describe_function(const std::string& name, bool json);
void doctor(bool json);
void show_cache(bool json);
void show_cache_path(bool json);
void clear_cache(bool json);

}  // namespace engine::cli

// kernels_cuda/backend.hpp - the backend "cuda".
#pragma once

#include "engine/run/backend.hpp"

namespace engine::cuda {

/// What engine/backends.cpp registers.
extern const run::BackendEntry kBackend;

}  // namespace engine::cuda

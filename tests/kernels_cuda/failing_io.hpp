// tests/kernels_cuda/failing_io.hpp - the system calls of the cache, which fail when they are told to.
#pragma once

#include <string>
#include <vector>

namespace engine::cuda::failing {

/// Every call that can fail.
const std::vector<std::string>& names();
/// What a failing call does: errno, or, of read and write, moves one byte only.
inline constexpr int kShort = -1;
/// The nth call of that name (from 1 on; 0: none) fails, and all after it if `always`.
void fail(const std::string& name, int nth, int error, bool always);
/// How many there were since fail().
int calls(const std::string& name);

}  // namespace engine::cuda::failing

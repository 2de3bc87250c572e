// run/interp/scratch.hpp - a thread's memory for registers, kept from call to call while it is small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace engine::run::interp {

class Scratch {
 public:
  /// At least `bytes` bytes, aligned for every vector. Valid until the next get() of this thread.
  char* get(std::size_t bytes) {
    if (bytes > size_) {
      size_ = 0;
      memory_.reset();
      memory_.reset(new char[bytes + kAlignment]);
      size_ = bytes;
    }
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
    return memory_.get() + (kAlignment - address % kAlignment) % kAlignment;
  }
  void trim() noexcept {
    if (size_ <= kKeep) return;
    memory_.reset();
    size_ = 0;
  }
  static Scratch& of_thread() {
    static thread_local Scratch scratch;
    return scratch;
  }

 private:
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::size_t kKeep = std::size_t{1} << 20;
  std::unique_ptr<char[]> memory_;
  std::size_t size_ = 0;
};

}  // namespace engine::run::interp

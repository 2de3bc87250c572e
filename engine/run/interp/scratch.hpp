// run/interp/scratch.hpp - a thread's memory for registers, kept from call to call while it is small.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <cstdint>
#include <engine/export.hpp>
#include <memory>
#include <new>

namespace engine::run::interp {

class Scratch {
 public:
  /// At least `bytes` bytes, aligned for every vector. Valid until the next get() of this thread. Throws std::bad_alloc.
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
  /// Throws std::bad_alloc at a thread's first call alone. A thread_local of class type would register its destructor at
  /// that call, and glibc ends the process where there is no memory for that.
  static Scratch& of_thread() {
    static constinit ENGINE_THREAD_LOCAL Scratch* here = nullptr;
    if (here) return *here;
    auto made = std::make_unique<Scratch>();
    if (key().is_valid && pthread_setspecific(key().id, made.get()) != 0) throw std::bad_alloc();
    return *(here = made.release());
  }

 private:
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::size_t kKeep = std::size_t{1} << 20;

  /// Frees the memory of threads that end.
  struct Key {
    pthread_key_t id{};
    bool is_valid = pthread_key_create(&id, [](void* scratch) { delete static_cast<Scratch*>(scratch); }) == 0;
    ~Key() {
      if (is_valid) pthread_key_delete(id);
    }
  };
  static Key& key() {
    static Key the_key;
    return the_key;
  }

  std::unique_ptr<char[]> memory_;
  std::size_t size_ = 0;
};

}  // namespace engine::run::interp

// base/shared.hpp - what <engine/handle.hpp> leaves to the library: counting. Who has a class of its headers own something instantiates the
// Handle, `template class Handle<Thing>;`, where the thing is known.
#pragma once

#include <atomic>
#include <cstdint>
#include <engine/handle.hpp>

namespace engine {

/// Counts who owns what derives from it.
struct Shared {
  mutable std::atomic<std::uint32_t> owners{0};
};

template <class T>
Handle<T>::Handle(T* object) noexcept : object_(object) {
  if (object_) object_->owners.fetch_add(1, std::memory_order_relaxed);
}
template <class T>
Handle<T>::Handle(const Handle& other) noexcept : Handle(other.object_) {}
template <class T>
Handle<T>::~Handle() {
  if (object_ && object_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete object_;
}

template <class T>
bool has_one_owner(const Handle<T>& handle) noexcept {
  return handle->owners.load(std::memory_order_acquire) == 1;
}

}  // namespace engine

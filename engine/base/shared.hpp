// base/shared.hpp - pointers that own together what they point to, for classes whose public headers show a plain pointer to it:
// std::shared_ptr would bring <memory> into those, a fifth of the time that they take to compile.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace engine {

/// Counts who owns what derives from it.
struct Shared {
  mutable std::atomic<std::uint32_t> owners{0};
};

template <class T>
T* keep(T* object) noexcept {
  if (object) object->owners.fetch_add(1, std::memory_order_relaxed);
  return object;
}
template <class T>
void drop(T* object) noexcept {
  if (object && object->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete object;
}

template <class T>
class Ref {
 public:
  Ref() noexcept = default;
  explicit Ref(T* object) noexcept : object_(keep(object)) {}
  Ref(const Ref& other) noexcept : object_(keep(other.object_)) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() { drop(object_); }

  T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  /// The object, which then is the caller's to drop.
  T* release() noexcept { return std::exchange(object_, nullptr); }
  bool is_only_owner() const noexcept { return object_->owners.load(std::memory_order_acquire) == 1; }

 private:
  T* object_ = nullptr;
};

}  // namespace engine

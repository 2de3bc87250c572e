// engine/handle.hpp - shared ownership of what only the library knows: std::shared_ptr without <memory>, a fifth of the time that the
// headers take to compile.
#pragma once

#include <engine/export.hpp>

namespace engine ENGINE_API {

/// Copies own the same object. One that was moved from can be assigned to, and nothing else. Safe to copy in one thread while another
/// copies.
template <class T>
class Handle {
 public:
  Handle() noexcept = default;
  explicit Handle(T* object) noexcept;
  Handle(const Handle& other) noexcept;
  Handle(Handle&& other) noexcept : object_(other.object_) { other.object_ = nullptr; }
  Handle& operator=(Handle other) noexcept {
    T* const object = object_;
    object_ = other.object_;
    other.object_ = object;
    return *this;
  }
  ~Handle();

  T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

}  // namespace engine ENGINE_API

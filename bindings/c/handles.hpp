// bindings/c/handles.hpp - what C callers hold in place of pointers.
//
// A handle is a number: a slot of a table, how often the slot was used before, and what kind of thing it is. So a handle
// that was freed, or never was one, is found out without touching memory, and a thing that is freed while another thread
// uses it lives until that thread is done.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace engine::c {

template <class T>
class Handles {
 public:
  /// `kind` keeps the handles of different tables apart.
  explicit Handles(std::uint64_t kind) : kind_(kind) {}

  /// Throws std::bad_alloc.
  std::uint64_t insert(std::shared_ptr<T> value) {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) {
      free_.reserve(slots_.size() + 1);  // so that erase() never allocates
      slots_.emplace_back();
      free_.push_back(static_cast<std::uint32_t>(slots_.size() - 1));
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    slots_[index].value = std::move(value);
    return name(index);
  }

  /// Null where there is none.
  std::shared_ptr<T> find(std::uint64_t handle) {
    const std::lock_guard lock(mutex_);
    const Slot* slot = at(handle);
    return slot ? slot->value : nullptr;
  }

  /// What it stood for, whose last owner the caller may be now; null where there was none.
  std::shared_ptr<T> erase(std::uint64_t handle) {
    const std::lock_guard lock(mutex_);
    Slot* slot = at(handle);
    if (!slot) return nullptr;
    ++slot->uses;
    free_.push_back(static_cast<std::uint32_t>(slot - slots_.data()));
    return std::move(slot->value);
  }

  /// Around fork(), so that the child finds it free.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  struct Slot {
    std::shared_ptr<T> value;
    std::uint32_t uses = 0;
  };
  static constexpr int kKindBits = 3, kUsesBits = 32;

  std::uint64_t name(std::uint32_t index) const { return (std::uint64_t{index} << kUsesBits | slots_[index].uses) << kKindBits | kind_; }
  Slot* at(std::uint64_t handle) {
    const std::uint64_t index = handle >> (kKindBits + kUsesBits);
    if (index >= slots_.size() || !slots_[index].value || handle != name(static_cast<std::uint32_t>(index))) return nullptr;
    return &slots_[index];
  }

  const std::uint64_t kind_;
  std::mutex mutex_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace engine::c

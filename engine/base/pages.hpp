// base/pages.hpp - working memory, of recycled pages where it is large; the rest of the pool of pages (engine/memory.hpp).
#pragma once

#include <cstddef>
#include <engine/memory.hpp>
#include <new>
#include <utility>

namespace engine {

/// Gives back what has lain idle for long. Costs one load where nothing is idle.
void trim_old_pages() noexcept;
/// Gives back all that is idle, and says how many bytes that was.
std::size_t trim_pages() noexcept;

/// Memory for one execution, of arbitrary contents, aligned for every vector. Null where there is none.
class Block {
 public:
  Block() = default;
  explicit Block(std::size_t bytes) noexcept
      : is_pages_(bytes >= kRecycledBytes),
        memory_(static_cast<char*>(is_pages_ ? take_pages(bytes) : ::operator new(bytes, std::align_val_t{kAlignment}, std::nothrow))) {}
  Block(Block&& other) noexcept : is_pages_(other.is_pages_), memory_(std::exchange(other.memory_, nullptr)) {}
  Block& operator=(Block&& other) noexcept {
    std::swap(is_pages_, other.is_pages_);
    std::swap(memory_, other.memory_);
    return *this;
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    if (is_pages_)
      give_pages(memory_);
    else
      ::operator delete(memory_, std::align_val_t{kAlignment});
  }
  char* get() const noexcept { return memory_; }
  explicit operator bool() const noexcept { return memory_ != nullptr; }

 private:
  static constexpr std::size_t kAlignment = 64;
  bool is_pages_ = false;
  char* memory_ = nullptr;
};

/// Uninitialised items of a trivial type.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  /// Throws std::bad_alloc.
  explicit Buffer(std::size_t n) : block_(n * sizeof(T)) {
    if (!block_) throw std::bad_alloc();
  }
  T* get() const noexcept { return reinterpret_cast<T*>(block_.get()); }

 private:
  Block block_;
};

}  // namespace engine

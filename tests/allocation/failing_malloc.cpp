// failing_malloc.cpp - see failing_malloc.hpp. glibc's own allocator does the work, under its internal names.
#include "failing_malloc.hpp"

#include <dlfcn.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

// Plain words and the compiler's atomics: nothing here may need to be constructed, or allocate.
long armed = 0, seen = 0, first_failing = 0, n_failing = 0, failed = 0, live = 0;

bool fails() noexcept {
  if (!__atomic_load_n(&armed, __ATOMIC_ACQUIRE)) return false;
  const long number = __atomic_add_fetch(&seen, 1, __ATOMIC_RELAXED);
  if (number < first_failing || (n_failing >= 0 && number >= first_failing + n_failing)) return false;
  __atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
  errno = ENOMEM;
  return true;
}

void* counted(void* block) noexcept {
  if (block) __atomic_add_fetch(&live, 1, __ATOMIC_RELAXED);
  return block;
}
void forget(void* block) noexcept {
  if (block) __atomic_sub_fetch(&live, 1, __ATOMIC_RELAXED);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) void failing_malloc_arm(long first, long count) noexcept {
  seen = failed = 0;
  first_failing = first;
  n_failing = count;
  __atomic_store_n(&armed, 1, __ATOMIC_RELEASE);
}
__attribute__((visibility("default"))) long failing_malloc_disarm() noexcept {
  __atomic_store_n(&armed, 0, __ATOMIC_RELEASE);
  return __atomic_load_n(&failed, __ATOMIC_RELAXED);
}
__attribute__((visibility("default"))) long failing_malloc_failed() noexcept { return __atomic_load_n(&failed, __ATOMIC_RELAXED); }
__attribute__((visibility("default"))) void* failing_malloc_call(void* callable, long first, long count) {
  // Python is not linked to: what preloads this library may be anything.
  static const auto call = reinterpret_cast<void* (*)(void*)>(dlsym(RTLD_DEFAULT, "PyObject_CallNoArgs"));
  failing_malloc_arm(first, count);
  void* result = call(callable);
  failing_malloc_disarm();
  return result;
}
__attribute__((visibility("default"))) long failing_malloc_live() noexcept { return __atomic_load_n(&live, __ATOMIC_RELAXED); }
}

#if ENGINE_SANITIZED

void* operator new(std::size_t size) {
  void* block = fails() ? nullptr : counted(std::malloc(size ? size : 1));
  if (!block) throw std::bad_alloc();
  return block;
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  const auto unit = static_cast<std::size_t>(alignment);
  return fails() ? nullptr : counted(std::aligned_alloc(unit, (size + unit - 1) / unit * unit));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  void* block = operator new(size, alignment, std::nothrow);
  if (!block) throw std::bad_alloc();
  return block;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return fails() ? nullptr : counted(std::malloc(size ? size : 1)); }
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept { return operator new(size, tag); }
void operator delete(void* block) noexcept {
  forget(block);
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }
void operator delete(void* block, std::align_val_t) noexcept { operator delete(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { operator delete(block); }
void operator delete[](void* block) noexcept { operator delete(block); }
void operator delete[](void* block, std::size_t) noexcept { operator delete(block); }

#else

extern "C" {

void* __libc_malloc(std::size_t size) noexcept;
void* __libc_calloc(std::size_t count, std::size_t size) noexcept;
void* __libc_realloc(void* block, std::size_t size) noexcept;
void* __libc_memalign(std::size_t alignment, std::size_t size) noexcept;
void __libc_free(void* block) noexcept;

#define ENGINE_TEST_EXPORT __attribute__((visibility("default")))

ENGINE_TEST_EXPORT void* malloc(std::size_t size) noexcept { return fails() ? nullptr : counted(__libc_malloc(size)); }
ENGINE_TEST_EXPORT void* calloc(std::size_t count, std::size_t size) noexcept {
  return fails() ? nullptr : counted(__libc_calloc(count, size));
}
ENGINE_TEST_EXPORT void* realloc(void* block, std::size_t size) noexcept {
  if (fails()) return nullptr;
  void* moved = __libc_realloc(block, size);
  if (!block) return counted(moved);
  if (size == 0) forget(block);
  return moved;
}
ENGINE_TEST_EXPORT void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return fails() ? nullptr : counted(__libc_memalign(alignment, size));
}
ENGINE_TEST_EXPORT void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept { return memalign(alignment, size); }
ENGINE_TEST_EXPORT int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  void* made = memalign(alignment, size);
  if (!made) return ENOMEM;
  *block = made;
  return 0;
}
ENGINE_TEST_EXPORT void free(void* block) noexcept {
  forget(block);
  __libc_free(block);
}
}

#endif

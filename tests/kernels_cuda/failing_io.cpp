// tests/kernels_cuda/failing_io.cpp - see failing_io.hpp. Defined in the program, these come before the C library's.
#include "tests/kernels_cuda/failing_io.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>

namespace engine::cuda::failing {
namespace {

const std::vector<std::string> kNames = {"open",  "openat",   "fstat",    "fstatat",  "lstat",     "mkdir",  "read",
                                         "write", "renameat", "unlinkat", "futimens", "fdopendir", "readdir"};
std::atomic<int> which{-1}, nth{0}, error{0}, counts[16];
std::atomic<bool> always{false};

}  // namespace

const std::vector<std::string>& names() { return kNames; }

void fail(const std::string& name, int n, int code, bool ever) {
  for (auto& count : counts) count = 0;
  which = static_cast<int>(std::find(kNames.begin(), kNames.end(), name) - kNames.begin());
  nth = n;
  error = code;
  always = ever;
}

int calls(const std::string& name) { return counts[std::find(kNames.begin(), kNames.end(), name) - kNames.begin()]; }

/// 0, or what the call is to fail with.
int fault(int call) {
  const int n = ++counts[call];
  return call == which && nth > 0 && (n == nth || (always && n > nth)) ? error.load() : 0;
}

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

}  // namespace engine::cuda::failing

using engine::cuda::failing::fault;
using engine::cuda::failing::kShort;
using engine::cuda::failing::next;

#define ENGINE_FAIL(call, failed)           \
  if (const int code = fault(call); code) { \
    errno = code;                           \
    return failed;                          \
  }

extern "C" {

int open(const char* path, int flags, ...) {
  ENGINE_FAIL(0, -1)
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) ? va_arg(list, mode_t) : 0;
  va_end(list);
  static auto* const real = next<int(const char*, int, ...)>("open");
  return real(path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  ENGINE_FAIL(1, -1)
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) ? va_arg(list, mode_t) : 0;
  va_end(list);
  static auto* const real = next<int(int, const char*, int, ...)>("openat");
  return real(folder, path, flags, mode);
}
int fstat(int fd, struct stat* s) noexcept {
  ENGINE_FAIL(2, -1)
  static auto* const real = next<int(int, struct stat*)>("fstat");
  return real(fd, s);
}
int fstatat(int fd, const char* path, struct stat* s, int flags) noexcept {
  ENGINE_FAIL(3, -1)
  static auto* const real = next<int(int, const char*, struct stat*, int)>("fstatat");
  return real(fd, path, s, flags);
}
int lstat(const char* path, struct stat* s) noexcept {
  ENGINE_FAIL(4, -1)
  static auto* const real = next<int(const char*, struct stat*)>("lstat");
  return real(path, s);
}
int mkdir(const char* path, mode_t mode) noexcept {
  ENGINE_FAIL(5, -1)
  static auto* const real = next<int(const char*, mode_t)>("mkdir");
  return real(path, mode);
}
ssize_t read(int fd, void* to, size_t n) {
  const int code = fault(6);
  if (code > 0) {
    errno = code;
    return -1;
  }
  static auto* const real = next<ssize_t(int, void*, size_t)>("read");
  return real(fd, to, code == kShort ? 1 : n);
}
ssize_t write(int fd, const void* from, size_t n) {
  const int code = fault(7);
  if (code > 0) {
    errno = code;
    return -1;
  }
  static auto* const real = next<ssize_t(int, const void*, size_t)>("write");
  return real(fd, from, code == kShort ? 1 : n);
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  ENGINE_FAIL(8, -1)
  static auto* const real = next<int(int, const char*, int, const char*)>("renameat");
  return real(from_folder, from, to_folder, to);
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  ENGINE_FAIL(9, -1)
  static auto* const real = next<int(int, const char*, int)>("unlinkat");
  return real(folder, path, flags);
}
int futimens(int fd, const struct timespec times[2]) noexcept {
  ENGINE_FAIL(10, -1)
  static auto* const real = next<int(int, const struct timespec*)>("futimens");
  return real(fd, times);
}
DIR* fdopendir(int fd) {
  ENGINE_FAIL(11, nullptr)
  static auto* const real = next<DIR*(int)>("fdopendir");
  return real(fd);
}
struct dirent* readdir(DIR* list) {
  ENGINE_FAIL(12, nullptr)
  static auto* const real = next<struct dirent*(DIR*)>("readdir");
  return real(list);
}

}  // extern "C"

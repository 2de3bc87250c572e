// bindings/cli/files.cpp - see files.hpp.
#include "files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "failures.hpp"

namespace engine::cli {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

/// The path of the file in the making, where signal handlers find it; empty: there is none.
char in_the_making[4096];

void forget_temporary() {
  if (in_the_making[0]) unlink(in_the_making);
  in_the_making[0] = '\0';
}

void end_by_signal(int number) {
  forget_temporary();
  signal(number, SIG_DFL);
  raise(number);
}

void end_by_bus_error(int) {
  forget_temporary();
  constexpr std::string_view kWords = "engine: a file was cut off while it was read or written, or its disk failed\n";
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, kWords.data(), kWords.size());
  _exit(kExitFile);
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = end_by_signal;
  signal(SIGXFSZ, SIG_IGN);  // too large a file is an error of the call that makes it
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGXCPU}) {
    struct sigaction old = {};
    sigaction(number, nullptr, &old);
    if (old.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);  // nohup stays in force
  }
  action.sa_handler = end_by_bus_error;
  sigaction(SIGBUS, &action, nullptr);
}

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) close(number_);
}

Mapping::Mapping(int descriptor, std::size_t size, Access access, const std::string& name) : size_(size) {
  if (size == 0) return;
  void* memory = mmap(nullptr, size, access == Access::Read ? PROT_READ : PROT_READ | PROT_WRITE,
                      access == Access::Private ? MAP_PRIVATE : MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) throw FileFailure{{fmt::format("{} cannot be mapped: {}", name, reason(errno)), ""}};
  data_ = static_cast<char*>(memory);
}

Mapping::Mapping(std::size_t size, const std::string& name) : size_(size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw FileFailure{{fmt::format("{} takes {} bytes of memory: {}", name, size, reason(errno)), ""}};
  data_ = static_cast<char*>(memory);
}

Mapping::~Mapping() {
  if (data_) munmap(data_, size_);
}

void Mapping::let_go() const noexcept {
  if (data_) madvise(data_, size_, MADV_DONTNEED);
}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

InputFile::InputFile(const std::string& name, bool writes)
    : path(name), descriptor(open(name.c_str(), (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor.get() < 0)
    throw FileFailure{{fmt::format("{} cannot be opened{}: {}", path, writes ? " for writing" : "", reason(errno)), ""}};
  struct stat facts = {};
  if (fstat(descriptor.get(), &facts) != 0) throw FileFailure{{fmt::format("{}: {}", path, reason(errno)), ""}};
  if (!S_ISREG(facts.st_mode)) throw FileFailure{{fmt::format("{} is not a regular file, and so cannot be mapped", path), ""}};
  device = facts.st_dev;
  inode = facts.st_ino;
  size = static_cast<std::size_t>(facts.st_size);
  map(writes ? Access::Shared : Access::Read);
}

void InputFile::map(Access how) {
  mapping = Mapping(descriptor.get(), size, how, path);
  access = how;
}

OutputFile::OutputFile(const std::string& path) : path_(path) {
  std::error_code error;
  // What a link leads to is replaced, not the link.
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  if (!error) path_ = real.string();
  struct stat facts = {};
  if (stat(path_.c_str(), &facts) == 0) {
    if (!S_ISREG(facts.st_mode)) throw FileFailure{{fmt::format("{} is not a regular file, and is not replaced", path), ""}};
    if (access(path_.c_str(), W_OK) != 0) fail("cannot be written", errno);
    mode_ = facts.st_mode & 07777;
  } else {
    const mode_t mask = umask(0);
    umask(mask);
    mode_ = 0666 & ~mask;
  }
  const std::filesystem::path parts(path_);
  temporary_ = (parts.parent_path() / ("." + parts.filename().string() + ".XXXXXX")).string();
  if (parts.filename().empty() || temporary_.size() >= sizeof in_the_making)
    fail("cannot be written", parts.filename().empty() ? EISDIR : ENAMETOOLONG);
  descriptor_ = FileDescriptor(mkostemp(temporary_.data(), O_CLOEXEC));
  if (descriptor_.get() < 0) fail("cannot be written", errno);
  std::memcpy(in_the_making, temporary_.c_str(), temporary_.size() + 1);
}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) forget_temporary();
}

void OutputFile::fail(std::string_view what, int error) const {
  throw FileFailure{{fmt::format("{} {}: {}", path_, what, reason(error)), ""}};
}

char* OutputFile::map(std::size_t size) {
  const auto length = static_cast<off_t>(size);
  // Reserved now: a disk that is full would end a write into mapped memory by a signal.
  int error = posix_fallocate(descriptor_.get(), 0, length);
  if (error == EINVAL || error == EOPNOTSUPP) error = ftruncate(descriptor_.get(), length) == 0 ? 0 : errno;
  if (error != 0) fail("cannot be written", error);
  mapping_ = Mapping(descriptor_.get(), size, Access::Shared, path_);
  return mapping_.data();
}

char* OutputFile::map_copy(const InputFile& from, std::size_t size) {
  loff_t source = 0, target = 0;
  while (static_cast<std::size_t>(target) < size) {
    const ssize_t n =
        copy_file_range(from.descriptor.get(), &source, descriptor_.get(), &target, size - static_cast<std::size_t>(target), 0);
    if (n <= 0) break;  // across file systems, for one: the rest is written
  }
  while (static_cast<std::size_t>(target) < size) {
    constexpr std::size_t kPiece = 1 << 24;
    const ssize_t n =
        pwrite(descriptor_.get(), from.mapping.data() + target, std::min(kPiece, size - static_cast<std::size_t>(target)), target);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("cannot be written", errno);
    target += n;
  }
  return map(size);
}

void OutputFile::commit() {
  if (fchmod(descriptor_.get(), mode_) != 0) fail("cannot be given its permissions", errno);
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot be written", errno);
  in_the_making[0] = '\0';
  temporary_.clear();
}

}  // namespace engine::cli

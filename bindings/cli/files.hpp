// bindings/cli/files.hpp - files as memory: what is read is mapped, what is written is mapped beside its place and moved
// there when it is whole.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace engine::cli {

/// How the pages of a mapped file may be used.
enum class Access {
  Read,
  Private,  ///< written in memory alone
  Shared    ///< written into the file
};

class FileDescriptor {
 public:
  explicit FileDescriptor(int number = -1) : number_(number) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  int get() const { return number_; }

 private:
  int number_;
};

/// Memory of mmap().
class Mapping {
 public:
  Mapping() = default;
  /// Throws FileFailure, naming the file.
  Mapping(int descriptor, std::size_t size, Access access, const std::string& name);
  /// Memory of no file: zeros. `name`: what it is for.
  Mapping(std::size_t size, const std::string& name);
  ~Mapping();
  Mapping(Mapping&& other) noexcept : data_(other.data_), size_(other.size_) { other.data_ = nullptr; }
  Mapping& operator=(Mapping&& other) noexcept;
  char* data() const { return data_; }
  std::size_t size() const { return size_; }
  /// Its pages are no part of this process's memory until they are touched again. Not for Access::Private: what was written would be lost.
  void let_go() const noexcept;

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A regular file, mapped as a whole: to be read, or to be written into.
struct InputFile {
  InputFile(const std::string& path, bool writes);
  void map(Access how);

  std::string path;
  unsigned long device = 0, inode = 0;  ///< two paths are one file where both agree
  Access access = Access::Read;
  FileDescriptor descriptor;
  std::size_t size = 0;
  Mapping mapping;
};

/// A file in the making: hidden beside `path` until commit() moves it there, in place of what was there before. Until
/// then, and if the process is ended by a signal it can catch, what was there stays as it was and nothing is left behind.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Makes it `size` bytes long, with room on the disk, and maps it.
  char* map(std::size_t size);
  /// Fills it with the first `size` bytes of another file and maps it.
  char* map_copy(const InputFile& from, std::size_t size);
  const Mapping& mapping() const { return mapping_; }
  void commit();

 private:
  [[noreturn]] void fail(std::string_view what, int error) const;
  std::string path_, temporary_;
  FileDescriptor descriptor_;
  unsigned mode_ = 0;
  Mapping mapping_;
};

/// From now on, signals that end the process take the file in the making with them, and one that cannot be read any more
/// (cut off by somebody else, or on a disk that fails) ends the process with a message and kExitFile.
void install_signal_handlers();

}  // namespace engine::cli

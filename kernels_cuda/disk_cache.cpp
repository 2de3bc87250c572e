// kernels_cuda/disk_cache.cpp - see disk_cache.hpp.
#include "kernels_cuda/disk_cache.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

namespace engine::cuda {
namespace {

/// A file starts with this; the last byte is the format's version.
constexpr char kMagic[8] = {'e', 'n', 'g', 'i', 'n', 'e', 'K', 2};
constexpr std::uint64_t kMostEntryBytes = std::uint64_t{64} << 20;

struct Header {
  char magic[8];
  std::uint64_t key_bytes, image_bytes, is_cubin;
  std::uint64_t checksum[2];  ///< of key, image and is_cubin
};

/// 64 bits of mixing per 8 bytes, by the finaliser of MurmurHash3 (public domain). Against damage and for names, not against
/// malice: the folder is the user's alone.
std::uint64_t hash(std::string_view bytes, std::uint64_t seed) {
  const auto mix = [](std::uint64_t h) {
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdu;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
  };
  std::uint64_t h = mix(seed + bytes.size());
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    h = mix(h * 5 + word);
  }
  std::uint64_t last = 0;
  std::memcpy(&last, bytes.data(), bytes.size());
  return mix(h * 5 + last);
}

std::pair<std::uint64_t, std::uint64_t> checksum_of(std::string_view bytes, std::uint64_t is_cubin) {
  return {hash(bytes, 3 + (is_cubin << 8)), hash(bytes, 4 + (is_cubin << 8))};
}

struct File {
  explicit File(int fd) : fd(fd) {}
  ~File() {
    if (fd >= 0) close(fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd;
};

bool read_all(int fd, void* to, std::size_t bytes) {
  auto* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t n = read(fd, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= static_cast<std::size_t>(n);
  }
  return true;
}
bool write_all(int fd, const void* from, std::size_t bytes) {
  const auto* at = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t n = write(fd, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= static_cast<std::size_t>(n);
  }
  return true;
}

std::string wanted_folder() {
  if (const char* chosen = std::getenv("ENGINE_CACHE_DIR"); chosen && *chosen) return chosen;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache == '/') return std::string(cache) + "/engine";
  if (const char* home = std::getenv("HOME"); home && *home) return std::string(home) + "/.cache/engine";
  return {};
}

/// Empty where the folder may be trusted, or does not exist.
std::string distrust(const std::string& folder) {
  struct stat s{};
  if (lstat(folder.c_str(), &s) != 0) return errno == ENOENT ? "" : std::strerror(errno);
  if (S_ISLNK(s.st_mode)) return "it is a symbolic link";
  if (!S_ISDIR(s.st_mode)) return "it is no folder";
  if (s.st_uid != geteuid()) return "it belongs to someone else";
  if (s.st_mode & 077) return "others may use it (its mode is not 0700)";
  return {};
}

void make_parents(const std::string& folder) {
  for (std::size_t at = folder.find('/', 1); at != std::string::npos; at = folder.find('/', at + 1))
    mkdir(folder.substr(0, at).c_str(), 0700);
}

/// The folder, opened, so that what is done afterwards is done in the one that was looked at; -1: do without.
int open_folder(bool make) {
  const std::string folder = wanted_folder();
  if (folder.empty()) return -1;
  if (make) {
    make_parents(folder);
    mkdir(folder.c_str(), 0700);
  }
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  struct stat s{};
  if (fstat(fd, &s) == 0 && s.st_uid == geteuid() && !(s.st_mode & 077)) return fd;
  close(fd);
  return -1;
}

constexpr std::string_view kSuffix = ".kernel";

std::string file_name(const std::string& key) { return fmt::format("{:016x}{:016x}{}", hash(key, 1), hash(key, 2), kSuffix); }

/// What the folder may hold.
std::uint64_t most_bytes() {
  constexpr std::uint64_t kDefault = std::uint64_t{256} << 20;
  const char* const chosen = std::getenv("ENGINE_CACHE_BYTES");
  std::uint64_t bytes = 0;
  if (!chosen) return kDefault;
  const char* const end = chosen + std::strlen(chosen);
  const auto [last, error] = std::from_chars(chosen, end, bytes);
  return error == std::errc() && last == end ? bytes : kDefault;
}

/// What is in the folder: entries, and what writers have beside them until it is complete.
struct Listed {
  std::string name;
  std::int64_t used;
  std::uint64_t bytes;
  bool is_entry() const { return name.ends_with(kSuffix); }
  bool is_ours() const { return name.find(kSuffix) != std::string::npos; }
};

/// The longest unused first.
std::vector<Listed> list_of(int folder) {
  std::vector<Listed> files;
  const int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* list = copy < 0 ? nullptr : fdopendir(copy);
  if (!list) {
    if (copy >= 0) close(copy);
    return files;
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> closes(list, &closedir);
  while (const dirent* entry = readdir(list)) {
    struct stat s{};
    if (fstatat(folder, entry->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(s.st_mode)) continue;
    files.push_back({entry->d_name, static_cast<std::int64_t>(s.st_mtim.tv_sec), static_cast<std::uint64_t>(s.st_size)});
  }
  std::sort(files.begin(), files.end(), [](const Listed& a, const Listed& b) { return a.used < b.used; });
  return files;
}

/// Removes what writers left that died, and entries, longest unused first, until what is left fits.
void bound_size(int folder, std::uint64_t most) {
  constexpr std::int64_t kLongestWrite = 3600;  // seconds
  std::vector<Listed> files = list_of(folder);
  std::uint64_t total = 0;
  std::erase_if(files, [&](const Listed& file) {
    const bool is_left = file.is_ours() && !file.is_entry() && std::time(nullptr) - file.used > kLongestWrite;
    return !file.is_ours() || (is_left && unlinkat(folder, file.name.c_str(), 0) == 0);
  });
  for (const Listed& file : files) total += file.bytes;
  if (total <= most) return;
  for (const Listed& file : files) {
    if (total <= most / 4 * 3) return;
    if (unlinkat(folder, file.name.c_str(), 0) == 0) total -= file.bytes;
  }
}

/// An open file's header, where it is one of ours and as long as it says.
bool read_header(int fd, Header& header) {
  struct stat s{};
  return fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && read_all(fd, &header, sizeof header) &&
         std::memcmp(header.magic, kMagic, sizeof kMagic) == 0 && header.image_bytes <= kMostEntryBytes && header.is_cubin <= 1 &&
         header.key_bytes <= kMostEntryBytes &&
         static_cast<std::uint64_t>(s.st_size) == sizeof header + header.key_bytes + header.image_bytes;
}

int open_entry(int folder, const std::string& name) { return openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); }

/// The first line of an entry's key.
std::string made_by(int folder, const std::string& name) {
  const File file(open_entry(folder, name));
  Header header{};
  if (!read_header(file.fd, header)) return {};
  std::string key(header.key_bytes, '\0');
  return read_all(file.fd, key.data(), key.size()) ? key.substr(0, key.find('\n')) : std::string();
}

}  // namespace

std::string cache_key(const std::string& text, int architecture) {
  std::string key = fmt::format("engine {}; NVRTC {}.{};", ENGINE_VERSION, nvrtc_state().major, nvrtc_state().minor);
  for (const std::string& option : compile_options(text, architecture)) key += " " + option;
  return key + "\n" + text;
}

bool read_cache(const std::string& key, Image& image) noexcept {
  try {
    const File folder(open_folder(false));
    if (folder.fd < 0) return false;
    const std::string name = file_name(key);
    const File file(open_entry(folder.fd, name));
    Header header{};
    if (!read_header(file.fd, header) || header.key_bytes != key.size()) return false;
    std::string bytes(header.key_bytes + header.image_bytes, '\0');
    if (!read_all(file.fd, bytes.data(), bytes.size()) || bytes.compare(0, key.size(), key) != 0) return false;
    const auto [first, second] = checksum_of(bytes, header.is_cubin);
    if (first != header.checksum[0] || second != header.checksum[1]) return false;
    image.bytes = bytes.substr(key.size());
    image.is_cubin = header.is_cubin != 0;
    futimens(file.fd, nullptr);  // used now
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void write_cache(const std::string& key, const Image& image) noexcept {
  try {
    static std::atomic<unsigned> serial{0};
    const std::uint64_t most = most_bytes();
    if (sizeof(Header) + key.size() + image.bytes.size() > std::min(most, kMostEntryBytes)) return;
    const File folder(open_folder(true));
    if (folder.fd < 0) return;
    const std::string name = file_name(key), beside = fmt::format("{}.{}.{}", name, getpid(), serial++);
    const std::string bytes = key + image.bytes;
    const auto [first, second] = checksum_of(bytes, image.is_cubin);
    Header header{{}, key.size(), image.bytes.size(), image.is_cubin, {first, second}};
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    bool written = false;
    {
      const File file(openat(folder.fd, beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
      if (file.fd < 0) return;
      written = write_all(file.fd, &header, sizeof header) && write_all(file.fd, bytes.data(), bytes.size());
    }
    if (!written || renameat(folder.fd, beside.c_str(), folder.fd, name.c_str()) != 0) unlinkat(folder.fd, beside.c_str(), 0);
    bound_size(folder.fd, most);
  } catch (const std::bad_alloc&) {
  }
}

KernelCache cache_state() {
  KernelCache state;
  state.folder = wanted_folder();
  state.reason = state.folder.empty() ? "neither ENGINE_CACHE_DIR nor HOME is set" : distrust(state.folder);
  const File folder(open_folder(false));
  if (folder.fd < 0) return state;
  for (const Listed& file : list_of(folder.fd))
    if (file.is_entry()) state.kernels.push_back({file.name, file.bytes, file.used, made_by(folder.fd, file.name)});
  return state;
}

std::size_t clear_cache() {
  const File folder(open_folder(false));
  std::size_t n = 0;
  if (folder.fd < 0) return n;
  for (const Listed& file : list_of(folder.fd))
    if (file.is_ours() && unlinkat(folder.fd, file.name.c_str(), 0) == 0) n += file.is_entry();
  return n;
}

}  // namespace engine::cuda

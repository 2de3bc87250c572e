// run/jit/arena.cpp - pieces of anonymous files that are mapped twice: one view to write, one to execute. Putting code there is a
// copy, without a call of the system.
//
// A fork shares the pages. Neither process may write into them afterwards, for the other may still run what was there: from then
// on new code goes to new pieces, and old ones are given back whole, once nothing in them is used.
#include "engine/run/jit/arena.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

namespace engine::run::jit {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr std::size_t kUnit = 64;
/// Of which forks may leave many with a little code.
constexpr std::size_t kMostPieces = 1024;

class Piece {
 public:
  Piece() = default;
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;
  ~Piece() {
    if (writable_) munmap(writable_, kPiece);
    if (executable_) munmap(executable_, kPiece);
  }

  /// Gives errno, or 0.
  int map() noexcept {
    // Since Linux 6.3 who means to execute says so; before, that is no flag.
    constexpr unsigned kExecutable = 0x10;
    int file = memfd_create("engine-code", MFD_CLOEXEC | kExecutable);
    if (file < 0 && errno == EINVAL) file = memfd_create("engine-code", MFD_CLOEXEC);
    if (file < 0) return errno;
    int error = ftruncate(file, static_cast<off_t>(kPiece)) == 0 ? 0 : errno;
    if (!error) error = view(file, PROT_READ | PROT_WRITE, writable_);
    if (!error) error = view(file, PROT_READ | PROT_EXEC, executable_);
    close(file);
    if (!error) hole(0) = {kPiece, kPiece};
    return error;
  }

  /// Where there is room for `size` bytes; kPiece where there is none. First fit: code is small, and its sizes are alike.
  std::size_t take(std::size_t size) noexcept {
    for (std::size_t* link = &first_; *link != kPiece; link = &hole(*link).next) {
      const std::size_t offset = *link;
      const Hole found = hole(offset);
      if (found.size < size) continue;
      if (found.size == size) {
        *link = found.next;
      } else {
        *link = offset + size;
        hole(offset + size) = {found.size - size, found.next};
      }
      used += size;
      return offset;
    }
    return kPiece;
  }
  /// Needs no memory, so that it cannot fail.
  void give_back(std::size_t offset, std::size_t size) noexcept {
    used -= size;
    std::size_t* link = &first_;
    std::size_t before = kPiece;
    for (; *link < offset; link = &hole(*link).next) before = *link;
    Hole made{size, *link};
    if (made.next != kPiece && offset + size == made.next) made = {size + hole(made.next).size, hole(made.next).next};
    if (before != kPiece && before + hole(before).size == offset) {
      hole(before) = {hole(before).size + made.size, made.next};
    } else {
      hole(offset) = made;
      *link = offset;
    }
  }

  void write(std::size_t offset, std::span<const std::byte> code) noexcept { std::memcpy(writable_ + offset, code.data(), code.size()); }
  const char* executable() const noexcept { return executable_; }

  std::size_t used = 0;
  bool shared = false;  ///< with another process: never written again

 private:
  static int view(int file, int protection, char*& at) noexcept {
    void* const got = mmap(nullptr, kPiece, protection, MAP_SHARED, file, 0);
    if (got == MAP_FAILED) return errno;
    at = static_cast<char*>(got);
    return 0;
  }

  /// What nobody uses holds its own size, and where the next such stretch is.
  struct Hole {
    std::size_t size, next;
  };
  Hole& hole(std::size_t offset) noexcept { return *reinterpret_cast<Hole*>(writable_ + offset); }

  char* writable_ = nullptr;
  char* executable_ = nullptr;
  std::size_t first_ = 0;  ///< of the holes, in order; kPiece: there is none
};

struct Arena {
  std::mutex mutex;
  std::vector<std::unique_ptr<Piece>> pieces;
  std::size_t used = 0;
  std::string refusal;
};

/// Never destroyed: programs may outlive static destruction.
Arena& arena() {
  static Arena* const the_arena = [] {
    auto* const made = new Arena;
    // Held over the fork, so that neither side sees it half changed.
    pthread_atfork([] { arena().mutex.lock(); },
                   [] {
                     for (const auto& piece : arena().pieces) piece->shared = true;
                     arena().mutex.unlock();
                   },
                   [] {
                     for (const auto& piece : arena().pieces) piece->shared = true;
                     arena().mutex.unlock();
                   });
    return made;
  }();
  return *the_arena;
}

/// Gives code back when the last who uses it is gone.
struct Place {
  Piece* piece;
  std::size_t offset, size;
  void operator()(const void*) const noexcept {
    Arena& a = arena();
    const std::lock_guard lock(a.mutex);
    a.used -= size;
    if (piece->shared) {
      piece->used -= size;
      if (piece->used == 0) std::erase_if(a.pieces, [&](const std::unique_ptr<Piece>& each) { return each.get() == piece; });
      return;
    }
    piece->give_back(offset, size);
  }
};

}  // namespace

const std::string& refusal() noexcept {
  static const std::string none;
  Arena& a = arena();
  const std::lock_guard lock(a.mutex);
  return a.refusal.empty() ? none : a.refusal;
}

std::size_t code_bytes() noexcept {
  Arena& a = arena();
  const std::lock_guard lock(a.mutex);
  return a.used;
}

std::shared_ptr<const void> install(std::span<const std::byte> code) {
  const std::size_t size = (code.size() + kUnit - 1) / kUnit * kUnit;
  Arena& a = arena();
  std::unique_lock lock(a.mutex);
  if (size > kPiece || a.used + size > kMostCode || !a.refusal.empty()) return nullptr;
  Piece* piece = nullptr;
  std::size_t offset = kPiece;
  for (auto it = a.pieces.rbegin(); it != a.pieces.rend() && offset == kPiece; ++it) {
    if ((*it)->shared) continue;
    piece = it->get();
    offset = piece->take(size);
  }
  if (offset == kPiece) {
    if (a.pieces.size() >= kMostPieces) return nullptr;
    auto made = std::make_unique<Piece>();
    if (const int error = made->map()) {
      if (error != ENOMEM && error != EMFILE && error != ENFILE)
        a.refusal = std::string("the system refuses executable memory: ") + std::strerror(error);
      return nullptr;
    }
    piece = made.get();
    a.pieces.push_back(std::move(made));
    offset = piece->take(size);
  }
  piece->write(offset, code);
  a.used += size;
  lock.unlock();  // where there is no memory for the count of its users, the code is given back under the lock
  return {static_cast<const void*>(piece->executable() + offset), Place{piece, offset, size}};
}

}  // namespace engine::run::jit

// memory/shadow.hpp - which bytes of an allocation hold a value, and who touched them in this launch.
//
// Races are found as in FastTrack (Flanagan and Freund, PLDI 2009), with one clock for the whole launch: it moves at every
// synchronisation, and an access is ordered before another if it is older than the last synchronisation both took part in.
// What is kept for a cell (8 bytes, split down to 1 where narrower accesses come) is its last write and its last reads.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace standin {

/// Answers whether what `thread` did at `time` happened before what the asking thread does now.
class Order {
 public:
  virtual bool is_before(std::uint32_t thread, std::uint32_t time) const = 0;
  /// The same for everything that threads of a block, or of one warp of it, did until `time`.
  virtual bool is_group_before(std::uint32_t first_thread, std::uint32_t n_threads, std::uint32_t time) const = 0;

 protected:
  ~Order() = default;
};

/// One thread's access, as the race check sees it.
struct Access {
  std::uint32_t thread;  // counted through the grid
  std::uint32_t time;
  std::uint32_t launch;  // time at which the launch began: older records say nothing
  std::uint32_t warp_first, block_first, block_threads;
  bool strong = false;       // atomic, volatile, relaxed, acquire or release
  bool block_scope = false;  // ... but for its block only
  bool non_coherent = false;
};

enum class Conflict : std::uint8_t { None, Race, NonCoherent };

struct Verdict {
  Conflict conflict = Conflict::None;
  std::uint32_t other = 0;  // thread
  bool other_writes = false;
};

class Shadow {
 public:
  explicit Shadow(std::uint64_t size) : size_(size) {}

  void set_initialised(std::uint64_t at, std::uint64_t n);
  /// Takes over which bytes hold a value, from here or from another.
  void copy(std::uint64_t at, const Shadow& from, std::uint64_t from_at, std::uint64_t n);
  void set_uninitialised() { bits_.clear(), all_ = false; }
  /// The first byte without a value in [at, at + n), or at + n.
  std::uint64_t first_uninitialised(std::uint64_t at, std::uint64_t n) const;
  bool is_initialised(std::uint64_t at, std::uint64_t n) const { return all_ || first_uninitialised(at, n) == at + n; }

  Verdict read(std::uint64_t at, std::uint32_t n, const Access& access, const Order& order);
  Verdict write(std::uint64_t at, std::uint32_t n, const Access& access, const Order& order);

  /// The same for 32 neighbouring lanes of n bytes each (n is 1 to 16), starting at a cell's start: true where nothing but
  /// first touches and the threads' own are seen, and all is recorded. False, and nothing recorded: go lane by lane.
  bool read_row(std::uint64_t at, std::uint32_t n, const Access& first);
  bool write_row(std::uint64_t at, std::uint32_t n, const Access& first);

 private:
  static constexpr std::uint64_t kChunk = 4096;
  static constexpr std::uint32_t kManyReaders = 0xffffffff;

  struct Readers {  // of one block
    std::uint32_t block_first, first, n, time;
    bool all_strong;
  };
  struct Chunk {
    int log2_cell = 3;
    std::uint32_t launch = 0;  // of the last touch
    std::vector<std::uint32_t> write_time, writer, read_time, reader;
    std::vector<std::uint8_t> flags;
    std::unordered_map<std::uint32_t, std::vector<Readers>> many;
  };

  struct Row {  // the cells of 32 neighbouring lanes, each 1 << shift of them
    std::uint32_t *write_time, *writer, *read_time, *reader;
    std::uint8_t* flags;
    int shift;
  };
  bool row(std::uint64_t at, std::uint32_t n, const Access& first, Row& found);
  Chunk& chunk(std::uint64_t at, std::uint64_t end, std::uint32_t launch);
  static void split(Chunk& chunk, int log2_cell);
  Verdict check_read(Chunk& chunk, std::uint32_t cell, const Access& access, const Order& order);
  /// Whether all reads of a cell so far are ordered before what comes now.
  static bool all_before(const Chunk& chunk, std::uint32_t cell, const Order& order);
  Verdict check_write(Chunk& chunk, std::uint32_t cell, const Access& access, const Order& order);
  static void add_reader(Chunk& chunk, std::uint32_t cell, const Access& access);

  std::uint64_t size_;
  bool all_ = false;
  std::vector<std::uint64_t> bits_;
  std::vector<std::unique_ptr<Chunk>> chunks_;
};

}  // namespace standin

#include "tests/emulator/memory/shadow.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace standin {
namespace {

enum Flag : std::uint8_t { kStrongWrite = 1, kBlockScopeWrite = 2, kStrongReads = 4, kNonCoherentRead = 8, kBlockScopeReads = 16 };

constexpr std::uint64_t kOnes = ~std::uint64_t{0};

/// The bits [first, first + n) of a word.
std::uint64_t mask_of(std::uint64_t first, std::uint64_t n) { return (n >= 64 ? kOnes : (std::uint64_t{1} << n) - 1) << first; }

}  // namespace

void Shadow::set_initialised(std::uint64_t at, std::uint64_t n) {
  if (all_ || n == 0) return;
  if (at == 0 && n == size_) {
    all_ = true;
    bits_ = {};
    return;
  }
  if (bits_.empty()) bits_.resize((size_ + 63) / 64);
  for (std::uint64_t end = at + n; at < end;) {
    const std::uint64_t first = at % 64;
    const std::uint64_t take = std::min(end - at, 64 - first);
    bits_[at / 64] |= mask_of(first, take);
    at += take;
  }
}

void Shadow::copy(std::uint64_t at, const Shadow& from, std::uint64_t from_at, std::uint64_t n) {
  if (from.is_initialised(from_at, n)) return set_initialised(at, n);
  std::vector<bool> values(n);
  for (std::uint64_t i = 0; i < n; ++i) values[i] = from.is_initialised(from_at + i, 1);
  if (bits_.empty()) bits_.resize((size_ + 63) / 64, all_ ? kOnes : 0);
  all_ = false;
  for (std::uint64_t i = 0; i < n; ++i) {
    std::uint64_t& word = bits_[(at + i) / 64];
    const std::uint64_t bit = std::uint64_t{1} << (at + i) % 64;
    word = values[i] ? word | bit : word & ~bit;
  }
}

std::uint64_t Shadow::first_uninitialised(std::uint64_t at, std::uint64_t n) const {
  if (all_) return at + n;
  if (bits_.empty()) return at;
  for (const std::uint64_t end = at + n; at < end;) {
    const std::uint64_t first = at % 64;
    const std::uint64_t take = std::min(end - at, 64 - first);
    const std::uint64_t missing = ~bits_[at / 64] & mask_of(first, take);
    if (missing) return at / 64 * 64 + static_cast<std::uint64_t>(std::countr_zero(missing));
    at += take;
  }
  return at;
}

Shadow::Chunk& Shadow::chunk(std::uint64_t at, std::uint64_t end, std::uint32_t launch) {
  if (chunks_.empty()) chunks_.resize((size_ + kChunk - 1) / kChunk);
  std::unique_ptr<Chunk>& found = chunks_[at / kChunk];
  const int wanted = std::min(3, std::countr_zero(at | end | 8));
  if (!found || found->launch != launch) {  // nothing in it matters any more: its cells may grow again
    if (!found) found = std::make_unique<Chunk>();
    Chunk& chunk = *found;
    if (chunk.write_time.empty() || chunk.log2_cell != wanted) {
      chunk.log2_cell = wanted;
      const std::size_t n = kChunk >> wanted;
      for (auto* field : {&chunk.write_time, &chunk.writer, &chunk.read_time, &chunk.reader}) field->assign(n, 0);
      chunk.flags.assign(n, 0);
    }
    chunk.many.clear();
    chunk.launch = launch;
  } else if (wanted < found->log2_cell) {
    split(*found, wanted);
  }
  return *found;
}

void Shadow::split(Chunk& chunk, int log2_cell) {
  const int shift = chunk.log2_cell - log2_cell;
  const std::size_t n = kChunk >> log2_cell;
  auto spread = [&](auto& field) {
    std::remove_reference_t<decltype(field)> finer(n);
    for (std::size_t i = 0; i < n; ++i) finer[i] = field[i >> shift];
    field = std::move(finer);
  };
  spread(chunk.write_time);
  spread(chunk.writer);
  spread(chunk.read_time);
  spread(chunk.reader);
  spread(chunk.flags);
  std::unordered_map<std::uint32_t, std::vector<Readers>> many;
  for (auto& [cell, readers] : chunk.many)
    for (std::uint32_t i = 0; i < (1u << shift); ++i) many[(cell << shift) + i] = readers;
  chunk.many = std::move(many);
  chunk.log2_cell = log2_cell;
}

Verdict Shadow::read(std::uint64_t at, std::uint32_t n, const Access& access, const Order& order) {
  for (const std::uint64_t end = at + n; at < end;) {
    const std::uint64_t stop = std::min(end, (at / kChunk + 1) * kChunk);
    Chunk& here = chunk(at, stop, access.launch);
    for (std::uint64_t cell = at % kChunk >> here.log2_cell; cell < (stop - at / kChunk * kChunk) >> here.log2_cell; ++cell)
      if (const Verdict verdict = check_read(here, static_cast<std::uint32_t>(cell), access, order); verdict.conflict != Conflict::None)
        return verdict;
    at = stop;
  }
  return {};
}

Verdict Shadow::write(std::uint64_t at, std::uint32_t n, const Access& access, const Order& order) {
  for (const std::uint64_t end = at + n; at < end;) {
    const std::uint64_t stop = std::min(end, (at / kChunk + 1) * kChunk);
    Chunk& here = chunk(at, stop, access.launch);
    for (std::uint64_t cell = at % kChunk >> here.log2_cell; cell < (stop - at / kChunk * kChunk) >> here.log2_cell; ++cell)
      if (const Verdict verdict = check_write(here, static_cast<std::uint32_t>(cell), access, order); verdict.conflict != Conflict::None)
        return verdict;
    at = stop;
  }
  return {};
}

/// Two strong accesses never race if the scope of each holds the other's thread.
static bool is_morally_strong(const Access& access, std::uint32_t other, bool other_strong, bool other_block_scope) {
  if (!access.strong || !other_strong) return false;
  if (!access.block_scope && !other_block_scope) return true;
  return other - access.block_first < access.block_threads;
}

Verdict Shadow::check_read(Chunk& chunk, std::uint32_t cell, const Access& access, const Order& order) {
  const std::uint8_t flags = chunk.flags[cell];
  if (chunk.write_time[cell] >= access.launch) {
    const std::uint32_t writer = chunk.writer[cell];
    if (access.non_coherent) return {Conflict::NonCoherent, writer, true};
    if (writer != access.thread && !is_morally_strong(access, writer, flags & kStrongWrite, flags & kBlockScopeWrite) &&
        !order.is_before(writer, chunk.write_time[cell]))
      return {Conflict::Race, writer, true};
  }
  const bool is_new = chunk.read_time[cell] < access.launch;
  // Whatever is ordered after this read is ordered after those that are ordered before it.
  const bool is_first = is_new || all_before(chunk, cell, order);
  const auto strong = static_cast<std::uint8_t>(access.strong ? (is_first ? kStrongReads : flags & kStrongReads) : 0);
  const auto scope = static_cast<std::uint8_t>(access.block_scope ? kBlockScopeReads : 0);
  const auto cached = static_cast<std::uint8_t>(access.non_coherent ? kNonCoherentRead : 0);
  const int writes = kStrongWrite | kBlockScopeWrite;
  const auto kept = static_cast<std::uint8_t>(flags & (is_new ? writes : is_first ? writes | kNonCoherentRead : 0xff & ~kStrongReads));
  chunk.flags[cell] = static_cast<std::uint8_t>(kept | strong | scope | cached);
  if (is_first || chunk.reader[cell] == access.thread)
    chunk.reader[cell] = access.thread;
  else
    add_reader(chunk, cell, access);
  chunk.read_time[cell] = access.time;
  return {};
}

bool Shadow::all_before(const Chunk& chunk, std::uint32_t cell, const Order& order) {
  const std::uint32_t reader = chunk.reader[cell];
  if (reader != kManyReaders) return order.is_before(reader, chunk.read_time[cell]);
  const std::vector<Readers>& readers = chunk.many.at(cell);
  return std::all_of(readers.begin(), readers.end(), [&](const Readers& group) {
    return group.n == 1 ? order.is_before(group.first, group.time) : order.is_group_before(group.first, group.n, group.time);
  });
}

/// A second reader: from now on the cell has a list, with one entry for each block.
void Shadow::add_reader(Chunk& chunk, std::uint32_t cell, const Access& access) {
  auto& readers = chunk.many[cell];
  const std::uint32_t n_threads = access.block_threads;
  auto add = [&](std::uint32_t thread, std::uint32_t time) {
    const std::uint32_t block_first = thread - thread % n_threads;
    for (auto entry = readers.rbegin(); entry != readers.rend(); ++entry) {
      if (entry->block_first != block_first) continue;
      entry->time = std::max(entry->time, time);
      if (thread - entry->first < entry->n) return;
      const auto warp = [&](std::uint32_t of) { return (of - block_first) / 32; };
      const bool one_warp = entry->n <= 32 && warp(thread) == warp(entry->first);
      entry->first = one_warp ? block_first + warp(thread) * 32 : block_first;
      entry->n = one_warp ? 32 : n_threads;
      return;
    }
    readers.push_back({block_first, thread, 1, time, false});
  };
  if (chunk.reader[cell] != kManyReaders) {
    readers.clear();
    add(chunk.reader[cell], chunk.read_time[cell]);
    chunk.reader[cell] = kManyReaders;
  }
  add(access.thread, access.time);
}

Verdict Shadow::check_write(Chunk& chunk, std::uint32_t cell, const Access& access, const Order& order) {
  const std::uint8_t flags = chunk.flags[cell];
  if (chunk.write_time[cell] >= access.launch) {
    const std::uint32_t writer = chunk.writer[cell];
    if (writer != access.thread && !is_morally_strong(access, writer, flags & kStrongWrite, flags & kBlockScopeWrite) &&
        !order.is_before(writer, chunk.write_time[cell]))
      return {Conflict::Race, writer, true};
  }
  if (chunk.read_time[cell] >= access.launch) {
    const std::uint32_t reader = chunk.reader[cell];
    if (flags & kNonCoherentRead) return {Conflict::NonCoherent, reader == kManyReaders ? chunk.many[cell].front().first : reader, false};
    if (reader == kManyReaders) {
      for (const Readers& group : chunk.many[cell])
        if (!is_morally_strong(access, group.first, flags & kStrongReads, flags & kBlockScopeReads) &&
            !(group.n == 1 ? group.first == access.thread || order.is_before(group.first, group.time)
                           : order.is_group_before(group.first, group.n, group.time)))
          return {Conflict::Race, group.first == access.thread ? group.first + 1 : group.first, false};
    } else if (reader != access.thread && !is_morally_strong(access, reader, flags & kStrongReads, flags & kBlockScopeReads) &&
               !order.is_before(reader, chunk.read_time[cell])) {
      return {Conflict::Race, reader, false};
    }
  }
  // The reads before this write are ordered before it, and so before whatever is ordered after it.
  chunk.read_time[cell] = 0;
  chunk.write_time[cell] = access.time;
  chunk.writer[cell] = access.thread;
  chunk.flags[cell] = static_cast<std::uint8_t>((access.strong ? kStrongWrite : 0) | (access.block_scope ? kBlockScopeWrite : 0));
  return {};
}

bool Shadow::row(std::uint64_t at, std::uint32_t n, const Access& first, Row& found) {
  if (first.strong || at % kChunk + std::uint64_t{32} * n > kChunk) return false;
  Chunk& here = chunk(at, at + n, first.launch);
  found.shift = std::countr_zero(n) - here.log2_cell;
  if (found.shift < 0) return false;
  const std::uint64_t cell = at % kChunk >> here.log2_cell;
  found.write_time = &here.write_time[cell];
  found.writer = &here.writer[cell];
  found.read_time = &here.read_time[cell];
  found.reader = &here.reader[cell];
  found.flags = &here.flags[cell];
  return true;
}

bool Shadow::read_row(std::uint64_t at, std::uint32_t n, const Access& first) {
  Row cells;
  if (!row(at, n, first, cells)) return false;
  const std::uint32_t n_cells = 32u << cells.shift, launch = first.launch, thread = first.thread, time = first.time;
  const int shift = cells.shift;
  std::uint32_t bad = 0, again = 0;
  for (std::uint32_t i = 0; i < n_cells; ++i) {
    const std::uint32_t seen = cells.read_time[i] >= launch;
    bad |= static_cast<std::uint32_t>(cells.write_time[i] >= launch) |
           (seen & static_cast<std::uint32_t>(cells.reader[i] != thread + (i >> shift)));
    again |= seen;
  }
  if (bad) return false;
  const std::uint8_t flags = first.non_coherent ? kNonCoherentRead : 0;
  for (std::uint32_t i = 0; again && i < n_cells; ++i)
    cells.flags[i] = static_cast<std::uint8_t>((cells.read_time[i] >= launch ? cells.flags[i] & kNonCoherentRead : 0) | flags);
  if (!again) std::memset(cells.flags, flags, n_cells);
#pragma GCC ivdep
  for (std::uint32_t i = 0; i < n_cells; ++i) {
    cells.read_time[i] = time;
    cells.reader[i] = thread + (i >> shift);
  }
  return true;
}

bool Shadow::write_row(std::uint64_t at, std::uint32_t n, const Access& first) {
  Row cells;
  if (!row(at, n, first, cells)) return false;
  const std::uint32_t n_cells = 32u << cells.shift, launch = first.launch, thread = first.thread, time = first.time;
  const int shift = cells.shift;
  std::uint32_t bad = 0, seen = 0;
  for (std::uint32_t i = 0; i < n_cells; ++i) {
    const std::uint32_t me = thread + (i >> shift), was_read = cells.read_time[i] >= launch;
    bad |= (static_cast<std::uint32_t>(cells.write_time[i] >= launch) & static_cast<std::uint32_t>(cells.writer[i] != me)) |
           (was_read & static_cast<std::uint32_t>(cells.reader[i] != me));
    seen |= was_read;
  }
  for (std::uint32_t i = 0; seen && i < n_cells; ++i)
    bad |= static_cast<std::uint32_t>(cells.read_time[i] >= launch) & static_cast<std::uint32_t>((cells.flags[i] & kNonCoherentRead) != 0);
  if (bad) return false;
#pragma GCC ivdep
  for (std::uint32_t i = 0; i < n_cells; ++i) {
    cells.write_time[i] = time;
    cells.writer[i] = thread + (i >> shift);
    cells.read_time[i] = 0;
  }
  std::memset(cells.flags, 0, n_cells);
  return true;
}

}  // namespace standin

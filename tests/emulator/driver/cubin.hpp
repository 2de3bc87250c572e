// driver/cubin.hpp - the second mode: a cubin is checked as far as its header goes, and the PTX of the same source is run.
#pragma once

#include <cstdint>
#include <string>

namespace standin {

struct Driver;

/// FNV-1a over the whole file: the name under which its PTX is kept.
std::uint64_t hash_of(const void* bytes, std::uint64_t size);
/// Bytes of an ELF file, from its own headers.
std::uint64_t size_of_elf(const char* bytes);
/// Checks header and architecture; Failure where they do not fit or no PTX is known.
std::string ptx_of_cubin(Driver& driver, const char* bytes);
/// Keeps PTX for a cubin, in this process and, where there is a folder, for others. False where it is no cubin.
bool register_cubin(Driver& driver, const char* bytes, std::uint64_t size, const char* ptx);

}  // namespace standin

#include "tests/emulator/driver/cubin.hpp"

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/emulator/driver/driver.hpp"

namespace standin {
namespace {

constexpr std::uint16_t kMachineCuda = 190;  // EM_CUDA

template <class T>
T field(const char* bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes + at, sizeof value);
  return value;
}

/// The architecture in e_flags: the lower byte in the old ABI (version 7), bits 8 to 15 in the new one (version 8).
int architecture_of(const char* bytes) {
  const auto flags = field<std::uint32_t>(bytes, 48);
  return static_cast<int>(bytes[8] >= 8 ? flags >> 8 & 0xff : flags & 0xff);
}

std::string path_of(const Driver& driver, std::uint64_t hash) {
  char name[32];
  std::snprintf(name, sizeof name, "/%016llx.ptx", static_cast<unsigned long long>(hash));
  return driver.settings.cubins + name;
}

}  // namespace

std::uint64_t hash_of(const void* bytes, std::uint64_t size) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::uint64_t i = 0; i < size; ++i) hash = (hash ^ static_cast<const unsigned char*>(bytes)[i]) * 0x100000001b3;
  return hash;
}

/// Where the last of the section headers, program headers and sections ends.
std::uint64_t size_of_elf(const char* bytes) {
  const auto section_at = field<std::uint64_t>(bytes, 40), program_at = field<std::uint64_t>(bytes, 32);
  const auto section_size = field<std::uint16_t>(bytes, 58), n_sections = field<std::uint16_t>(bytes, 60);
  std::uint64_t end = section_at + std::uint64_t{section_size} * n_sections;
  end = std::max(end, program_at + std::uint64_t{field<std::uint16_t>(bytes, 54)} * field<std::uint16_t>(bytes, 56));
  constexpr std::uint32_t kNoBits = 8;
  for (std::uint16_t i = 0; i < n_sections; ++i) {
    const char* header = bytes + section_at + std::uint64_t{section_size} * i;
    if (field<std::uint32_t>(header, 4) != kNoBits) end = std::max(end, field<std::uint64_t>(header, 24) + field<std::uint64_t>(header, 32));
  }
  return end;
}

std::string ptx_of_cubin(Driver& driver, const char* bytes) {
  require(bytes[4] == 2 && bytes[5] == 1 && field<std::uint16_t>(bytes, 18) == kMachineCuda, kInvalidImage);
  const int architecture = architecture_of(bytes);
  // A cubin runs on its own major architecture, at its minor version or a later one.
  require(architecture / 10 == driver.settings.capability / 10 && architecture <= driver.settings.capability, kNoBinaryForGpu);
  const std::uint64_t hash = hash_of(bytes, size_of_elf(bytes));
  if (const auto found = driver.cubins.find(hash); found != driver.cubins.end()) return found->second;
  std::ifstream file(driver.settings.cubins.empty() ? "" : path_of(driver, hash), std::ios::binary);
  if (!file.good()) {
    driver.report("unknown-cubin: no PTX is registered for a cubin of sm_" + std::to_string(architecture));
    throw Failure{kInvalidImage};
  }
  std::stringstream text;
  text << file.rdbuf();
  return driver.cubins[hash] = text.str();
}

bool register_cubin(Driver& driver, const char* bytes, std::uint64_t size, const char* ptx) {
  if (size < 64 || std::memcmp(bytes, "\x7f" "ELF", 4) != 0) return false;
  const std::uint64_t hash = hash_of(bytes, size_of_elf(bytes));
  driver.cubins[hash] = ptx;
  if (driver.settings.cubins.empty()) return true;
  const std::string path = path_of(driver, hash), writing = path + "." + std::to_string(reinterpret_cast<std::uintptr_t>(&driver) ^ hash);
  std::filesystem::create_directories(driver.settings.cubins);
  std::ofstream(writing, std::ios::binary) << ptx;
  std::filesystem::rename(writing, path);
  return true;
}

}  // namespace standin

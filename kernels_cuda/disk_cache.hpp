// kernels_cuda/disk_cache.hpp - compiled kernels that outlive the process (contract §8).
//
// In the user's cache directory, or ENGINE_CACHE_DIR: a folder of mode 0700, refused if it is foreign, open to others or a
// symbolic link. An entry's file is named by a hash of its key; it holds the key itself, the image and a checksum over both, so
// neither a collision nor damage can give a wrong kernel. Entries are written beside and renamed; those longest unused go
// when there is more than ENGINE_CACHE_BYTES (256 MiB), and so does what a writer that died left beside them. Whatever fails here, kernels
// are compiled.
#pragma once

#include <engine/backend.hpp>
#include <string>

#include "kernels_cuda/nvrtc_api.hpp"

namespace engine::cuda {

/// All that an image depends on: text, options, versions of the engine and of NVRTC.
std::string cache_key(const std::string& text, int architecture);

/// False where there is no sound entry.
bool read_cache(const std::string& key, Image& image) noexcept;
void write_cache(const std::string& key, const Image& image) noexcept;

/// The folder, why it is not used (empty: it is, or will be made at the first kernel), and what is in it.
KernelCache cache_state();
/// Removes all entries: how many.
std::size_t clear_cache();

}  // namespace engine::cuda

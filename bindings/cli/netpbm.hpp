// bindings/cli/netpbm.hpp - the header of binary PGM and PPM pictures (netpbm's P5 and P6): elements that lie as in a .npy file.
#pragma once

#include "npy.hpp"

namespace engine::cli {

/// As read_npy_header: of uint8, or uint16 in big-endian order, of shape (height, width) or (height, width, 3).
NpyHeader read_picture_header(std::string_view bytes, std::size_t file_size, const std::string& name);

/// The header of a picture of elements like these. Throws FileFailure where a picture has no such: `name` is the file's.
std::string picture_header(DType dtype, const Shape& shape, const std::string& name);

}  // namespace engine::cli

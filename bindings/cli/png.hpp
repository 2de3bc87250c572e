// bindings/cli/png.hpp - PNG pictures, by libpng: decoded into memory when they are read, and encoded when all is computed.
#pragma once

#include <string>
#include <string_view>

#include "files.hpp"
#include "npy.hpp"

namespace engine::cli {

/// The picture as the bytes of a .npy file: uint8 of shape (height, width), or with a last axis of 2 (grey, alpha), 3 (red, green, blue) or
/// 4 (and alpha). Throws FileFailure where the bytes are no such picture, or one of 16 bits: `name` is the file's.
Mapping read_png(std::string_view bytes, const std::string& name);

/// The file of such elements, in C order, or of bools, which are black and white. Throws FileFailure where a picture has no such.
std::string write_png(DType dtype, const Shape& shape, const void* elements, const std::string& name);
/// The same check alone.
void check_png(DType dtype, const Shape& shape, const std::string& name);

}  // namespace engine::cli

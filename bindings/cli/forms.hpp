// bindings/cli/forms.hpp - the forms of files that arrays are in, told by how their names end.
#pragma once

#include "npy.hpp"

namespace engine::cli {

enum class Form {
  Npy,     ///< and whatever has no other name
  Netpbm,  ///< .pgm, .ppm, .pnm
  Png      ///< .png: not to be mapped, see png.hpp
};
Form form_of(std::string_view path);

/// Of a file of its form, as read_npy_header; of a PNG picture that has been read.
NpyHeader read_header(std::string_view bytes, std::size_t file_size, const std::string& name);

}  // namespace engine::cli

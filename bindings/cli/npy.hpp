// bindings/cli/npy.hpp - the header of .npy files, versions 1 to 3 (NEP 1 and numpy.lib.format).
#pragma once

#include <engine/array.hpp>
#include <string>
#include <string_view>

namespace engine::cli {

struct NpyHeader {
  DType dtype = DType::Float64;
  bool swapped = false;  ///< elements are in the byte order that is not this machine's
  bool fortran_order = false;
  Shape shape;
  std::size_t offset = 0;   ///< of the data, in the file
  std::size_t n_bytes = 0;  ///< of the data
};

/// Reads the header of a file with these bytes, which may be all of it or its beginning; `file_size` is what they belong to.
/// Any bytes are taken: throws FileFailure where they are no such file or the data is not all there, DTypeError where it
/// holds what is not a number, ShapeError where it has more axes than the engine. `name` is the file's, for messages.
NpyHeader read_npy_header(std::string_view bytes, std::size_t file_size, const std::string& name);

/// The bytes that numpy.save puts before the data, a multiple of 64.
std::string npy_header(DType dtype, bool fortran_order, const Shape& shape);

/// Byte strides of elements that lie as the header says.
Strides npy_strides(DType dtype, bool fortran_order, const Shape& shape);

}  // namespace engine::cli

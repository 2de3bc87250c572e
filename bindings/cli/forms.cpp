// bindings/cli/forms.cpp - see forms.hpp.
#include "forms.hpp"

#include "netpbm.hpp"

namespace engine::cli {

Form form_of(std::string_view path) {
  if (path.ends_with(".png")) return Form::Png;
  return path.ends_with(".pgm") || path.ends_with(".ppm") || path.ends_with(".pnm") ? Form::Netpbm : Form::Npy;
}

NpyHeader read_header(std::string_view bytes, std::size_t file_size, const std::string& name) {
  return form_of(name) == Form::Netpbm ? read_picture_header(bytes, file_size, name) : read_npy_header(bytes, file_size, name);
}

}  // namespace engine::cli

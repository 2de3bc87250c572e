// bindings/cli/png.cpp - libpng's simplified interface, which reports errors by values.
#include "png.hpp"

#include <png.h>

#include <fmt/format.h>

#include <cstring>
#include <vector>

#include "failures.hpp"

namespace engine::cli {
namespace {

constexpr std::int64_t kMostExtent = 0x7fffffff;  // PNG's own

/// What libpng holds of a picture.
struct Image : png_image {
  Image() : png_image{} { version = PNG_IMAGE_VERSION; }
  ~Image() { png_image_free(this); }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;

  [[noreturn]] void fail(const std::string& name, std::string_view what) const {
    throw FileFailure{{fmt::format("{} cannot be {}: {}", name, what, message), ""}};
  }
};

}  // namespace

Mapping read_png(std::string_view bytes, const std::string& name) {
  Image image;
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size())) image.fail(name, "read");
  if (image.format & PNG_FORMAT_FLAG_LINEAR)
    throw FileFailure{
        {fmt::format("{} has 16 bits a sample, which are not read", name), "convert it to 8 bits, or to a .pgm or .ppm file"}};
  image.format &= PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA;  // colours themselves, not places in a table
  const auto channels = static_cast<std::int64_t>(PNG_IMAGE_PIXEL_CHANNELS(image.format));
  Shape shape;
  shape.push_back(image.height);
  shape.push_back(image.width);
  if (channels > 1) shape.push_back(channels);
  const std::string header = npy_header(DType::UInt8, false, shape);
  Mapping memory(header.size() + static_cast<std::size_t>(n_items(shape)), name);
  std::memcpy(memory.data(), header.data(), header.size());
  if (!png_image_finish_read(&image, nullptr, memory.data() + header.size(), 0, nullptr)) image.fail(name, "read");
  return memory;
}

void check_png(DType dtype, const Shape& shape, const std::string& name) {
  const bool has_channels = shape.size() == 3 && shape[2] >= 1 && shape[2] <= 4;
  if ((dtype != DType::UInt8 && dtype != DType::Bool) || (shape.size() != 2 && !has_channels))
    throw FileFailure{{fmt::format("{}: a picture has uint8 elements of shape (height, width), or with a last axis of 1 to 4", name),
                       "scale and cast the value: uint8(clip(255*x, 0, 255)); or write a .npy file"}};
  if (shape[0] < 1 || shape[1] < 1 || shape[0] > kMostExtent || shape[1] > kMostExtent)
    throw FileFailure{{fmt::format("{}: a PNG picture has one to {} rows and columns", name, kMostExtent), "write a .npy file"}};
}

std::string write_png(DType dtype, const Shape& shape, const void* elements, const std::string& name) {
  check_png(dtype, shape, name);
  static constexpr png_uint_32 kFormats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};
  Image image;
  image.height = static_cast<png_uint_32>(shape[0]);
  image.width = static_cast<png_uint_32>(shape[1]);
  image.format = kFormats[shape.size() == 3 ? shape[2] - 1 : 0];
  std::vector<std::uint8_t> white;
  if (dtype == DType::Bool) {
    const auto* const bools = static_cast<const std::uint8_t*>(elements);
    for (std::int64_t i = 0; i < n_items(shape); ++i) white.push_back(bools[i] ? 255 : 0);
    elements = white.data();
  }
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  if (!png_image_write_to_memory(&image, bytes.data(), &size, 0, elements, 0, nullptr)) image.fail(name, "written");
  bytes.resize(size);
  return bytes;
}

}  // namespace engine::cli

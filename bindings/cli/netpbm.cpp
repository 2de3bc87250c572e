// bindings/cli/netpbm.cpp - "P5 640 480 255", then the elements.
#include "netpbm.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "failures.hpp"

namespace engine::cli {
namespace {

constexpr std::int64_t kMostValue = 65535;

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  NpyHeader read(std::size_t file_size) {
    if (bytes_.substr(0, 2) != "P5" && bytes_.substr(0, 2) != "P6") fail("is no binary PGM or PPM picture");
    const bool is_colour = bytes_[1] == '6';
    at_ = 2;
    const std::int64_t width = number(), height = number(), most = number();
    if (most < 1 || most > kMostValue) fail(fmt::format("says that its largest value is {}", most));
    ++at_;  // one character of white space
    NpyHeader header;
    header.dtype = most < 256 ? DType::UInt8 : DType::UInt16;
    header.swapped = header.dtype == DType::UInt16;
    header.shape.push_back(height);
    header.shape.push_back(width);
    if (is_colour) header.shape.push_back(3);
    header.offset = at_;
    header.n_bytes = item_size(header.dtype);
    for (const std::int64_t extent : header.shape)
      if (__builtin_mul_overflow(header.n_bytes, static_cast<std::size_t>(extent), &header.n_bytes)) fail("is larger than any memory");
    if (header.offset > file_size || header.n_bytes > file_size - header.offset) fail("is cut off: not all of its picture is there");
    return header;
  }

 private:
  std::int64_t number() {
    while (at_ < bytes_.size() && (is_space(bytes_[at_]) || bytes_[at_] == '#')) {
      if (bytes_[at_] == '#')
        while (at_ < bytes_.size() && bytes_[at_] != '\n') ++at_;
      else
        ++at_;
    }
    const std::size_t begin = at_;
    std::int64_t value = 0;
    for (; at_ < bytes_.size() && bytes_[at_] >= '0' && bytes_[at_] <= '9' && at_ - begin < 10; ++at_)
      value = 10 * value + (bytes_[at_] - '0');
    if (at_ == begin || at_ >= bytes_.size() || !is_space(bytes_[at_])) fail("has no header of a picture");
    return value;
  }
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }
  [[noreturn]] void fail(const std::string& what) const {
    throw FileFailure{{fmt::format("{} {}", name_, what), "see netpbm.sourceforge.net"}};
  }

  std::string_view bytes_;
  const std::string& name_;
  std::size_t at_ = 0;
};

}  // namespace

NpyHeader read_picture_header(std::string_view bytes, std::size_t file_size, const std::string& name) {
  return Reader(bytes, name).read(file_size);
}

std::string picture_header(DType dtype, const Shape& shape, const std::string& name) {
  const bool is_colour = shape.size() == 3 && shape[2] == 3;
  if ((dtype != DType::UInt8 && dtype != DType::Bool) || (shape.size() != 2 && !is_colour))
    throw FileFailure{{fmt::format("{}: a picture has uint8 elements of shape (height, width) or (height, width, 3)", name),
                       "scale and cast the value: uint8(clip(255*x, 0, 255)); or write a .npy file"}};
  return fmt::format("P{}\n{} {}\n{}\n", is_colour ? 6 : 5, shape[1], shape[0], dtype == DType::Bool ? 1 : 255);
}

}  // namespace engine::cli

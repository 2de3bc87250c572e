// bindings/cli/npy.cpp - see npy.hpp.
#include "npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <engine/error.hpp>
#include <optional>

#include "failures.hpp"

namespace engine::cli {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
/// No array of numbers with 32 axes needs more; what claims to is hostile.
constexpr std::size_t kLongestHeader = 1 << 16;
constexpr bool kIsLittle = std::endian::native == std::endian::little;

/// What may be quoted in a message: printable, and short.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 40)) out += c >= 0x20 && c < 0x7f ? c : '?';
  return text.size() > 40 ? out + "..." : out;
}

/// The dictionary of a header, of which this much of Python is understood: strings without escapes, True and False, tuples
/// of integers; other literals only as far as needed to name what they say.
class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  NpyHeader read() {
    NpyHeader header;
    expect('{');
    bool has_descr = false, has_order = false, has_shape = false;
    while (!take('}')) {
      const std::string_view key = string();
      expect(':');
      if (key == "descr" && !has_descr) {
        has_descr = true;
        read_dtype(header);
      } else if (key == "fortran_order" && !has_order) {
        has_order = true;
        header.fortran_order = boolean();
      } else if (key == "shape" && !has_shape) {
        has_shape = true;
        header.shape = shape();
      } else {
        fail(fmt::format("has the key '{}', which {}", shown(key),
                         key == "descr" || key == "fortran_order" || key == "shape" ? "stands there twice" : "means nothing"));
      }
      if (take('}')) break;
      expect(',');
    }
    if (!at_end()) fail("goes on after its dictionary");
    if (!has_descr || !has_order || !has_shape) fail("lacks descr, fortran_order or shape");
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw FileFailure{{fmt::format("{} is no .npy file: its header {}", name_, what), ""}};
  }

  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  }
  bool at_end() {
    skip_spaces();
    return at_ == text_.size();
  }
  bool take(char c) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(fmt::format("should have '{}' at byte {}", c, at_));
  }

  std::string_view string() {
    skip_spaces();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') fail(fmt::format("should have a string at byte {}", at_));
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("ends within a string");
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    if (inside.find('\\') != std::string_view::npos) fail("has an escape in a string");
    at_ = end + 1;
    return inside;
  }

  bool boolean() {
    skip_spaces();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return value;
    }
    fail(fmt::format("should have True or False at byte {}", at_));
  }

  std::int64_t extent() {
    skip_spaces();
    const std::size_t begin = at_;
    std::int64_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text_[at_] - '0', &value))
        fail("has an extent beyond 64 bits");
      ++at_;
    }
    if (at_ == begin) fail(fmt::format("should have an extent at byte {}", at_));
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 wrote long integers so
    return value;
  }

  Shape shape() {
    Shape shape;
    expect('(');
    while (!take(')')) {
      if (shape.size() == kMaxRank)
        throw ShapeError(
            {.what = fmt::format("{} has more than {} axes", name_, kMaxRank), .labels = {}, .help = "reshape it", .text = {}});
      shape.push_back(extent());
      if (take(')')) {
        if (shape.size() == 1) fail("has a number for its shape, not a tuple");
        break;
      }
      expect(',');
    }
    return shape;
  }

  [[noreturn]] void refuse_dtype(std::string_view what) const {
    throw DTypeError({.what = fmt::format("{} has dtype {}, which is not supported", name_, shown(what)),
                      .labels = {},
                      .help = "engine knows bool, integers to 64 bits, floats to 64 bits and complex to 128 bits",
                      .text = {}});
  }

  void read_dtype(NpyHeader& header) {
    skip_spaces();
    if (at_ < text_.size() && text_[at_] == '[') refuse_dtype(text_.substr(at_));  // fields
    std::string_view descr = string();
    const std::string_view whole = descr;
    char order = '=';
    if (!descr.empty() && std::string_view("<>=|").find(descr[0]) != std::string_view::npos) {
      order = descr[0];
      descr.remove_prefix(1);
    }
    struct Row {
      std::string_view code;
      DType dtype;
    };
    static constexpr Row kRows[] = {{"b1", DType::Bool},    {"?", DType::Bool},       {"i1", DType::Int8},       {"u1", DType::UInt8},
                                    {"i2", DType::Int16},   {"u2", DType::UInt16},    {"i4", DType::Int32},      {"u4", DType::UInt32},
                                    {"i8", DType::Int64},   {"u8", DType::UInt64},    {"f2", DType::Float16},    {"f4", DType::Float32},
                                    {"f8", DType::Float64}, {"c8", DType::Complex64}, {"c16", DType::Complex128}};
    const Row* row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.code == descr; });
    if (row == std::end(kRows)) refuse_dtype(whole.empty() ? "''" : whole);
    header.dtype = row->dtype;
    header.swapped = item_size(row->dtype) > 1 && order == (kIsLittle ? '>' : '<');
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
};

std::string_view code_of(DType dtype) {
  static constexpr std::string_view kCodes[kDTypes] = {"b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"};
  return kCodes[static_cast<std::size_t>(dtype)];
}

}  // namespace

NpyHeader read_npy_header(std::string_view bytes, std::size_t file_size, const std::string& name) {
  const auto refuse = [&](std::string why) { throw FileFailure{{fmt::format("{} is no .npy file: {}", name, why), ""}}; };
  if (!bytes.starts_with(kMagic)) {
    if (bytes.starts_with("PK")) throw FileFailure{{fmt::format("{} is an archive (.npz)", name), "unpack it: its members are .npy files"}};
    refuse("it does not begin as one");
  }
  if (bytes.size() < 10) refuse("it ends within its header");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const std::size_t major = byte(6), minor = byte(7);
  if (major < 1 || major > 3 || minor != 0)
    throw FileFailure{{fmt::format("{} is of version {}.{} of the format", name, major, minor), "1.0, 2.0 and 3.0 are known"}};
  const std::size_t before = major == 1 ? 10 : 12;
  if (bytes.size() < before) refuse("it ends within its header");
  std::size_t length = byte(8) | byte(9) << 8;
  if (major > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (length > kLongestHeader) refuse(fmt::format("it claims a header of {} bytes", length));
  if (length > bytes.size() - before) refuse("it ends within its header");

  NpyHeader header = Reader(bytes.substr(before, length), name).read();
  header.offset = before + length;
  // As NumPy, an extent of 0 hides nothing: the others must have a product.
  std::int64_t n_bytes = static_cast<std::int64_t>(item_size(header.dtype));
  for (const std::int64_t extent : header.shape)
    if (__builtin_mul_overflow(n_bytes, std::max<std::int64_t>(extent, 1), &n_bytes)) refuse("its shape is larger than any memory");
  if (std::find(header.shape.begin(), header.shape.end(), 0) != header.shape.end()) n_bytes = 0;
  header.n_bytes = static_cast<std::size_t>(n_bytes);
  if (header.n_bytes > file_size - header.offset)
    throw FileFailure{
        {fmt::format("{} is cut off: it has {} bytes of data, and its header says {}", name, file_size - header.offset, header.n_bytes),
         ""}};
  return header;
}

std::string npy_header(DType dtype, bool fortran_order, const Shape& shape) {
  constexpr std::size_t kAlignment = 64, kBefore = 10;
  constexpr std::size_t kGrowth = 21;  // numpy.save leaves room for the extent that would grow if data were appended
  const char order = item_size(dtype) == 1 ? '|' : kIsLittle ? '<' : '>';
  std::string extents;
  for (const std::int64_t extent : shape) extents += fmt::format("{}{}", extents.empty() ? "" : ", ", extent);
  if (shape.size() == 1) extents += ",";
  std::string text = fmt::format("{{'descr': '{}{}', 'fortran_order': {}, 'shape': ({}), }}", order, code_of(dtype),
                                 fortran_order ? "True" : "False", extents);
  if (!shape.empty()) text.append(kGrowth - fmt::formatted_size("{}", shape[fortran_order ? shape.size() - 1 : 0]), ' ');
  const std::size_t unpadded = kBefore + text.size() + 1;
  text.append(kAlignment - unpadded % kAlignment, ' ');
  text += '\n';
  std::string header(kMagic);
  header += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return header + text;
}

Strides npy_strides(DType dtype, bool fortran_order, const Shape& shape) {
  Strides strides;
  strides.resize(shape.size());
  auto stride = static_cast<std::int64_t>(item_size(dtype));
  for (int i = 0; i < shape.size(); ++i) {
    const int axis = fortran_order ? i : shape.size() - 1 - i;
    strides[axis] = stride;
    stride *= std::max<std::int64_t>(shape[axis], 1);
  }
  return strides;
}

}  // namespace engine::cli

// base/diagnostic.cpp - spans and labels drawn under the text they point into.
// in: a Diagnostic over any bytes   out: short lines of printable UTF-8, carets under code points
#include <fmt/format.h>
#include <engine/error.hpp>

#include <algorithm>

namespace engine {
namespace {

constexpr std::size_t kWindow = 100;  // columns of a long line that are shown
constexpr std::size_t kMaxLabels = 4;

struct Line {
  std::size_t begin, end;
};

Line line_at(std::string_view text, std::size_t at) {
  at = std::min(at, text.size());
  const std::size_t newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  const std::size_t end = text.find('\n', at);
  return {newline == std::string_view::npos ? 0 : newline + 1, end == std::string_view::npos ? text.size() : end};
}

/// Bytes of the well-formed UTF-8 sequence at `at`, or 0.
std::size_t sequence(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t n = lead < 0x80                   ? 1
                        : lead >= 0xc2 && lead < 0xe0 ? 2
                        : lead >= 0xe0 && lead < 0xf0 ? 3
                        : lead >= 0xf0 && lead < 0xf5 ? 4
                                                      : 0;
  if (n == 0 || at + n > text.size()) return 0;
  for (std::size_t i = 1; i < n; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 0;
  return n;
}

/// One line made printable: control characters and stray bytes are escaped. columns[i] is where byte i came out.
struct Printable {
  std::string text;
  std::vector<std::size_t> columns;
};

Printable printable(std::string_view line) {
  Printable out;
  std::size_t column = 0;
  const auto put = [&](std::string_view shown, std::size_t width, std::size_t n_bytes) {
    for (std::size_t i = 0; i < n_bytes; ++i) out.columns.push_back(column);
    out.text += shown;
    column += width;
  };
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t n = sequence(line, at);
    const auto byte = static_cast<unsigned char>(line[at]);
    if (n == 0 || byte < 0x20 || byte == 0x7f) {
      const std::string escaped = byte == '\t' ? std::string(" ") : fmt::format("\\x{:02x}", byte);
      put(escaped, escaped.size(), 1);
      ++at;
    } else {
      put(line.substr(at, n), 1, n);
      at += n;
    }
  }
  out.columns.push_back(column);
  return out;
}

/// What is shown of a line: all of it, or a window around the labels.
void draw_line(std::string& out, std::string_view text, Line line, const std::vector<const Label*>& labels) {
  std::size_t begin = line.begin, end = line.end;
  if (end - begin > kWindow) {
    const std::size_t first = labels.front()->span.begin;
    begin = first > line.begin + kWindow / 3 ? std::min(first - kWindow / 3, end - kWindow) : begin;
    end = std::min(end, begin + kWindow);
    while (begin > line.begin && (static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80) --begin;
    while (end < line.end && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  }
  const bool cut_left = begin > line.begin, cut_right = end < line.end;
  const Printable shown = printable(text.substr(begin, end - begin));
  out += fmt::format("  | {}{}{}\n", cut_left ? "…" : "", shown.text, cut_right ? "…" : "");
  const auto column_of = [&](std::size_t at) { return shown.columns[std::clamp(at, begin, end) - begin] + (cut_left ? 1 : 0); };
  std::size_t widest = 0;
  for (const Label* label : labels) {
    const std::size_t from = column_of(label->span.begin);
    widest = std::max({widest, from + 1, column_of(std::min<std::size_t>(label->span.end, line.end))});
  }
  for (const Label* label : labels) {
    const std::size_t from = column_of(label->span.begin);
    const std::size_t to = std::max(from + 1, column_of(std::min<std::size_t>(label->span.end, line.end)));
    out += fmt::format("  | {:{}}{:^>{}}", "", from, "", to - from);
    if (!label->text.empty()) out += fmt::format("{:{}}{}", "", widest - to + 2, label->text);
    out += "\n";
  }
}

}  // namespace

std::string render(const Diagnostic& d) {
  std::string out = d.what;
  if (!d.text.empty() || !d.labels.empty()) {
    out += "\n";
    std::size_t drawn = 0;
    // Labels are drawn line by line, lines in the order of the text.
    std::vector<const Label*> labels;
    for (const Label& label : d.labels)
      if (label.span.begin <= d.text.size() && labels.size() < kMaxLabels) labels.push_back(&label);
    std::stable_sort(labels.begin(), labels.end(), [](const Label* a, const Label* b) { return a->span.begin < b->span.begin; });
    while (drawn < labels.size()) {
      const Line line = line_at(d.text, labels[drawn]->span.begin);
      std::vector<const Label*> here;
      while (drawn < labels.size() && labels[drawn]->span.begin <= line.end) here.push_back(labels[drawn++]);
      draw_line(out, d.text, line, here);
    }
    out.pop_back();
  }
  if (!d.help.empty()) out += "\n  = help: " + d.help;
  return out;
}

std::string_view name(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::Parse:
      return "ParseError";
    case ErrorKind::UnknownName:
      return "UnknownName";
    case ErrorKind::DType:
      return "DTypeError";
    case ErrorKind::Shape:
      return "ShapeError";
    case ErrorKind::Range:
      return "RangeError";
    case ErrorKind::Limit:
      return "LimitError";
    case ErrorKind::Backend:
      return "BackendError";
    case ErrorKind::OutOfMemory:
      return "OutOfMemory";
    case ErrorKind::Internal:
      return "InternalError";
  }
  return "Error";
}

Error::Error(ErrorKind kind, Diagnostic diagnostic) : kind_(kind), diagnostic_(std::move(diagnostic)), rendered_(render(diagnostic_)) {}

void Error::attach_text(std::string_view text) {
  if (!diagnostic_.text.empty() || text.empty()) return;
  diagnostic_.text = text;
  rendered_ = render(diagnostic_);
}

}  // namespace engine

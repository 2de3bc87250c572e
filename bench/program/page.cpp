// bench/program/page.cpp - the page of report.hpp: inline SVG on logarithmic axes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bench/program/report.hpp"

namespace engine::bench {
namespace {

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) safe += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : std::string(1, c);
  return safe;
}

constexpr const char* kColours[] = {"#0b6e99", "#c4501b", "#3a7d44", "#7a4fa3", "#a3871b", "#a32e55", "#4a5568", "#1b8f8a"};

struct Point {
  double x, y;
  std::string title;
};
struct Series {
  std::string name;
  std::vector<Point> points;
  bool has_line = true;
};

/// 1, 10, 100 … with SI letters; of a ratio without.
std::string power_text(int exponent, bool is_ratio) {
  if (is_ratio && exponent >= -4 && exponent <= 4) return fmt::format("{:.{}f}", std::pow(10, exponent), std::max(0, -exponent));
  static constexpr const char* kLetters[] = {"n", "u", "m", "", "k", "M", "G", "T", "P"};
  const int group = static_cast<int>(std::floor(exponent / 3.0));
  if (group < -3 || group > 5) return fmt::format("1e{}", exponent);
  return fmt::format("{:.0f}{}", std::pow(10, exponent - 3 * group), kLetters[group + 3]);
}

/// When the colours begin again, dots are filled and lines are dashed in other ways.
struct Mark {
  static constexpr const char* kFills[] = {"#ffffff", "#cbd5e0", "#1a202c"};
  explicit Mark(std::size_t number)
      : colour(kColours[number % std::size(kColours)]), turn(number / std::size(kColours) % 4), fill(turn ? kFills[turn - 1] : colour) {}
  std::string dot() const { return fmt::format("fill=\"{}\" stroke=\"{}\" stroke-width=\"1.4\"", fill, colour); }
  std::string line() const {
    static constexpr const char* kDashes[] = {"none", "7 3", "2 3", "9 3 2 3"};
    return fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\" stroke-dasharray=\"{}\"", colour, kDashes[turn]);
  }
  const char* colour;
  std::size_t turn;
  const char* fill;
};

std::string chart(std::string_view title, std::string_view x_title, std::string_view y_title, bool is_ratio,
                  const std::vector<Series>& all) {
  constexpr double kWidth = 760, kHeight = 400, kLeft = 70, kRight = 170, kTop = 34, kBottom = 48;
  double x_low = std::numeric_limits<double>::max(), x_high = 0, y_low = x_low, y_high = 0;
  for (const Series& series : all)
    for (const Point& point : series.points) {
      x_low = std::min(x_low, point.x);
      x_high = std::max(x_high, point.x);
      y_low = std::min(y_low, point.y);
      y_high = std::max(y_high, point.y);
    }
  if (x_high <= 0 || y_high <= 0) return {};
  const int x_first = static_cast<int>(std::floor(std::log10(x_low))),
            x_last = std::max(x_first + 1, static_cast<int>(std::ceil(std::log10(x_high))));
  const int y_first = static_cast<int>(std::floor(std::log10(y_low))),
            y_last = std::max(y_first + 1, static_cast<int>(std::ceil(std::log10(y_high))));
  const auto x_of = [&](double x) { return kLeft + (std::log10(x) - x_first) / (x_last - x_first) * (kWidth - kLeft - kRight); };
  const auto y_of = [&](double y) {
    return kHeight - kBottom - (std::log10(y) - y_first) / (y_last - y_first) * (kHeight - kTop - kBottom);
  };
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">\n<text class=\"title\" x=\"{:.0f}\" y=\"18\">{}</text>\n", kWidth,
      kHeight, escaped(title), kLeft, escaped(title));
  for (int e = x_first; e <= x_last; ++e) {
    const double x = x_of(std::pow(10, e));
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\"/><text x=\"{0:.1f}\" y=\"{3:.1f}\" "
        "text-anchor=\"middle\">{4}</text>\n",
        x, kTop, kHeight - kBottom, kHeight - kBottom + 16, power_text(e, is_ratio));
  }
  for (int e = y_first; e <= y_last; ++e) {
    const double y = y_of(std::pow(10, e));
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{1:.1f}\" y1=\"{0:.1f}\" x2=\"{2:.1f}\" y2=\"{0:.1f}\"/><text x=\"{3:.1f}\" y=\"{4:.1f}\" "
        "text-anchor=\"end\">{5}</text>\n",
        y, kLeft, kWidth - kRight, kLeft - 6, y + 4, power_text(e, false));
  }
  svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", (kLeft + kWidth - kRight) / 2, kHeight - 8,
                     escaped(x_title));
  svg += fmt::format("<text x=\"16\" y=\"{0:.1f}\" text-anchor=\"middle\" transform=\"rotate(-90 16 {0:.1f})\">{1}</text>\n",
                     (kTop + kHeight - kBottom) / 2, escaped(y_title));
  constexpr std::size_t kMostNames = 26;
  const double pitch = std::min(17.0, (kHeight - kTop - kBottom - 6) / static_cast<double>(std::min(all.size(), kMostNames)));
  std::size_t number = 0;
  for (const Series& series : all) {
    if (series.points.empty()) continue;
    const Mark mark(number);
    if (series.has_line && series.points.size() > 1) {
      std::string path;
      for (const Point& point : series.points)
        path += fmt::format("{}{:.1f},{:.1f}", path.empty() ? "M" : " L", x_of(point.x), y_of(point.y));
      svg += fmt::format("<path d=\"{}\" {}/>\n", path, mark.line());
    }
    for (const Point& point : series.points)
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" {}><title>{}</title></circle>\n", x_of(point.x), y_of(point.y),
                         mark.dot(), escaped(point.title));
    const double y = kTop + 9 + pitch * static_cast<double>(number);
    const bool is_last = number + 1 == kMostNames && all.size() > kMostNames;
    if (is_last) svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">and {} more</text>\n", kWidth - kRight + 27, y, all.size() - number);
    if (number < kMostNames && !is_last)
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" {}/><text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                         kWidth - kRight + 18, y - 4, mark.dot(), kWidth - kRight + 27, y, escaped(series.name));
    ++number;
  }
  return svg + "</svg>\n";
}

/// Operations a byte against operations a second, below the roof that memory makes.
std::string roofline(const std::vector<Row>& rows, std::string_view backend, double bytes_rate, double peak) {
  std::vector<Series> all;
  double low = std::numeric_limits<double>::max(), high = 0;
  for (const Row& row : rows) {
    if (row.is_counted() || row.backend != backend || row.operations <= 0 || row.bytes <= 0) continue;
    const double intensity = row.operations / row.bytes;
    const auto found = std::find_if(all.begin(), all.end(), [&](const Series& s) { return s.name == row.name; });
    Series& series = found == all.end() ? all.emplace_back(Series{row.name, {}, false}) : *found;
    series.points.push_back({intensity, row.operations / row.seconds, row.id() + ": " + time_text(row.seconds)});
    low = std::min(low, intensity);
    high = std::max(high, intensity);
  }
  if (all.empty()) return {};
  if (bytes_rate > 0) {
    Series roof{"memory", {}, true};
    for (double x = low / 2; x <= high * 2; x *= 2) {
      const double y = peak > 0 ? std::min(x * bytes_rate, peak) : x * bytes_rate;
      roof.points.push_back({x, y, fmt::format("{:.0f} GB/s", bytes_rate / 1e9)});
    }
    all.insert(all.begin(), std::move(roof));
  }
  return chart(fmt::format("Roofline, {}", backend), "operations a byte", "operations a second", true, all);
}

std::string scaling(const std::vector<Row>& rows, std::string_view backend) {
  std::vector<Series> all;
  for (const Row& row : rows) {
    if (row.is_counted() || row.backend != backend) continue;
    const std::string name = row.name + " " + row.dtype;
    const auto found = std::find_if(all.begin(), all.end(), [&](const Series& s) { return s.name == name; });
    Series& series = found == all.end() ? all.emplace_back(Series{name, {}, true}) : *found;
    series.points.push_back({static_cast<double>(row.n), row.seconds, row.id() + ": " + time_text(row.seconds)});
  }
  for (Series& series : all)
    std::sort(series.points.begin(), series.points.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
  if (all.empty()) return {};
  return chart(fmt::format("Time of a call, {}", backend), "items", "seconds", false, all);
}

}  // namespace

std::string page(const std::vector<Row>& rows, const Machine& machine) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>engine-bench</title>\n<style>\n"
      "body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem;color:#1a202c}\n"
      "svg{width:100%;height:auto;margin:1rem 0}svg text{font-size:11px;fill:#4a5568}svg .title{font-size:14px;fill:#1a202c}\n"
      ".grid{stroke:#e2e8f0}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"
      "td,th{padding:.2rem .5rem;border-bottom:1px solid #e2e8f0;text-align:right}td:nth-child(-n+2),th:nth-child(-n+2){text-align:left}\n"
      "</style></head><body>\n<h1>engine-bench</h1>\n";
  html += fmt::format("<p>{}, {} thread{}, copies {:.1f} GB/s.", escaped(machine.processor), machine.threads,
                      machine.threads == 1 ? "" : "s", machine.copy_rate / 1e9);
  if (!machine.device.empty())
    html += machine.is_stand_in ? fmt::format(" {}: a stand-in, on which nothing is timed.", escaped(machine.device))
                                : fmt::format(" {}, {:.2f} TB/s by its driver.", escaped(machine.device), machine.device_rate / 1e12);
  html += "</p>\n";
  std::vector<std::string> backends;
  for (const Row& row : rows)
    if (std::find(backends.begin(), backends.end(), row.backend) == backends.end()) backends.push_back(row.backend);
  for (const std::string& backend : backends) {
    const bool is_device = backend == "cuda";
    html += roofline(rows, backend, is_device ? machine.device_rate : machine.copy_rate, is_device ? machine.device_fp64 : 0);
    html += scaling(rows, backend);
  }
  html +=
      "<table><tr><th>case</th><th>dtype</th><th>items</th><th>backend</th><th>time</th><th>±</th><th>GB/s</th><th>of limit</th><th>of "
      "copy</th><th>first call</th></tr>\n";
  for (const Row& row : rows) {
    html += fmt::format("<tr><td title=\"{}\">{}</td><td>{}</td><td>{}</td><td>{}</td>", escaped(row.text), escaped(row.name), row.dtype,
                        row.n, row.backend);
    if (row.is_counted()) {
      std::string counted;
      for (const auto& [name, value] : row.counters) counted += fmt::format("{}{} {:.3g}", counted.empty() ? "" : ", ", name, value);
      html += fmt::format("<td colspan=\"6\">{}</td></tr>\n", counted);
      continue;
    }
    const auto share = [](const std::optional<double>& value) { return value ? fmt::format("{:.0f} %", 100 * *value) : std::string(); };
    html += fmt::format("<td>{}</td><td>{:.1f} %</td><td>{:.2f}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", time_text(row.seconds),
                        100 * row.noise, row.bytes / row.seconds / 1e9, share(row.of_limit), share(row.of_copy), time_text(row.first_call));
  }
  return html + "</table>\n</body></html>\n";
}

}  // namespace engine::bench

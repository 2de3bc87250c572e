// kernels_cuda/ordered.cpp - see ordered.hpp.
#include "kernels_cuda/ordered.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <engine/error.hpp>
#include <limits>
#include <utility>

#include "engine/catalog/evaluate.hpp"
#include "engine/catalog/ordering.hpp"
#include "kernels_cuda/body.hpp"
#include "kernels_cuda/device/tiles.hpp"

namespace engine::cuda {
namespace {

using catalog::FormFlags;
using run::ordered::Rows;

static_assert(kThreads == kBlock);
/// So many columns for each multiprocessor fill a device with a thread for each.
constexpr std::int64_t kColumnsOfMultiprocessor = 128;
/// Elements of which a block counts the digits.
constexpr std::int64_t kCountedOfBlock = 8 * kRadixTile;

std::int64_t size_of(DType dtype) { return static_cast<std::int64_t>(item_size(dtype)); }

std::string identity_of(catalog::Reduction combine, DType dtype) {
  ir::Value value{};
  catalog::identity_scalar(combine, dtype, &value);
  return literal(dtype, value);
}

}  // namespace

Ordering::Ordering(DeviceState& device, Kernels& kernels, const Work& work, std::optional<ComputedSource> computed)
    : device_(device),
      kernels_(kernels),
      work_(work),
      computed_(std::move(computed)),
      lane_(lane_name(work.dtype)),
      n_flags_(work.rows.length) {}

std::string Ordering::RadixSort::key_type() const { return fmt::format("math::KeyOf<{}>", lane_name(dtype)); }

void Ordering::run() {
  const catalog::Form form = catalog::info(work_.ordered).form;
  switch (form) {  // those that give something of no elements, too
    case catalog::Form::Median:
    case catalog::Form::Quantile:
      return quantile();
    case catalog::Form::Searchsorted:
      return search();
    case catalog::Form::Histogram:
      return histogram();
    case catalog::Form::Edges:
      return edges();
    default:
      break;
  }
  if (work_.rows.total() == 0) return;
  switch (form) {
    case catalog::Form::Scan:
      return scan();
    case catalog::Form::Inverse:
      return inverse();
    case catalog::Form::Partition:
    case catalog::Form::Argpartition:
      return partition();
    case catalog::Form::Topk:
    case catalog::Form::Argtopk:
      return largest();
    default:
      return sort();
  }
}

// ---- launches and memory ---------------------------------------------------------------------------------------------------

void Ordering::step(const StepCall& call, std::int64_t blocks, Reads reads) {
  if (reads == Reads::Memory)
    kernels_.run_step(call, blocks);
  else
    kernels_.run_step(call, blocks, computed_->planned, computed_->space);
}

void Ordering::step_for_each(StepCall call, std::int64_t n, std::string_view body, Reads reads) {
  if (n == 0) return;
  call.with("long", "n_threads", n);
  call.text.body = fmt::format(
      "  const long at = static_cast<long>(blockIdx.x) * kThreads + threadIdx.x;\n"
      "  if (at >= n_threads) return;\n{}",
      body);
  step(call, ceil_div(n, kThreads), reads);
}

DevicePointer Ordering::scratch(std::int64_t bytes) {
  memory_.emplace_back(device_, static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1)));
  return memory_.back().address();
}

void Ordering::clear(DevicePointer memory, std::int64_t bytes) {
  if (device_.is_captured()) {  // a kernel, as all else is there
    StepCall zero;
    zero.with("unsigned*", "memory", memory);
    return step_for_each(std::move(zero), bytes / 4, "  memory[at] = 0;");
  }
  check(driver().cuMemsetD8Async(memory, 0, static_cast<std::size_t>(bytes), device_.stream()), "clearing counters");
}

void Ordering::read(void* to, DevicePointer from, std::size_t bytes) {
  if (device_.is_rehearsal()) return static_cast<void>(std::memset(to, 0, bytes));
  device_.copy_to_host(to, from, bytes);
  device_.synchronize();
}

void Ordering::write(DevicePointer to, const void* from, std::size_t bytes) {
  device_.copy_to_device(to, from, bytes);
  device_.synchronize();  // the bytes are the caller's
}

void Ordering::copy_whole(DType dtype, DevicePointer to, DevicePointer from, std::int64_t n) {
  const std::int64_t stride = size_of(dtype);
  kernels_.copy(dtype, 1, &n, {to, &stride}, {from, &stride});
}

DevicePointer Ordering::rows_together() {
  const Rows& rows = work_.rows;
  if (rows.inner == 1) return address(work_.source);
  const std::int64_t item = size_of(work_.dtype), outer = rows.inner * rows.length * item;
  const DevicePointer turned = scratch(rows.total() * item);
  const std::array<std::int64_t, 3> extents{rows.outer, rows.inner, rows.length};
  const std::array<std::int64_t, 3> to{outer, rows.length * item, item}, from{outer, item, rows.inner * item};
  kernels_.copy(work_.dtype, 3, extents.data(), {turned, to.data()}, {address(work_.source), from.data()});
  return turned;
}

/// make(out): rows of `length` elements one after the other, which then go where the target's rows are.
template <class Make>
void Ordering::with_rows_together(DType dtype, std::int64_t length, Make make) {
  const Rows& rows = work_.rows;
  const DevicePointer target = address(work_.target);
  if (rows.inner == 1) return make(target);
  const std::int64_t item = size_of(dtype), outer = rows.inner * length * item;
  const DevicePointer turned = scratch(rows.count() * length * item);
  make(turned);
  const std::array<std::int64_t, 3> extents{rows.outer, length, rows.inner};
  const std::array<std::int64_t, 3> to{outer, rows.inner * item, item}, from{outer, item, length * item};
  kernels_.copy(dtype, 3, extents.data(), {target, to.data()}, {turned, from.data()});
}

bool Ordering::gives_places() const { return catalog::form_of(work_.ordered).has(FormFlags::Places); }

std::string Ordering::pointer_to(DType dtype, bool is_const) const {
  return fmt::format("{}{}*", is_const ? "const " : "", lane_name(dtype));
}

// ---- scans -----------------------------------------------------------------------------------------------------------------

void Ordering::scan() {
  const Rows& rows = work_.rows;
  const catalog::Reduction combine = catalog::info(work_.ordered).combine;
  const std::string types = fmt::format(
      "struct Scan {{\n"
      "  using Value = {};\n"
      "  ENGINE_LANE static Value combine(Value x, Value y) {{ return static_cast<Value>({}); }}\n"
      "  ENGINE_LANE static Value identity() {{ return {}; }}\n"
      "}};\n",
      lane_, catalog::info(combine).combine, identity_of(combine, work_.dtype));
  const std::string_view put = work_.exclusive ? "if (i == 0) out[of.place(row, 0)] = Scan::identity();\n"
                                                 "    if (i + 1 < of.length) out[of.place(row, i + 1)] = value;"
                                               : "out[of.place(row, i)] = value;";
  StepCall call;
  call.text.types = types;
  call.with("Scan::Value*", "out", address(work_.target)).with("long", "length", rows.length).with("long", "inner", rows.inner);
  call.with("long", "rows", rows.count());
  if (rows.inner > 1 && rows.count() >= kColumnsOfMultiprocessor * device_.multiprocessors()) {
    call.text.body = fmt::format(
        "  const RowsOf of{{length, inner}};\n"
        "  scan_column<Scan>(of, rows, source, [&](long row, long i, Scan::Value value) {{\n    {}\n  }});",
        put);
    return step(call, ceil_div(rows.count(), kThreads), Reads::Source);
  }
  const std::int64_t tiles = ceil_div(rows.length, math::kScanTile);
  const std::int64_t at_once = tiles > 1 ? 1 : math::kScanSegments / ceil_div(rows.length, math::kScanSegment);
  const std::int64_t blocks = tiles > 1 ? rows.count() * tiles : ceil_div(rows.count(), at_once), spans = ceil_div(tiles, math::kScanSpan);
  const std::int64_t item = size_of(work_.dtype);
  const DevicePointer totals = tiles > 1 ? scratch(rows.count() * (tiles + spans) * item) : 0;
  call.with("long", "tiles", tiles).with("long", "at_once", at_once).with("Scan::Value*", "totals", totals);
  const auto body = [](std::string_view total, std::string_view stored) {
    return fmt::format(
        "  const RowsOf of{{length, inner}};\n"
        "  scan_tile<Scan>(ScanShape{{of, rows, tiles, static_cast<unsigned>(at_once)}}, source,\n"
        "    [&](long row, long tile, Scan::Value value) {{ {} }},\n"
        "    [&](long row, long tile) {{ return totals[row * tiles + tile]; }},\n"
        "    [&](long row, long i, Scan::Value value) {{\n    {}\n    }});",
        total, stored);
  };
  if (tiles > 1) {
    call.text.body = body("totals[row * tiles + tile] = value;", "");
    step(call, blocks, Reads::Source);
    StepCall bases;
    bases.text.types = types;
    bases.text.has_complex = is_complex(work_.dtype);
    bases.text.body = "  scan_bases<Scan>(totals, totals + gridDim.x * tiles, tiles);";
    bases.with("Scan::Value*", "totals", totals).with("long", "tiles", tiles);
    step(bases, rows.count());
  }
  call.text.body = body("", put);
  step(call, blocks, Reads::Source);
}

// ---- sorts -----------------------------------------------------------------------------------------------------------------

void Ordering::sort() {
  const Rows& rows = work_.rows;
  const DevicePointer values = rows_together();
  with_rows_together(gives_places() ? DType::Int64 : work_.dtype, rows.length, [&](DevicePointer out) {
    if (!is_complex(work_.dtype)) {
      return sort_rows({.dtype = work_.dtype,
                        .rows = rows.count(),
                        .length = rows.length,
                        .keys_in = values,
                        .keys_out = gives_places() ? 0 : out,
                        .places_out = gives_places() ? out : 0});
    }
    const DevicePointer places = places_of_complex(values);
    if (gives_places()) return copy_whole(DType::Int64, out, places, rows.total());
    const DevicePointer kept = scratch(rows.total() * size_of(work_.dtype));  // values may lie where they go
    copy_whole(work_.dtype, kept, values, rows.total());
    gather(work_.dtype, kept, places, rows.length, rows.length, out);
  });
}

void Ordering::sort_rows(const RadixSort& sort) {
  if (sort.rows == 0 || sort.length == 0) return;
  return sort.length <= kRadixTile ? sort_tiles(sort) : sort_by_passes(sort);
}

void Ordering::sort_tiles(const RadixSort& sort) {
  const std::string key = sort.key_type();
  const std::int64_t at_once = kRadixTile / sort.length;
  StepCall call;
  call.text.needs_cub = true;
  call.text.body = fmt::format(
      "  sort_tile<{}, {}>(in, out, places_in, places_out, rows, length, static_cast<unsigned>(at_once), static_cast<{}>(flip));",
      lane_name(sort.dtype), sort.places_out != 0, key);
  call.with("const " + key + "*", "in", sort.keys_in).with(key + "*", "out", sort.keys_out);
  call.with("const long*", "places_in", sort.places_in).with("long*", "places_out", sort.places_out);
  call.with("long", "rows", sort.rows).with("long", "length", sort.length).with("long", "at_once", at_once);
  call.with("unsigned long", "flip", sort.flip());
  step(call, ceil_div(sort.rows, at_once));
}

void Ordering::sort_by_passes(const RadixSort& sort) {
  const std::string_view lane = lane_name(sort.dtype);
  const std::string key = sort.key_type();
  const bool has_places = sort.places_out != 0;
  const std::int64_t item = size_of(sort.dtype), passes = 8 * item / kDigitBits, n = sort.rows * sort.length;
  const std::int64_t tiles = ceil_div(sort.length, kRadixTile), chunks = ceil_div(sort.length, kCountedOfBlock);
  // Passes take turns between two memories, so that the last one ends where the elements belong.
  const DevicePointer keys[2] = {sort.keys_out ? sort.keys_out : scratch(n * item), scratch(n * item)};
  const DevicePointer places[2] = {sort.places_out, has_places ? scratch(n * 8) : 0};
  const std::int64_t digits_of_pass = sort.rows * kDigits * 8, published_bytes = sort.rows * tiles * kDigits * 8;
  const DevicePointer counts = scratch(passes * digits_of_pass), published = scratch(published_bytes), drawn = scratch(passes * 4);
  clear(counts, passes * digits_of_pass);
  clear(drawn, passes * 4);

  StepCall count;
  count.text.body = fmt::format("  count_digits<{}>(in, counts, rows, length, chunks, static_cast<{}>(flip));", lane, key);
  count.with("const " + key + "*", "in", sort.keys_in).with("unsigned long*", "counts", counts).with("long", "rows", sort.rows);
  count.with("long", "length", sort.length).with("long", "chunks", chunks).with("unsigned long", "flip", sort.flip());
  step(count, sort.rows * chunks);
  StepCall sum;
  sum.text.body = "  sum_digits(counts);";
  sum.with("unsigned long*", "counts", counts);
  step(sum, passes * sort.rows);

  DevicePointer keys_in = sort.keys_in, places_in = sort.places_in;
  for (std::int64_t p = 0; p < passes; ++p) {
    // A single pass must not write where it reads.
    const bool is_apart = passes == 1 && (keys_in == keys[0] || (has_places && places_in == places[0]));
    const std::size_t to = is_apart ? 1 : static_cast<std::size_t>((passes - 1 - p) % 2);
    clear(published, published_bytes);
    StepCall pass;
    pass.text.needs_cub = true;
    pass.text.body = fmt::format(
        "  radix_pass<{}, {}>(in, out, places_in, places_out, less, published, drawn, length, tiles,\n"
        "    static_cast<unsigned>(shift), static_cast<{}>(flip));",
        lane, has_places, key);
    pass.with("const " + key + "*", "in", keys_in).with(key + "*", "out", keys[to]);
    pass.with("const long*", "places_in", places_in).with("long*", "places_out", places[to]);
    pass.with("const unsigned long*", "less", counts + static_cast<DevicePointer>(p * digits_of_pass));
    pass.with("unsigned long*", "published", published).with("unsigned*", "drawn", drawn + static_cast<DevicePointer>(p * 4));
    pass.with("long", "length", sort.length).with("long", "tiles", tiles).with("long", "shift", p * kDigitBits);
    pass.with("unsigned long", "flip", sort.flip());
    step(pass, sort.rows * tiles);
    keys_in = keys[to];
    places_in = places[to];
    if (!is_apart) continue;
    copy_whole(sort.dtype, keys[0], keys[1], n);
    if (has_places) copy_whole(DType::Int64, places[0], places[1], n);
  }
}

/// By the imaginary part, then by the real one, then by what is NaN: each sort leaves equal ones as they came.
DevicePointer Ordering::places_of_complex(DevicePointer values) {
  const Rows& rows = work_.rows;
  const DType part = work_.dtype == DType::Complex64 ? DType::Float32 : DType::Float64;
  const DevicePointer keys = scratch(rows.total() * size_of(part));
  DevicePointer places = 0;
  const auto by = [&](DType dtype, std::string_view key) {
    StepCall call;
    call.text.has_complex = true;
    call.with(pointer_to(work_.dtype), "values", values).with("const long*", "places", places);
    call.with(pointer_to(dtype, false), "keys", keys).with("long", "length", rows.length);
    step_for_each(call, rows.total(),
                  fmt::format("  const {} value = values[places ? at / length * length + places[at] : at];\n  keys[at] = {};", lane_, key));
    const DevicePointer next = scratch(rows.total() * 8);
    sort_rows({.dtype = dtype, .rows = rows.count(), .length = rows.length, .keys_in = keys, .places_in = places, .places_out = next});
    places = next;
  };
  by(part, "value.im");
  by(part, "value.re");
  by(DType::UInt8, "static_cast<unsigned char>(math::nans_of(value))");
  return places;
}

/// out[row][i] = values[row][places[row][i]] for i < n, of rows of `length`.
void Ordering::gather(DType dtype, DevicePointer values, DevicePointer places, std::int64_t length, std::int64_t n, DevicePointer out) {
  StepCall call;
  call.text.has_complex = is_complex(dtype);
  call.with(pointer_to(dtype), "values", values).with("const long*", "places", places).with(pointer_to(dtype, false), "out", out);
  call.with("long", "length", length).with("long", "n", n);
  step_for_each(call, work_.rows.count() * n, "  const long first = at / n * length;\n  out[at] = values[first + places[first + at % n]];");
}

/// By the key of the element that a sort puts in place: what is less, its equals, what is more; as they come in each.
void Ordering::partition() {
  const Rows& rows = work_.rows;
  const std::int64_t k = work_.number < 0 ? work_.number + rows.length : work_.number;
  const DevicePointer values = rows_together();
  const DevicePointer sorted = scratch(rows.total() * size_of(work_.dtype)), sides = scratch(rows.total());
  sort_rows({.dtype = work_.dtype, .rows = rows.count(), .length = rows.length, .keys_in = values, .keys_out = sorted});
  StepCall call;
  call.with(pointer_to(work_.dtype), "values", values).with(pointer_to(work_.dtype), "sorted", sorted);
  call.with("unsigned char*", "sides", sides).with("long", "length", rows.length).with("long", "k", k);
  step_for_each(call, rows.total(),
                fmt::format("  const {} own = values[at], middle = sorted[at / length * length + k];\n"
                            "  sides[at] = math::goes_before(own, middle) ? 0 : math::goes_before(middle, own) ? 2 : 1;",
                            lane_));
  with_rows_together(gives_places() ? DType::Int64 : work_.dtype, rows.length, [&](DevicePointer out) {
    const DevicePointer order = gives_places() ? out : scratch(rows.total() * 8);
    sort_rows({.dtype = DType::UInt8, .rows = rows.count(), .length = rows.length, .keys_in = sides, .places_out = order});
    if (!gives_places()) gather(work_.dtype, values, order, rows.length, rows.length, out);
  });
}

void Ordering::largest() {
  const Rows& rows = work_.rows;
  if (work_.number == 0) return;
  const DevicePointer values = rows_together(), order = scratch(rows.total() * 8);
  sort_rows({.dtype = work_.dtype, .rows = rows.count(), .length = rows.length, .keys_in = values, .places_out = order, .down = true});
  with_rows_together(gives_places() ? DType::Int64 : work_.dtype, work_.number, [&](DevicePointer out) {
    if (!gives_places()) return gather(work_.dtype, values, order, rows.length, work_.number, out);
    const std::array<std::int64_t, 2> extents{rows.count(), work_.number}, to{work_.number * 8, 8}, from{rows.length * 8, 8};
    kernels_.copy(DType::Int64, 2, extents.data(), {out, to.data()}, {order, from.data()});
  });
}

void Ordering::quantile() {
  const Rows& rows = work_.rows;
  const bool is_median = catalog::info(work_.ordered).form == catalog::Form::Median;
  double q = 0;
  if (!is_median) read(&q, address(work_.second), sizeof q);
  const run::ordered::QuantilePlace place = run::ordered::place_of_quantile(rows.length, is_median ? nullptr : &q);
  DevicePointer sorted = 0;
  if (rows.total() > 0) {
    const DevicePointer values = rows_together();
    sorted = scratch(rows.total() * size_of(work_.dtype));
    sort_rows({.dtype = work_.dtype, .rows = rows.count(), .length = rows.length, .keys_in = values, .keys_out = sorted});
  }
  StepCall call;
  call.with(pointer_to(work_.dtype), "sorted", sorted).with("long", "length", rows.length).with("long", "k", place.k);
  call.with("long", "both", std::int64_t{place.both}).with("double", "fraction", std::bit_cast<std::uint64_t>(place.fraction));
  call.with(pointer_to(work_.dtype, false), "out", address(work_.target));
  step_for_each(
      call, rows.count(),
      fmt::format("  out[at] = quantile_of_row<{}>(sorted + at * length, length, k, both != 0, {}, fraction);", lane_, is_median));
}

// ---- what picks elements ---------------------------------------------------------------------------------------------------

/// The definition of `flag`, which tells of each element whether it is picked.
StepCall Ordering::picking() const {
  StepCall call;
  if (catalog::info(work_.ordered).form == catalog::Form::Select) {
    call.with("const unsigned char*", "condition", address(work_.second));
    call.text.body = "  const auto flag = [&](long i) { return condition[i] != 0; };\n";
  } else {
    call.text.has_complex = is_complex(work_.dtype);
    call.with(pointer_to(work_.dtype), "values", address(work_.source)).with("const long*", "order", address(work_.second));
    call.text.body = fmt::format("  const SortedRuns<{}> flag{{values, order}};\n", lane_);
  }
  return call;
}

void Ordering::count_picked() {
  const std::int64_t tiles = ceil_div(n_flags_, kPickTile);
  before_ = scratch((tiles + 1) * 8);
  StepCall call = picking();
  call.with("long", "n", n_flags_).with("long*", "counts", before_);
  call.text.body += "  count_picked(flag, n, counts);";
  step(call, tiles);
  StepCall sum;
  sum.with("long*", "counts", before_).with("long", "n", tiles);
  sum.text.body = "  sum_counts(counts, n);";
  step(sum, 1);
}

/// `put`: a statement about `i`, of which `k` are picked before it, and whether it is `picked`.
void Ordering::collect_picked(StepCall call, std::string_view put, Reads reads) {
  call.with("long", "n", n_flags_).with("const long*", "before", before_);
  call.text.body += fmt::format("  collect_picked(flag, n, before, [&](long i, long k, bool picked) {{\n    {}\n  }});", put);
  step(call, ceil_div(n_flags_, kPickTile), reads);
}

std::int64_t Ordering::find() {
  if (catalog::info(work_.ordered).form == catalog::Form::Bincount) return find_bins();
  if (n_flags_ == 0) return 0;
  count_picked();
  read(&n_found_, before_ + static_cast<DevicePointer>(ceil_div(n_flags_, kPickTile) * 8), sizeof n_found_);
  if (device_.is_rehearsal()) n_found_ = 1;  // so that what picks it is compiled, too
  return n_found_;
}

void Ordering::collect(DevicePointer target) {
  const catalog::Form form = catalog::info(work_.ordered).form;
  if (n_found_ == 0) return;
  if (form == catalog::Form::Bincount) return collect_bins(target);
  if (work_.rows.total() == 0) return;
  StepCall call = picking();
  switch (form) {
    case catalog::Form::Select:
      if (work_.rows.inner > 1) return collect_rows(target);
      call.with(pointer_to(work_.dtype, false), "out", target);
      return collect_picked(call, "if (picked) out[k] = source(i);", Reads::Source);
    case catalog::Form::Unique:
      call.with(pointer_to(work_.dtype, false), "out", target);
      return collect_picked(call, "if (picked) out[k] = flag.at(i);");
    case catalog::Form::Firsts:
      call.with("long*", "out", target);
      return collect_picked(call, "if (picked) out[k] = order[i];");
    default:
      break;
  }
  const DevicePointer begins = scratch(n_found_ * 8);
  call.with("long*", "out", begins);
  collect_picked(call, "if (picked) out[k] = i;");
  StepCall lengths;
  lengths.with("const long*", "begins", begins).with("long*", "lengths", target).with("long", "count", n_found_);
  lengths.with("long", "n", n_flags_);
  step_for_each(lengths, n_found_, "  lengths[at] = (at + 1 < count ? begins[at + 1] : n) - begins[at];");
}

/// Rows of `inner` elements for each condition: first which, then their elements.
void Ordering::collect_rows(DevicePointer target) {
  const DevicePointer rows = scratch(n_found_ * 8);
  StepCall call = picking();
  call.with("long*", "out", rows);
  collect_picked(call, "if (picked) out[k] = i;");
  StepCall fetch;
  fetch.with("const long*", "rows", rows).with(pointer_to(work_.dtype, false), "out", target).with("long", "inner", work_.rows.inner);
  step_for_each(fetch, n_found_ * work_.rows.inner, "  out[at] = source(rows[at / inner] * inner + at % inner);", Reads::Source);
}

void Ordering::inverse() {
  count_picked();
  StepCall call = picking();
  call.with("long*", "out", address(work_.target));
  collect_picked(call, "out[order[i]] = k + picked - 1;");
}

// ---- what is counted -------------------------------------------------------------------------------------------------------

void Ordering::search() {
  StepCall call;
  call.text.has_complex = is_complex(work_.dtype);
  call.with(pointer_to(work_.dtype), "sorted", address(work_.source)).with(pointer_to(work_.dtype), "values", address(work_.second));
  call.with("long*", "out", address(work_.target)).with("long", "n", work_.rows.length);
  step_for_each(call, work_.n_second, fmt::format("  out[at] = math::places_before<{}>(sorted, n, values[at]);", work_.exclusive));
}

/// Bounds and edges are made by the host, a few numbers.
void Ordering::edges() {
  std::array<std::byte, 8> low{}, high{};
  const std::size_t item = item_size(work_.dtype);
  read(low.data(), address(work_.source), item);
  read(high.data(), address(work_.second), item);
  std::vector<std::byte> made(static_cast<std::size_t>(work_.number) * item);
  Work host = work_;
  host.source = low.data();
  host.second = high.data();
  host.target = made.data();
  run::ordered::run_histogram(host);
  write(address(work_.target), made.data(), made.size());
}

void Ordering::histogram() {
  double low = 0, high = 0;
  read(&low, address(work_.second), sizeof low);
  read(&high, address(work_.third), sizeof high);
  const DType dtype = work_.dtype == DType::Float32 ? DType::Float32 : DType::Float64;
  const std::size_t item = item_size(dtype);
  std::vector<std::byte> made(static_cast<std::size_t>(work_.number + 1) * item);
  run::ordered::make_edges(work_, low, high, made.data());
  const DevicePointer edges = scratch(static_cast<std::int64_t>(made.size()));
  write(edges, made.data(), made.size());
  clear(address(work_.target), work_.number * 8);
  StepCall call;
  call.with(pointer_to(work_.dtype), "values", address(work_.source)).with(pointer_to(dtype), "edges", edges);
  call.with("long", "bins", work_.number).with("unsigned long long*", "counts", address(work_.target));
  step_for_each(call, work_.rows.length,
                fmt::format("  const long bin = math::bin_of(static_cast<{}>(values[at]), edges, bins);\n"
                            "  if (bin >= 0) atomicAdd(counts + bin, 1ull);",
                            lane_name(dtype)));
}

std::int64_t Ordering::find_bins() {
  n_found_ = work_.number;
  if (work_.rows.length == 0) return n_found_;
  std::array<std::int64_t, 2> ends{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  const DevicePointer found = scratch(sizeof ends);
  write(found, ends.data(), sizeof ends);
  StepCall call;
  call.with("const long*", "values", address(work_.source)).with("long long*", "ends", found).with("long", "n", work_.rows.length);
  call.text.body = "  find_ends(values, n, ends);";
  step(call, std::min<std::int64_t>(ceil_div(work_.rows.length, kPickTile), 4096));
  read(ends.data(), found, sizeof ends);
  n_found_ = run::ordered::bins_for(ends[0], ends[1], work_.number);
  return n_found_;
}

/// Weights are added in order, as on the host: of each number's, which a stable sort brings together.
void Ordering::collect_bins(DevicePointer target) {
  const std::int64_t n = work_.rows.length;
  clear(target, n_found_ * 8);
  StepCall call;
  if (!work_.second) {
    call.with("const long*", "values", address(work_.source)).with("unsigned long long*", "counts", target);
    return step_for_each(call, n, "  atomicAdd(counts + values[at], 1ull);");
  }
  const DevicePointer sorted = scratch(n * 8), order = scratch(n * 8);
  sort_rows({.dtype = DType::Int64, .rows = 1, .length = n, .keys_in = address(work_.source), .keys_out = sorted, .places_out = order});
  call.with("const long*", "sorted", sorted).with("const long*", "order", order);
  call.with("const double*", "weights", address(work_.second)).with("double*", "sums", target).with("long", "n", n);
  step_for_each(call, n,
                "  if (at > 0 && sorted[at - 1] == sorted[at]) return;\n"
                "  double sum = 0;\n"
                "  for (long i = at; i < n && sorted[i] == sorted[at]; ++i) sum += weights[order[i]];\n"
                "  sums[sorted[at]] = sum;");
}

}  // namespace engine::cuda

// kernels_cuda/steps.cpp - how many steps a launch makes, of which tiles. See steps.hpp.
#include "kernels_cuda/steps.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "kernels_cuda/cost.hpp"

namespace engine::cuda {
namespace {

/// Bytes of shared memory that every device gives a block, and those of a multiprocessor that its blocks share.
constexpr std::int64_t kSharedBytes = 48 << 10, kSharedBytesOfAll = 96 << 10;
/// Steps at a time, of one axis and of more.
constexpr std::int64_t kMostSteps = 8, kMostStepsOfRows = 32;
/// Registers besides those of what is read again, and so many that none spill of one block, of two at once. Two hide better what one waits
/// for.
constexpr std::int64_t kOtherRegisters = 48, kMostRegisters = 160, kMostOfTwo = 96;
/// Bytes that memory moves at least.
constexpr std::int64_t kSector = 32;
constexpr std::int64_t kMostExtent = std::int64_t{1} << 30;

/// Nothing is known of what a device takes for these but that they are about as long on all: a launch behind another one, and a plane,
/// from a barrier to the next.
constexpr double kLaunch = 2e-6, kPlane = 0.3e-6;

std::int64_t place_of(const plan::Stepped& step, std::span<const std::uint32_t> slots, std::uint32_t k) {
  return std::find(slots.begin(), slots.end(), step.accesses[k].slot) - slots.begin();
}

}  // namespace

std::optional<StepsShape> shape_of_steps(const plan::Plan& plan, const plan::Stepped& step, std::span<const std::uint32_t> sources,
                                         std::span<const int> order) {
  StepsShape shape;
  const std::span<const plan::Store> stores = plan.stores_of(*step.kernel);
  const auto is_store = [&](std::uint32_t k) {
    return std::any_of(stores.begin(), stores.end(), [&](const plan::Store& s) { return s.access - step.kernel->first_access == k; });
  };
  for (const std::uint32_t slot : sources) {
    std::uint32_t k = 0;
    while (k < step.accesses.size() && (step.accesses[k].slot != slot || is_store(k))) ++k;
    if (k == step.accesses.size()) return {};  // nobody reads it: there is nothing to be gained
    shape.field_of_store.push_back(k);
  }
  for (const int at : order) {
    StepAxis axis{.axis = at, .kept = step.kept[static_cast<std::size_t>(at)]};
    bool has_sides = false;
    for (std::uint32_t k = 0; k < step.accesses.size(); ++k) {
      const plan::Toward& to = step.accesses[k].axes[static_cast<std::size_t>(at)];
      const bool is_field = place_of(step, sources, k) < static_cast<std::int64_t>(sources.size());
      if (to.offset == 0) continue;
      const int far = static_cast<int>(std::abs(to.offset));
      const bool wraps = to.low == Boundary::Wrap && to.high == Boundary::Wrap;
      if (is_field) {
        axis.radius = std::max(axis.radius, far);
        if (!wraps && (to.low == Boundary::Wrap || to.high == Boundary::Wrap)) return {};
        (wraps ? axis.wraps : has_sides) = true;
      }
      if (!is_field || !wraps) axis.rim = std::max(axis.rim, far);
    }
    if (axis.kept.low || axis.kept.high) has_sides = true;
    axis.rim = static_cast<int>(std::max<std::int64_t>({axis.rim, axis.kept.low, axis.kept.high}));
    if (axis.wraps && has_sides) return {};
    shape.axes.push_back(axis);
  }
  return shape;
}

StepsCall::StepsCall(const PlannedKernel& planned, const run::Advance& call) : planned_(planned), call_(call) {
  const int rank = call.step.rank;
  const auto n = call.step.accesses.size();
  for (const std::int64_t extent : call.extents) {
    if (extent > kMostExtent) return;
    total_ *= extent;
  }
  if (total_ < 2) return;
  const std::span<const plan::Store> stores = planned.plan.stores_of(planned.kernel);
  operands_.resize(n);
  strides_.resize(n);
  for (std::size_t k = 0; k < n; ++k) {
    const plan::Neighbour& access = call.step.accesses[k];
    const engine::Operand* given = call.slots[access.slot];
    Operand& operand = operands_[k];
    operand.dtype = planned.plan.buffers[planned.plan.accesses[planned.kernel.first_access + k].buffer].dtype;
    operand.strides = strides_[k].data();
    operand.is_store =
        std::any_of(stores.begin(), stores.end(), [&](const plan::Store& s) { return s.access - planned.kernel.first_access == k; });
    if (!given) return;
    if (given->weak != Weak::No) {
      operand.value = given->scalar;
      continue;
    }
    const ArrayView& array = given->array;
    operand.swapped = array.swapped;
    if (array.device == kHost) {
      if (access.rank != 0 || array.swapped) return;
      operand.value = array.data;
      continue;
    }
    if (array.device != call.device) return;
    operand.base = static_cast<char*>(array.data);
    const bool is_field = operand.is_store ||
                          place_of(call.step, call.sources, static_cast<std::uint32_t>(k)) < static_cast<std::int64_t>(call.sources.size());
    for (int axis = 0; axis < rank; ++axis) {
      const int own = axis - (rank - access.rank);
      const std::int64_t extent = own < 0 ? 1 : array.shape[own];
      const bool is_whole = extent == call.extents[static_cast<std::size_t>(axis)];
      // What repeats along an axis is read at offsets along it as if it had one element.
      if (!is_whole && (extent != 1 || is_field || access.axes[static_cast<std::size_t>(axis)].offset != 0)) return;
      strides_[k][static_cast<std::size_t>(axis)] = is_whole && own >= 0 ? array.strides[own] : 0;
    }
  }
  const Space space{rank, call.extents.data(), total_, operands_};
  for (std::size_t k = 0; k < n; ++k) {
    AccessLayout access = reach_of(space, operands_[k]);
    if (call.step.accesses[k].rank > 0) access.reach = Reach::Strided;
    accesses_.push_back(access);
  }
  // Lanes go along the axis whose elements of the first field lie closest.
  std::vector<int> order(static_cast<std::size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  const std::uint32_t first = stores[0].access - planned.kernel.first_access;
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return std::abs(strides_[first][static_cast<std::size_t>(a)]) > std::abs(strides_[first][static_cast<std::size_t>(b)]);
  });
  shape_ = shape_of_steps(planned.plan, call.step, call.sources, order);
  if (!shape_) return;
  // Beyond a side a read finds what is no further from it: of longer axes than both rims together.
  for (int p = 0; p < rank; ++p)
    if (extent(p) <= 2 * std::max(shape_->axes[static_cast<std::size_t>(p)].rim, shape_->axes[static_cast<std::size_t>(p)].radius)) {
      shape_.reset();
      return;
    }
}

bool StepsCall::is_field(std::uint32_t k) const {
  return place_of(call_.step, call_.sources, k) < static_cast<std::int64_t>(call_.sources.size());
}

Layout StepsCall::layout_for(std::int64_t steps, int width, int height) const {
  const int rank = call_.step.rank;
  Layout layout{.form = Form::Steps, .rank = rank, .accesses = accesses_};
  for (std::size_t p = 0; p < shape_->axes.size(); ++p) layout.walk[p] = static_cast<std::uint8_t>(shape_->axes[p].axis);
  layout.depth = rank == 1 ? 1 : static_cast<int>(steps);
  layout.width = width;
  layout.height = height;
  return layout;
}

std::int64_t StepsCall::shared_bytes(const Layout& layout) const {
  std::int64_t bytes = 0;  // of all fields in one place
  for (const std::uint32_t k : shape_->field_of_store) bytes += static_cast<std::int64_t>(item_size(operands_[k].dtype));
  const auto planes = static_cast<std::int64_t>(std::bit_ceil(static_cast<unsigned>(2 * shape_->axes[0].radius + 2)));
  return bytes * layout.width * layout.height * (layout.rank == 1 ? 2 : planes * layout.depth);
}

StepsCall::Stretch StepsCall::stretch(const Layout& layout, int p, std::int64_t steps) const {
  const auto rank = static_cast<int>(shape_->axes.size());
  const std::int64_t side = p == rank - 1 ? layout.width : layout.height;
  const std::int64_t halo = steps * shape_->axes[static_cast<std::size_t>(p)].radius;
  if (side < kBlock) return {side - 2 * halo, halo};
  // Warps begin where sectors do; of shorter rows that would cost too much.
  std::int64_t item = 1;
  for (const std::uint32_t k : shape_->field_of_store) item = std::max(item, static_cast<std::int64_t>(item_size(operands_[k].dtype)));
  const std::int64_t unit = std::max<std::int64_t>(kSector / item, 1), lead = ceil_div(halo, unit) * unit;
  return {(side - lead - halo) / unit * unit, lead};
}

/// What holds for a number of steps holds for fewer.
std::optional<StepsCall::Choice> StepsCall::choose(std::int64_t steps, const DeviceInfo& device) const {
  static constexpr std::pair<int, int> kLines[] = {{8 * kBlock, 1}, {4 * kBlock, 1}, {2 * kBlock, 1}, {kBlock, 1}};
  static constexpr std::pair<int, int> kRows[] = {{kBlock, 1}}, kPlanes[] = {{32, 32}, {32, 16}, {32, 8}};
  std::span<const std::pair<int, int>> tiles = kPlanes;
  if (call_.step.rank == 1) tiles = kLines;
  if (call_.step.rank == 2) tiles = kRows;
  std::optional<Choice> best;
  for (const auto& [width, height] : tiles)
    if (std::optional<Choice> each = choose(steps, device, layout_for(steps, width, height));
        each && (!best || each->seconds < best->seconds))
      best = std::move(each);
  return best;
}

std::optional<StepsCall::Choice> StepsCall::choose(std::int64_t steps, const DeviceInfo& device, Layout asked) const {
  Choice best{std::move(asked)};
  Layout& layout = best.layout;
  const std::int64_t bytes_of_block = shared_bytes(layout);
  if (bytes_of_block > kSharedBytes) return {};
  const auto rank = static_cast<int>(shape_->axes.size());
  const bool walks = rank > 1;
  const StepAxis& first = shape_->axes[0];
  for (int p = 0; p < rank; ++p) best.arguments.push_back(static_cast<std::uint64_t>(extent(p)));
  // Of each place of the field so many are made, and as many tiles as it takes.
  double width = 1, tiles = 1;
  for (int p = walks ? 1 : 0; p < rank; ++p) {
    const std::int64_t side = p == rank - 1 ? layout.width : layout.height;
    const auto [whole, lead] = stretch(layout, p, steps);
    if (whole < side / 4 + 1) return {};
    const std::int64_t n = ceil_div(extent(p), whole);
    for (const std::int64_t number : {n, whole, lead}) best.arguments.push_back(static_cast<std::uint64_t>(number));
    tiles *= static_cast<double>(n);
    width *= static_cast<double>(n * side) / static_cast<double>(extent(p));
  }
  if (walks && first.wraps && extent(0) < steps * first.radius) return {};

  const Cost cost = cost_of(planned_.plan, planned_.kernel);
  double read = 0, written = 0, shared = 0;
  std::int64_t registers = kOtherRegisters;
  std::vector<std::uint32_t> seen;
  for (std::uint32_t k = 0; k < operands_.size(); ++k) {
    const auto item = static_cast<double>(item_size(operands_[k].dtype));
    if (operands_[k].is_store) {
      written += item;
      shared += item;
      continue;
    }
    if (call_.step.accesses[k].rank == 0) continue;
    if (is_field(k)) {
      bool is_aside = false;
      for (int p = walks ? 1 : 0; p < rank; ++p)
        is_aside |= call_.step.accesses[k].axes[static_cast<std::size_t>(shape_->axes[static_cast<std::size_t>(p)].axis)].offset != 0;
      if (is_aside || !walks) shared += item;
      registers += static_cast<std::int64_t>(item) / 4 * steps * (layout.width * layout.height / kBlock) * (walks ? 1 : 0);
    }
    if (std::find(seen.begin(), seen.end(), call_.step.accesses[k].slot) == seen.end()) read += item;
    seen.push_back(call_.step.accesses[k].slot);
  }
  if (registers > kMostRegisters) return {};
  const auto total = static_cast<double>(total_), n_steps = static_cast<double>(steps);
  layout.unroll = registers <= kMostOfTwo ? 2 : 1;
  const std::int64_t at_once = std::clamp<std::int64_t>(kSharedBytesOfAll / bytes_of_block, 1, layout.unroll);
  const double in_flight = static_cast<double>(at_once * std::max(device.multiprocessors, 1));
  const double slots = cost.slots + 8 + 2 * static_cast<double>(shape_->field_of_store.size());
  bool any = false;
  std::uint64_t last = 0;
  for (std::int64_t rows = walks ? 16 : 1;; rows *= 2) {
    const std::int64_t n = walks ? extent(0) : 1;
    rows = std::min(rows, n);
    const auto chunks = static_cast<double>(ceil_div(n, rows));
    const double more = walks ? (chunks * static_cast<double>(rows) + chunks * 2 * n_steps * first.radius) / static_cast<double>(n) : 1;
    const double places = total * width * more;
    const double seconds = std::max({(places * read + total * written) / n_steps / device.bytes_per_second,
                                     places * slots / device.instructions_per_second, places * cost.fp64 / device.fp64_per_second,
                                     places * shared / device.instructions_per_second});  // 128 bytes, as 128 lanes, a cycle
    const double planes = walks ? static_cast<double>(rows + 2 * steps * first.radius + steps * (first.radius + 1)) : n_steps + 1;
    const double waves = std::ceil(tiles * chunks / in_flight);
    const double each = std::max(seconds, waves * planes * kPlane / n_steps) + kLaunch / n_steps;
    if (tiles * chunks < 1e9 && (!any || each < best.seconds)) {
      any = true;
      best.seconds = each;
      last = static_cast<std::uint64_t>(walks ? rows : steps);
      best.blocks = static_cast<std::int64_t>(tiles * chunks);
    }
    if (rows == n) break;
  }
  if (!any) return {};
  best.arguments.push_back(last);
  return best;
}

double StepsCall::seconds_alone(const DeviceInfo& device) const {
  const Cost cost = cost_of(planned_.plan, planned_.kernel);
  double bytes = 0, boxes = 1;
  std::vector<std::uint32_t> seen;
  for (std::uint32_t k = 0; k < operands_.size(); ++k) {
    if (call_.step.accesses[k].rank == 0 || std::find(seen.begin(), seen.end(), call_.step.accesses[k].slot) != seen.end()) continue;
    seen.push_back(call_.step.accesses[k].slot);
    bytes += static_cast<double>(item_size(operands_[k].dtype));
  }
  for (const StepAxis& axis : shape_->axes)
    if ((axis.rim > 0 || axis.wraps) && axis.kept == plan::KeptRim{}) boxes *= 3;
  const auto total = static_cast<double>(total_);
  return std::max({total * bytes / device.bytes_per_second, total * cost.slots / device.instructions_per_second,
                   total * cost.fp64 / device.fp64_per_second}) +
         boxes * kLaunch;
}

std::int64_t StepsCall::most_steps(std::int64_t steps, const DeviceInfo& device, Kernels& kernels) const {
  if (!shape_) return 0;
  std::int64_t most = std::min(steps, shape_->axes.size() > 1 ? kMostSteps : kMostStepsOfRows);
  while (most > 0) {
    double least = seconds_alone(device);
    std::int64_t found = 0;
    std::optional<Choice> choice;
    for (std::int64_t n = 1; n <= most; ++n)
      if (std::optional<Choice> each = choose(n, device); each && each->seconds < least) {
        least = each->seconds;
        found = n;
        choice = std::move(each);
      }
    if (found == 0) return 0;
    if (kernels.find_steps(planned_, call_.step, *shape_, choice->layout).loaded->local_bytes() == 0) return found;
    most = found - 1;  // registers do not suffice
  }
  return 0;
}

bool StepsCall::can_be_captured(const Choice& choice, Kernels& kernels) const {
  return !kernels.find_steps(planned_, call_.step, *shape_, choice.layout).text.parameters_in_memory;
}

void StepsCall::launch(const Choice& choice, DeviceState& device, Kernels& kernels) const {
  const Kernels::Entry& entry = kernels.find_steps(planned_, call_.step, *shape_, choice.layout);
  FoldRun fold;
  fold.arguments = choice.arguments;
  const Space space{static_cast<int>(call_.extents.size()), call_.extents.data(), total_, operands_};
  launch_blocks(device, *entry.loaded, entry.text, choice.layout, space, fold, choice.blocks);
}

}  // namespace engine::cuda

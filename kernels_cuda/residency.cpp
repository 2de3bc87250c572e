// kernels_cuda/residency.cpp - see residency.hpp.
#include "kernels_cuda/residency.hpp"

#include <algorithm>
#include <array>
#include <engine/error.hpp>
#include <memory>
#include <new>
#include <numeric>
#include <utility>

#include "engine/plan/hazard.hpp"

namespace engine::cuda {
bool is_dense(std::size_t item, int rank, const std::int64_t* extents, const std::int64_t* strides) {
  std::array<int, kMaxRank> order{};
  std::iota(order.begin(), order.begin() + rank, 0);
  std::sort(order.begin(), order.begin() + rank, [&](int a, int b) { return std::abs(strides[a]) < std::abs(strides[b]); });
  auto expected = static_cast<std::int64_t>(item);
  for (int i = 0; i < rank; ++i) {
    const int axis = order[static_cast<std::size_t>(i)];
    if (extents[axis] == 1) continue;
    if (std::abs(strides[axis]) != expected) return false;
    expected *= extents[axis];
  }
  return true;
}

void Residency::touch(std::uintptr_t low, std::uintptr_t high, bool is_read) { announced_.push_back({low, high, is_read}); }

void Residency::allocate() {
  const auto is_lower = [](const Stretch& a, const Stretch& b) { return a.low < b.low; };
  std::erase_if(announced_, [this](const Stretch& each) { return look_up(each.low) != nullptr; });
  std::sort(announced_.begin(), announced_.end(), is_lower);
  std::size_t n = 0;
  for (const Stretch& next : announced_) {
    if (n > 0 && next.low < announced_[n - 1].high) {
      announced_[n - 1].high = std::max(announced_[n - 1].high, next.high);
      announced_[n - 1].is_read |= next.is_read;
    } else {
      announced_[n++] = next;
    }
  }
  announced_.resize(n);
  for (Stretch& stretch : announced_) {
    memory_.emplace_back(device_, stretch.high - stretch.low + kAlignment);
    stretch.device = memory_.back().address() + offset_of(pointer(stretch.low));
  }
  const auto middle = static_cast<std::ptrdiff_t>(stretches_.size());
  stretches_.insert(stretches_.end(), announced_.begin(), announced_.end());
  std::inplace_merge(stretches_.begin(), stretches_.begin() + middle, stretches_.end(), is_lower);
}

void Residency::arrive() {
  allocate();
  for (const Stretch& stretch : std::exchange(announced_, {}))
    if (stretch.is_read) device_.copy_to_device(stretch.device, pointer(stretch.low), stretch.high - stretch.low, threads_);
}

const Residency::Stretch* Residency::look_up(std::uintptr_t address) const {
  auto after = std::upper_bound(stretches_.begin(), stretches_.end(), address,
                                [](std::uintptr_t wanted, const Stretch& stretch) { return wanted < stretch.low; });
  return after == stretches_.begin() || (--after)->high <= address ? nullptr : &*after;
}

char* Residency::on_device(const char* host) const {
  const auto address = reinterpret_cast<std::uintptr_t>(host);
  const Stretch* stretch = look_up(address);
  if (stretch) return pointer(stretch->device + (address - stretch->low));
  if (!is_resident_) throw InternalError({.what = "memory that was not announced", .labels = {}, .help = {}, .text = {}});
  return pointer(address);
}

void Residency::bring_back(const char* base, std::size_t item, int rank, const std::int64_t* extents, const std::int64_t* strides) const {
  std::uintptr_t low = 0, high = 0;
  plan::cover({base, strides, static_cast<std::int64_t>(item)}, rank, extents, low, high);
  const DevicePointer from = address(on_device(pointer(low)));
  if (is_dense(item, rank, extents, strides)) return device_.copy_to_host(pointer(low), from, high - low, threads_);
  const std::unique_ptr<char[]> copy(new (std::nothrow) char[high - low]);
  if (!copy) throw OutOfMemory({.what = "out of memory while copying results from the device", .labels = {}, .help = {}, .text = {}});
  device_.copy_to_host(copy.get(), from, high - low, threads_);
  device_.synchronize();
  const std::ptrdiff_t lowest = base - pointer(low);
  copy_elements({pointer(low) + lowest, strides}, {copy.get() + lowest, strides}, rank, extents, item, threads_);
}

}  // namespace engine::cuda

// kernels_cuda/ordered.hpp - operations along an axis on a device: what run/ordered does on the host, with the same results bit for
// bit. Scans keep its tree; sorts are radix sorts on CUB's ranks; what needs a few places of the sorted order sorts.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "engine/run/ordered/ordered.hpp"
#include "kernels_cuda/launch.hpp"

namespace engine::cuda {

/// With addresses on the device. The source of Select, and that of a scan, may be computed: then nobody reads `source`.
using run::ordered::Work;

/// A step with what it is called with.
struct StepCall {
  StepText text;
  std::vector<std::uint64_t> arguments;
  StepCall& with(std::string type, std::string name, std::uint64_t value);
  StepCall& with(std::string type, std::string name, std::int64_t value) {
    return with(std::move(type), std::move(name), static_cast<std::uint64_t>(value));
  }
};

/// Compiled steps of a program without a source.
class Steps {
 public:
  struct Entry {
    KernelText text;
    std::shared_ptr<const LoadedKernel> loaded;
  };
  /// Throws BackendError where CUB is needed and missing.
  const Entry& find(DeviceState& device, const StepText& step);

 private:
  std::unordered_map<std::string, Entry> entries_;
};

/// What an operation does through its call.
struct OrderingCalls {
  /// Runs a step over the work's source, by that many blocks.
  std::function<void(const StepCall& step, std::int64_t blocks)> with_source;
  /// Copies elements of a dtype in a space of rank 3; strides in bytes.
  std::function<void(DType dtype, const std::int64_t* extents, DevicePointer to, const std::int64_t* to_strides, DevicePointer from,
                     const std::int64_t* from_strides)>
      copy;
};

/// One operation. Throws run::ordered::Refused, BackendError, OutOfMemory.
class Ordering {
 public:
  Ordering(DeviceState& device, Steps& steps, const Work& work, const OrderingCalls& calls);
  void run();
  /// Of unknown extent: how many elements there will be; afterwards they are written.
  std::int64_t find();
  void collect(DevicePointer target);

 private:
  /// Of rows that lie one after the other. Keys and places that nobody wants are null, and so are places as they are in their row.
  struct RadixSort {
    DType dtype;
    std::int64_t rows, length;
    DevicePointer keys_in, keys_out = 0, places_in = 0, places_out = 0;
    bool down = false;
  };

  void step(const StepCall& call, std::int64_t blocks);
  /// One thread for each of n: `body` is done by those whose number `at` is below.
  void step_for_each(StepCall call, std::int64_t n, std::string_view body);
  DevicePointer scratch(std::int64_t bytes);
  void clear(DevicePointer memory, std::int64_t bytes);
  void read(void* to, DevicePointer from, std::size_t bytes);
  void copy_whole(DType dtype, DevicePointer to, DevicePointer from, std::int64_t n);
  /// The source's rows one after the other.
  DevicePointer rows_together();
  template <class Make>
  void with_rows_together(DType dtype, std::int64_t length, Make make);
  bool gives_places() const;
  std::string pointer_to(DType dtype, bool is_const = true) const;

  void scan();
  void sort();
  void sort_rows(const RadixSort& sort);
  void sort_tiles(const RadixSort& sort);
  void sort_by_passes(const RadixSort& sort);
  DevicePointer places_of_complex(DevicePointer values);
  void gather(DType dtype, DevicePointer values, DevicePointer places, std::int64_t length, std::int64_t n, DevicePointer out);
  void partition();
  void largest();
  void quantile();
  void search();
  void histogram();
  void edges();
  void inverse();
  StepCall picking() const;
  void count_picked();
  void collect_picked(StepCall call, std::string_view put, bool with_source);
  void collect_rows(DevicePointer target);
  std::int64_t find_bins();
  void collect_bins(DevicePointer target);

  DeviceState& device_;
  Steps& steps_;
  const Work& work_;
  const OrderingCalls& calls_;
  std::vector<Memory> memory_;
  std::string lane_;          ///< of the source's dtype
  std::int64_t n_flags_ = 0;  ///< elements of which some are picked
  DevicePointer before_ = 0;  ///< how many are picked before each tile
  std::int64_t n_found_ = 0;
};

}  // namespace engine::cuda

// kernels_cuda/ordered.hpp - operations along an axis on a device: what run/ordered does on the host, with the same results bit for
// bit. Scans keep its tree; sorts are radix sorts on CUB's ranks; what needs a few places of the sorted order sorts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/run/ordered/ordered.hpp"
#include "kernels_cuda/kernels.hpp"

namespace engine::cuda {

/// With addresses on the device.
using run::ordered::Work;

/// What computes the source of a scan or of Select while it is read, so that it needs no memory.
struct ComputedSource {
  PlannedKernel planned;
  Space space;
};

/// One operation. Throws run::ordered::Refused, BackendError, OutOfMemory.
class Ordering {
 public:
  Ordering(DeviceState& device, Kernels& kernels, const Work& work, std::optional<ComputedSource> computed);
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
    std::uint64_t flip() const { return down ? ~std::uint64_t{0} : 0; }
    std::string key_type() const;
  };

  enum class Reads : std::uint8_t { Memory, Source };  ///< whether a step calls source(i)
  void step(const StepCall& call, std::int64_t blocks, Reads reads = Reads::Memory);
  /// One thread for each of n: `body` is done by those whose number `at` is below.
  void step_for_each(StepCall call, std::int64_t n, std::string_view body, Reads reads = Reads::Memory);
  DevicePointer scratch(std::int64_t bytes);
  void clear(DevicePointer memory, std::int64_t bytes);  ///< multiples of 4
  void read(void* to, DevicePointer from, std::size_t bytes);
  void write(DevicePointer to, const void* from, std::size_t bytes);
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
  void collect_picked(StepCall call, std::string_view put, Reads reads = Reads::Memory);
  void collect_rows(DevicePointer target);
  std::int64_t find_bins();
  void collect_bins(DevicePointer target);

  DeviceState& device_;
  Kernels& kernels_;
  const Work& work_;
  std::optional<ComputedSource> computed_;
  std::vector<Memory> memory_;
  std::string lane_;          ///< of the source's dtype
  std::int64_t n_flags_ = 0;  ///< elements of which some are picked
  DevicePointer before_ = 0;  ///< how many are picked before each tile
  std::int64_t n_found_ = 0;
};

}  // namespace engine::cuda

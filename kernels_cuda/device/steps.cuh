// device/steps.cuh - where reads of neighbours land beyond the sides of an axis.
namespace engine::cuda {

/// The index that a read at i finds on an axis of n > 2 |offset| elements; the boundaries are those of engine/options.hpp, in order.
/// Of a constant, which no index finds, the nearest.
enum class Side { kReflect, kMirror, kNearest, kWrap };
template <Side kLow, Side kHigh>
ENGINE_LANE int beyond(int i, int n) {
  if (i < 0) return kLow == Side::kReflect ? -1 - i : kLow == Side::kMirror ? -i : kLow == Side::kWrap ? i + n : 0;
  if (i >= n)
    return kHigh == Side::kReflect ? 2 * n - 1 - i : kHigh == Side::kMirror ? 2 * n - 2 - i : kHigh == Side::kWrap ? i - n : n - 1;
  return i;
}

/// Ends what is done near a side. Else the compiler makes one of that and of what is done elsewhere, with registers moved to where it
/// wants them.
ENGINE_LANE void stands_apart() { asm volatile(""); }

}  // namespace engine::cuda

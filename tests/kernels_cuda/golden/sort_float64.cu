namespace engine::cuda {
extern "C" __global__ void __launch_bounds__(256) engine_kernel(const math::KeyOf<double>* in, unsigned long* counts, long rows, long length, long chunks, unsigned long flip) {
  count_digits<double>(in, counts, rows, length, chunks, static_cast<math::KeyOf<double>>(flip));
}
}
namespace engine::cuda {
extern "C" __global__ void __launch_bounds__(256) engine_kernel(unsigned long* counts) {
  sum_digits(counts);
}
}
namespace engine::cuda {
extern "C" __global__ void __launch_bounds__(256) engine_kernel(const math::KeyOf<double>* in, math::KeyOf<double>* out, const long* places_in, long* places_out, const unsigned long* less, unsigned long* published, unsigned* drawn, long length, long tiles, long shift, unsigned long flip) {
  radix_pass<double, false>(in, out, places_in, places_out, less, published, drawn, length, tiles,
    static_cast<unsigned>(shift), static_cast<math::KeyOf<double>>(flip));
}
}

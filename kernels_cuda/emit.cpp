// kernels_cuda/emit.cpp - see emit.hpp: kernels that store. Those that fold are in emit_fold.cpp.
#include "kernels_cuda/emit.hpp"

#include <algorithm>

#include "kernels_cuda/writer.hpp"

namespace engine::cuda {
namespace {

using Kind = Parameter::Kind;

class Emitter : KernelWriter {
 public:
  Emitter(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, const Layout& layout)
      : KernelWriter(graph, plan, kernel, layout) {}

  KernelText emit() {
    switch (layout_.form) {
      case Form::Flat:
        flat();
        break;
      case Form::Rows:
        rows();
        break;
      case Form::Tiles:
        tiles();
        break;
      default:
        scatter();
        break;
    }
    return assemble();
  }

 private:
  // ---- flat ---------------------------------------------------------------------------------------------------------

  /// Packs of `width` elements; what comes before the first aligned one and after the last is done by the last block.
  void flat() {
    const int width = layout_.width, unroll = layout_.unroll;
    long_parameter(Kind::Total, "total");
    if (width > 1)
      long_parameter(Kind::Head, "head");
    else
      line("  const long head = 0;");
    line("  const long packs = (total - head) / {};", width);
    line("  const long first = static_cast<long>(blockIdx.x) * {} + threadIdx.x;", kBlock * unroll);
    for (std::size_t i = 0; i < load_access_.size(); ++i)
      if (const std::uint32_t k = load_access_[i]; !is_single(k))
        line("  const auto* a{} = reinterpret_cast<const {}*>(p{}) + head + first * {};", i, lane(k), k, width);
    for (std::size_t r = 0; r < store_access_.size(); ++r)
      line("  auto* b{} = reinterpret_cast<{}*>(p{}) + head + first * {};", r, lane(store_access_[r]), store_access_[r], width);
    if (unroll > 1) {
      // A block that is full has no conditions: the packs of a thread share constants, and their work is mixed.
      line("  if (first - threadIdx.x + {} <= packs) {{", kBlock * unroll);
      packs(unroll);
      line("  }} else {{\n#pragma unroll 1");
      line("    for (int n = 0; n < {}; ++n)", unroll);
      line("      if (first + n * {} < packs) {{", kBlock);
      packs(1, "n");
      line("      }}\n  }}");
    } else {
      line("  if (first < packs) {{");
      packs(1);
      line("  }}");
    }
    if (width > 1) rim();
  }

  /// Loads, the body and stores of the packs of one thread: `n` of them, or the one of that name.
  void packs(int n, std::string_view one = "") {
    const int width = layout_.width;
    const auto at = [&](std::size_t i, char base) {
      return n > 1         ? fmt::format("{}{} + k * {}", base, i, kBlock * width)
             : one.empty() ? fmt::format("{}{}", base, i)
                           : fmt::format("{}{} + {} * {}", base, i, one, kBlock * width);
    };
    const auto repeated = [&](auto body) {
      if (n > 1) line("#pragma unroll\n    for (int k = 0; k < {}; ++k) {{", n);
      body();
      if (n > 1) line("    }}");
    };
    const std::string_view which = n > 1 ? "[k]" : "";
    for (std::size_t i = 0; i < load_access_.size(); ++i)
      if (const std::uint32_t k = load_access_[i]; !is_single(k))
        line("    Pack<{}, {}> v{}{};", lane(k), width, i, n > 1 ? fmt::format("[{}]", n) : "");
    repeated([&] {
      for (std::size_t i = 0; i < load_access_.size(); ++i)
        if (const std::uint32_t k = load_access_[i]; !is_single(k))
          line("      v{}{} = {}<{}>({});", i, which, access(k).reach == Reach::Pack ? "load_pack" : "load_each", width, at(i, 'a'));
    });
    repeated([&] {
      for (std::size_t r = 0; r < store_access_.size(); ++r) line("      Pack<{}, {}> w{};", lane(store_access_[r]), width, r);
      line("#pragma unroll");
      line("      for (int j = 0; j < {}; ++j) {};", width,
           element([&](std::size_t i, std::uint32_t) { return fmt::format("v{}{}.at[j]", i, which); },
                   [](std::size_t r) { return fmt::format("w{}.at[j]", r); }));
      for (std::size_t r = 0; r < store_access_.size(); ++r)
        line("      {}({}, w{});", access(store_access_[r]).reach == Reach::Pack ? "store_pack" : "store_each", at(r, 'b'), r);
    });
  }

  void rim() {
    line("  const long rest = total - head - packs * {};", layout_.width);
    line("  if (blockIdx.x == gridDim.x - 1 && threadIdx.x < head + rest) {{");
    line("    const long i = threadIdx.x < head ? threadIdx.x : total - head - rest + threadIdx.x;");
    for (std::size_t r = 0; r < store_access_.size(); ++r) line("    {} w{};", lane(store_access_[r]), r);
    line("    {};",
         element([&](std::size_t, std::uint32_t k) { return loaded(k, fmt::format("p{} + i * {}", k, item_size(access(k).dtype))); },
                 [](std::size_t r) { return fmt::format("w{}", r); }));
    for (std::size_t r = 0; r < store_access_.size(); ++r) {
      const std::uint32_t k = store_access_[r];
      line("    {};", stored(k, fmt::format("p{} + i * {}", k, item_size(access(k).dtype)), fmt::format("w{}", r)));
    }
    line("  }}");
  }

  // ---- strides ------------------------------------------------------------------------------------------------------

  /// Loads, the body, and stores of the elements or packs of one thread. `before(k)` writes the indices of the one of that name,
  /// `inside` asks whether it exists, and `full` whether those of the whole block do; axes [begin, rank) are counted from `base`.
  template <class Before>
  void strided(std::string_view inside, std::string_view full, Before before, std::string_view base, int begin) {
    if (layout_.unroll == 1) return places(1, inside, [&] { before("0"); }, base, begin);
    line("  if ({}) {{", full);
    places(layout_.unroll, "", [&] { before("k"); }, base, begin);
    line("  }} else {{\n#pragma unroll 1\n  for (unsigned n = 0; n < {}; ++n) {{", layout_.unroll);
    places(1, inside, [&] { before("n"); }, base, begin);
    line("  }}\n  }}");
  }

  /// The same for `n` of them, which exist where nothing is to be asked.
  template <class Before>
  void places(int n, std::string_view inside, Before before, std::string_view base, int begin) {
    const int width = layout_.width;
    const std::string_view which = n > 1 ? "[k]" : "";
    const auto at = [&](std::uint32_t k) { return place(k, fmt::format("{}{}", base, k), begin, layout_.rank); };
    const auto repeated = [&](auto body) {
      if (n > 1) line("#pragma unroll\n  for (unsigned k = 0; k < {}; ++k)", n);
      line("  {{");
      before();
      if (!inside.empty()) line("    if ({}) {{", inside);
      body();
      if (!inside.empty()) line("    }}");
      line("  }}");
    };
    const auto load_all = [&](bool is_declared) {
      for (std::size_t i = 0; i < load_access_.size(); ++i) {
        const std::uint32_t k = load_access_[i];
        if (is_single(k)) continue;
        const std::string type = is_pack(k) ? fmt::format("const Pack<{}, {}> ", lane(k), width) : fmt::format("const {} ", lane(k));
        const std::string value = is_pack(k)       ? fmt::format("load_pack<{}>(reinterpret_cast<const {}*>({}))", width, lane(k), at(k))
                                  : is_position(k) ? at(k)
                                                   : loaded(k, at(k));
        line("      {}v{}{} = {};", is_declared ? type : "", i, which, value);
      }
    };
    const auto store_all = [&] {
      for (std::size_t r = 0; r < store_access_.size(); ++r)
        if (width > 1)
          line("      Pack<{}, {}> w{};", lane(store_access_[r]), width, r);
        else
          line("      {} w{};", lane(store_access_[r]), r);
      if (width > 1) line("#pragma unroll\n      for (int j = 0; j < {}; ++j)", width);
      line("      {};",
           element([&](std::size_t i, std::uint32_t k) { return fmt::format("v{}{}{}", i, which, is_pack(k) ? ".at[j]" : ""); },
                   [&](std::size_t r) { return fmt::format("w{}{}", r, width > 1 ? ".at[j]" : ""); }));
      for (std::size_t r = 0; r < store_access_.size(); ++r)
        if (width > 1)
          line("      store_pack(reinterpret_cast<{}*>({}), w{});", lane(store_access_[r]), at(store_access_[r]), r);
        else
          line("      {};", stored(store_access_[r], at(store_access_[r]), fmt::format("w{}", r)));
    };
    if (n == 1)
      return repeated([&] {
        load_all(true);
        store_all();
      });
    for (std::size_t i = 0; i < load_access_.size(); ++i)
      if (const std::uint32_t k = load_access_[i]; !is_single(k)) {
        if (is_pack(k))
          line("  Pack<{}, {}> v{}[{}];", lane(k), width, i, n);
        else
          line("  {} v{}[{}];", lane(k), i, n);
      }
    repeated([&] { load_all(false); });
    repeated(store_all);
  }
  bool is_pack(std::uint32_t k) const { return layout_.width > 1 && access(k).reach == Reach::Pack; }

  void rows() {
    const int last = layout_.rank - 1;
    stride_parameters();
    unsigned_parameter(Kind::Extent, fmt::format("e{}", last), static_cast<std::uint32_t>(last));
    pieces_parameters();
    for (int axis = 1; axis < last; ++axis) divisor_parameters(axis);
    line("  unsigned piece = blockIdx.x;");
    if (last > 0) {
      line("  unsigned i{} = divide_index(piece, pieces, pieces_m, pieces_h);", last - 1);
      take_apart(0, last, "  ");
    }
    const int same = layout_.down ? last - 1 : last;  // axes whose indices are the same for a block
    for (std::uint32_t k : used_)
      if (!is_single(k)) line("  const auto b{} = {};", k, place(k, fmt::format("p{}", k), 0, same));
    const int per_block = layout_.down ? kBlock : kBlock * layout_.unroll;
    std::string inside = fmt::format("i{0} < e{0}", last), full = fmt::format("(piece + 1) * {} <= e{}", per_block * layout_.width, last);
    if (layout_.down) {
      long_parameter(Kind::LongExtent, "n_down", 0, static_cast<std::uint32_t>(same));
      line("  const unsigned first_down = i{} * {};", same, layout_.unroll);
      inside += fmt::format(" && i{} < n_down", same);
      full += fmt::format(" && first_down + {} <= n_down", layout_.unroll);
    }
    strided(
        inside, full,
        [&](std::string_view k) {
          if (layout_.down) {
            line("    const unsigned i{} = first_down + {};", same, k);
            line("    const unsigned i{} = (piece * {} + threadIdx.x) * {};", last, kBlock, layout_.width);
          } else {
            line("    const unsigned i{} = (piece * {} + {} * {} + threadIdx.x) * {};", last, per_block, k, kBlock, layout_.width);
          }
        },
        "b", same);
  }

  /// Squares: of 32 x 32, thread (x, y) has elements (x, y), (x, y + 8) and so on. What lies along y is loaded with x and y
  /// exchanged, and handed over in shared memory (see tile_row).
  void tiles() {
    const int x = layout_.rank - 1, y = layout_.rank - 2, outer = layout_.rank - 2;
    const int side = layout_.width, rows = kBlock / side, steps = side / rows;
    stride_parameters();
    for (int axis : {x, y}) unsigned_parameter(Kind::Extent, fmt::format("e{}", axis), static_cast<std::uint32_t>(axis));
    for (int axis = 1; axis < outer; ++axis) divisor_parameters(axis);
    line("  const unsigned across = threadIdx.x % {0}, down = threadIdx.x / {0};", side);
    line("  const unsigned n_across = (e{0} + {1}) / {2}, n_down = (e{3} + {1}) / {2};", x, side - 1, side, y);
    line("  const unsigned first_x = blockIdx.x % n_across * {0}, first_y = blockIdx.x / n_across % n_down * {0};", side);
    if (outer > 0) {
      line("  unsigned i{} = blockIdx.x / n_across / n_down;", outer - 1);
      take_apart(0, outer, "  ");
    }
    for (std::uint32_t k : used_)
      if (!is_single(k)) line("  const auto b{} = {};", k, place(k, fmt::format("p{}", k), 0, outer));
    const auto at = [&](std::uint32_t k) { return place(k, fmt::format("b{}", k), outer, layout_.rank); };
    const auto is_turned = [&](std::uint32_t k) { return access(k).reach == Reach::Turned; };
    const auto each_step = [&](std::string_view along_x, std::string_view along_y, auto body) {
      line("#pragma unroll");
      line("  for (unsigned k = 0; k < {}; ++k) {{", steps);
      line("    const unsigned i{} = first_x + {}, i{} = first_y + {};", x, along_x, y, along_y);
      line("    if (i{0} < e{0} && i{1} < e{1}) {{", x, y);
      body();
      line("    }}\n  }}");
    };
    const std::string step = fmt::format("down + k * {}", rows);
    for (std::size_t i = 0; i < load_access_.size(); ++i) {
      const std::uint32_t k = load_access_[i];
      if (is_single(k)) continue;
      if (is_turned(k))
        line("  __shared__ {} t{}[{}][{}];", lane(k), i, side, tile_row(side, item_size(access(k).dtype)));
      else
        line("  {} v{}[{}];", lane(k), i, steps);
    }
    each_step(step, "across", [&] {
      for (std::size_t i = 0; i < load_access_.size(); ++i)
        if (const std::uint32_t k = load_access_[i]; is_turned(k)) line("      t{}[{}][across] = {};", i, step, loaded(k, at(k)));
    });
    each_step("across", step, [&] {
      for (std::size_t i = 0; i < load_access_.size(); ++i)
        if (const std::uint32_t k = load_access_[i]; !is_single(k) && !is_turned(k))
          line("      v{}[k] = {};", i, is_position(k) ? at(k) : loaded(k, at(k)));
    });
    line("  __syncthreads();");
    each_step("across", step, [&] {
      for (std::size_t r = 0; r < store_access_.size(); ++r) line("      {} w{};", lane(store_access_[r]), r);
      line("      {};",
           element([&](std::size_t i,
                       std::uint32_t k) { return is_turned(k) ? fmt::format("t{}[across][{}]", i, step) : fmt::format("v{}[k]", i); },
                   [](std::size_t r) { return fmt::format("w{}", r); }));
      for (std::size_t r = 0; r < store_access_.size(); ++r)
        line("      {};", stored(store_access_[r], at(store_access_[r]), fmt::format("w{}", r)));
    });
  }

  void scatter() {
    stride_parameters();
    long_parameter(Kind::Total, "total");
    for (int axis = 1; axis < layout_.rank; ++axis) divisor_parameters(axis);
    const int last = std::max(layout_.rank - 1, 0);  // of no axes there is one element
    const bool is_serial = layout_.form == Form::Serial;
    if (is_serial) line("  for (unsigned at = 0; at < total; ++at) {{");
    strided(
        is_serial ? "" : "inside", fmt::format("(blockIdx.x + 1) * {} <= total", kBlock * layout_.unroll),
        [&](std::string_view k) {
          if (is_serial) {
            line("    unsigned i{} = at;", last);
          } else {
            line("    unsigned i{} = blockIdx.x * {} + {} * {} + threadIdx.x;", last, kBlock * layout_.unroll, k, kBlock);
            line("    [[maybe_unused]] const bool inside = i{} < total;", last);
          }
          take_apart(0, layout_.rank, "    ");  // the last axis' extent is that of packs
          if (layout_.width > 1) line("    i{} *= {};", last, layout_.width);
        },
        "p", 0);
    if (is_serial) line("  }}");
  }
};

}  // namespace

KernelText emit(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, const Layout& layout) {
  if (kernel.n_folds) return emit_folds(graph, plan, kernel, layout);
  return Emitter(graph, plan, kernel, layout).emit();
}

}  // namespace engine::cuda

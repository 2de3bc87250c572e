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
      if (const std::uint32_t k = load_access_[i]; !is_single(k)) {
        line("  const auto* a{} = reinterpret_cast<const {}*>(p{}) + head + first * {};", i, lane(k), k, width);
        line("  Pack<{}, {}> v{}[{}];", lane(k), width, i, unroll);
      }
    for (std::size_t r = 0; r < store_access_.size(); ++r)
      line("  auto* b{} = reinterpret_cast<{}*>(p{}) + head + first * {};", r, lane(store_access_[r]), store_access_[r], width);
    line("#pragma unroll");
    line("  for (int k = 0; k < {}; ++k)", unroll);
    line("    if (first + k * {} < packs) {{", kBlock);
    for (std::size_t i = 0; i < load_access_.size(); ++i)
      if (const std::uint32_t k = load_access_[i]; !is_single(k))
        line("      v{0}[k] = {1}<{2}>(a{0} + k * {3});", i, access(k).reach == Reach::Pack ? "load_pack" : "load_each", width,
             kBlock * width);
    line("    }}");
    line("#pragma unroll");
    line("  for (int k = 0; k < {}; ++k)", unroll);
    line("    if (first + k * {} < packs) {{", kBlock);
    for (std::size_t r = 0; r < store_access_.size(); ++r) line("      Pack<{}, {}> w{};", lane(store_access_[r]), width, r);
    line("#pragma unroll");
    line("      for (int j = 0; j < {}; ++j) {};", width,
         element([](std::size_t i, std::uint32_t) { return fmt::format("v{}[k].at[j]", i); },
                 [](std::size_t r) { return fmt::format("w{}.at[j]", r); }));
    for (std::size_t r = 0; r < store_access_.size(); ++r)
      line("      {}(b{} + k * {}, w{});", access(store_access_[r]).reach == Reach::Pack ? "store_pack" : "store_each", r, kBlock * width,
           r);
    line("    }}");
    if (width > 1) rim();
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

  /// Loads, the body, and stores of `unroll` elements or packs. `before` writes the kth one's indices, `inside` asks whether it
  /// exists; axes [begin, rank) are counted from `base`.
  template <class Before>
  void strided(std::string_view inside, Before before, std::string_view base, int begin) {
    const int unroll = layout_.unroll, width = layout_.width;
    for (std::size_t i = 0; i < load_access_.size(); ++i)
      if (const std::uint32_t k = load_access_[i]; !is_single(k)) {
        if (is_pack(k))
          line("  Pack<{}, {}> v{}[{}];", lane(k), width, i, unroll);
        else
          line("  {} v{}[{}];", lane(k), i, unroll);
      }
    const auto at = [&](std::uint32_t k) { return place(k, fmt::format("{}{}", base, k), begin, layout_.rank); };
    line("#pragma unroll");
    line("  for (int k = 0; k < {}; ++k) {{", unroll);
    before();
    line("    if ({}) {{", inside);
    for (std::size_t i = 0; i < load_access_.size(); ++i) {
      const std::uint32_t k = load_access_[i];
      if (is_single(k)) continue;
      if (is_pack(k))
        line("      v{}[k] = load_pack<{}>(reinterpret_cast<const {}*>({}));", i, width, lane(k), at(k));
      else
        line("      v{}[k] = {};", i, is_position(k) ? at(k) : loaded(k, at(k)));
    }
    line("    }}\n  }}");
    line("#pragma unroll");
    line("  for (int k = 0; k < {}; ++k) {{", unroll);
    before();
    line("    if ({}) {{", inside);
    if (width > 1) {
      for (std::size_t r = 0; r < store_access_.size(); ++r) line("      Pack<{}, {}> w{};", lane(store_access_[r]), width, r);
      line("#pragma unroll");
      line("      for (int j = 0; j < {}; ++j) {};", width,
           element([&](std::size_t i, std::uint32_t k) { return fmt::format("v{}[k]{}", i, is_pack(k) ? ".at[j]" : ""); },
                   [](std::size_t r) { return fmt::format("w{}.at[j]", r); }));
      for (std::size_t r = 0; r < store_access_.size(); ++r)
        line("      store_pack(reinterpret_cast<{}*>({}), w{});", lane(store_access_[r]), at(store_access_[r]), r);
    } else {
      for (std::size_t r = 0; r < store_access_.size(); ++r) line("      {} w{};", lane(store_access_[r]), r);
      line("      {};", element([](std::size_t i, std::uint32_t) { return fmt::format("v{}[k]", i); },
                                [](std::size_t r) { return fmt::format("w{}", r); }));
      for (std::size_t r = 0; r < store_access_.size(); ++r)
        line("      {};", stored(store_access_[r], at(store_access_[r]), fmt::format("w{}", r)));
    }
    line("    }}\n  }}");
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
    for (std::uint32_t k : used_)
      if (!is_single(k)) line("  const auto b{} = {};", k, place(k, fmt::format("p{}", k), 0, last));
    strided(
        fmt::format("i{0} < e{0}", last),
        [&] {
          line("    const unsigned i{} = (piece * {} + k * {} + threadIdx.x) * {};", last, kBlock * layout_.unroll, kBlock, layout_.width);
        },
        "b", last);
  }

  /// Squares of kTile x kTile: thread (x, y) has elements (x, y), (x, y + 8) and so on. What lies along y is loaded with x and y
  /// exchanged, and handed over in shared memory, whose rows have one element more so that columns spread over its banks.
  void tiles() {
    const int x = layout_.rank - 1, y = layout_.rank - 2, outer = layout_.rank - 2;
    constexpr int kRows = kBlock / kTile, kSteps = kTile / kRows;
    stride_parameters();
    for (int axis : {x, y}) unsigned_parameter(Kind::Extent, fmt::format("e{}", axis), static_cast<std::uint32_t>(axis));
    for (int axis = 1; axis < outer; ++axis) divisor_parameters(axis);
    line("  const unsigned across = threadIdx.x % {0}, down = threadIdx.x / {0};", kTile);
    line("  const unsigned n_across = (e{0} + {1}) / {2}, n_down = (e{3} + {1}) / {2};", x, kTile - 1, kTile, y);
    line("  const unsigned first_x = blockIdx.x % n_across * {0}, first_y = blockIdx.x / n_across % n_down * {0};", kTile);
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
      line("  for (unsigned k = 0; k < {}; ++k) {{", kSteps);
      line("    const unsigned i{} = first_x + {}, i{} = first_y + {};", x, along_x, y, along_y);
      line("    if (i{0} < e{0} && i{1} < e{1}) {{", x, y);
      body();
      line("    }}\n  }}");
    };
    const std::string step = fmt::format("down + k * {}", kRows);
    for (std::size_t i = 0; i < load_access_.size(); ++i) {
      const std::uint32_t k = load_access_[i];
      if (is_single(k)) continue;
      if (is_turned(k))
        line("  __shared__ {} t{}[{}][{}];", lane(k), i, kTile, kTile + 1);
      else
        line("  {} v{}[{}];", lane(k), i, kSteps);
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
        is_serial ? "true" : "inside",
        [&] {
          if (is_serial) {
            line("    unsigned i{} = at;", last);
          } else {
            line("    unsigned i{} = blockIdx.x * {} + k * {} + threadIdx.x;", last, kBlock * layout_.unroll, kBlock);
            line("    const bool inside = i{} < total;", last);
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

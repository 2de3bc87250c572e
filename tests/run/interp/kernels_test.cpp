#include "engine/run/interp/kernels.hpp"

#include <gtest/gtest.h>

#include "../samples.hpp"

#include <cstring>
#include <random>
#include <vector>

#include "engine/catalog/evaluate.hpp"
#include "engine/catalog/type_rule.hpp"

namespace engine::run::interp {
namespace {

constexpr std::size_t kLengths[] = {0, 1, 2, 7, 8, 63, 64, 65, 511, 512};

TEST(Kernels, GiveTheBitsOfTheScalarMeaning) {
  std::size_t checked = 0;
  for (const catalog::OpInfo& row : catalog::operations()) {
    const auto loops = catalog::loops(row.id);
    for (std::size_t loop = 0; loop < loops.size(); ++loop) {
      const Kernel kernel = has(row.flags, catalog::Flags::Position) ? nullptr : apply_kernel(row.id, static_cast<int>(loop));
      if (!kernel) continue;
      std::vector<std::byte> in[3];
      for (unsigned i = 0; i < row.arity.count; ++i) in[i] = sample(loops[loop].in[i], 512, 17 * i + 1);
      const std::size_t out_item = item_size(loops[loop].out);
      for (std::size_t n : kLengths) {
        std::vector<std::byte> out(512 * out_item + 1, std::byte{0x5a});
        const void* pointers[3] = {in[0].data(), in[1].data(), in[2].data()};
        kernel(out.data(), pointers, n);
        EXPECT_EQ(out[n * out_item], std::byte{0x5a}) << row.identifier << " writes beyond its end";
        for (std::size_t i = 0; i < n; ++i) {
          alignas(16) std::byte expected[16];
          const void* one[3];
          for (unsigned k = 0; k < row.arity.count; ++k) one[k] = in[k].data() + i * item_size(loops[loop].in[k]);
          catalog::apply_scalar(row.id, static_cast<int>(loop), one, expected);
          ASSERT_TRUE(same(loops[loop].out, out.data() + i * out_item, expected))
              << row.identifier << "." << loop << " at " << i << " of " << n;
        }
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 4000u);
}

TEST(Kernels, AreThereForAllButFloat16) {
  for (const catalog::OpInfo& row : catalog::operations()) {
    if (has(row.flags, catalog::Flags::Position)) continue;
    const auto loops = catalog::loops(row.id);
    for (std::size_t loop = 0; loop < loops.size(); ++loop) {
      const auto in = std::span(loops[loop].in).first(row.arity.count);
      const bool has_half = loops[loop].out == DType::Float16 || std::find(in.begin(), in.end(), DType::Float16) != in.end();
      if (has_half && !has(row.flags, catalog::Flags::Half)) continue;
      EXPECT_NE(apply_kernel(row.id, static_cast<int>(loop)), nullptr) << row.identifier << "." << loop;
    }
  }
}

TEST(Kernels, WithAScalarAgreeWithTheGeneralForm) {
  for (const catalog::OpInfo& row : catalog::operations())
    for (std::size_t loop = 0; loop < catalog::loops(row.id).size(); ++loop)
      for (int side = 0; side < 2; ++side) {
        const Kernel kernel = has(row.flags, catalog::Flags::Position) ? nullptr : scalar_kernel(row.id, static_cast<int>(loop), side);
        if (!kernel) continue;
        const catalog::Loop& signature = catalog::loops(row.id)[loop];
        const auto v = sample(signature.in[0], 512, 3), s = sample(signature.in[0], 12, 5);
        std::vector<std::byte> spread(512 * 16), a(512 * 16), b(512 * 16);
        splat(spread.data(), s.data() + 11 * item_size(signature.in[0]), 512, item_size(signature.in[0]));
        const void* one[3] = {side ? v.data() : s.data() + 11 * item_size(signature.in[0]),
                              side ? s.data() + 11 * item_size(signature.in[0]) : v.data(), nullptr};
        const void* all[3] = {side ? v.data() : spread.data(), side ? spread.data() : v.data(), nullptr};
        kernel(a.data(), one, 511);
        apply_kernel(row.id, static_cast<int>(loop))(b.data(), all, 511);
        for (std::size_t i = 0; i < 511; ++i) {
          const std::size_t at = i * item_size(signature.out);
          ASSERT_TRUE(same(signature.out, a.data() + at, b.data() + at)) << row.identifier << " " << i;
        }
      }
}

TEST(FusedKernels, GiveTheBitsOfTheTwoStepsTheyStandFor) {
  using catalog::Op;
  for (const DType dtype : {DType::Float32, DType::Float64})
    for (const Op first : {Op::Add, Op::Subtract, Op::Multiply})
      for (const Op second : {Op::Add, Op::Subtract, Op::Multiply})
        for (const unsigned scalars : {0u, 1u, 2u, 4u, 5u, 6u})
          for (const bool reversed : {false, true}) {
            const Kernel kernel = fused_kernel(first, second, reversed, dtype, scalars);
            ASSERT_NE(kernel, nullptr);
            const auto loop_of = [&](Op op) {
              int loop = 0;
              while (catalog::loops(op)[static_cast<std::size_t>(loop)].in[0] != dtype) ++loop;
              return loop;
            };
            const std::size_t item = item_size(dtype);
            std::vector<std::byte> in[3], out(512 * item), inner(512 * item), expected(512 * item);
            const void* given[3];
            for (unsigned k = 0; k < 3; ++k) {
              in[k] = sample(dtype, 512, 7 * k + 1);
              given[k] = in[k].data();
              if (!(scalars >> k & 1u)) continue;
              const std::vector<std::byte> one(in[k].begin() + static_cast<std::ptrdiff_t>(20 * item), in[k].end());
              splat(in[k].data(), one.data(), 512, item);
            }
            const void* pair[3] = {in[0].data(), in[1].data(), nullptr};
            apply_kernel(first, loop_of(first))(inner.data(), pair, 509);
            const void* both[3] = {reversed ? in[2].data() : inner.data(), reversed ? inner.data() : in[2].data(), nullptr};
            apply_kernel(second, loop_of(second))(expected.data(), both, 509);
            kernel(out.data(), given, 509);
            for (std::size_t i = 0; i < 509; ++i)
              ASSERT_TRUE(same(dtype, out.data() + i * item, expected.data() + i * item)) << i << " scalars " << scalars;
          }
  EXPECT_EQ(fused_kernel(Op::Divide, Op::Add, false, DType::Float64, 0), nullptr);
  EXPECT_EQ(fused_kernel(Op::Add, Op::Add, false, DType::Int64, 0), nullptr);
}

TEST(Casts, GiveTheBitsOfTheScalarMeaning) {
  for (std::size_t f = 0; f < kDTypes; ++f)
    for (std::size_t t = 0; t < kDTypes; ++t) {
      const auto from = static_cast<DType>(f), to = static_cast<DType>(t);
      if (from == to) continue;
      const auto in = sample(from, 512, 9);
      std::vector<std::byte> out(512 * 16);
      const void* pointers[3] = {in.data(), nullptr, nullptr};
      cast_kernel(from, to)(out.data(), pointers, 512);
      for (std::size_t i = 0; i < 512; ++i) {
        alignas(16) std::byte expected[16];
        catalog::cast_scalar(from, to, in.data() + i * item_size(from), expected);
        ASSERT_TRUE(same(to, out.data() + i * item_size(to), expected)) << name(from) << " to " << name(to) << " at " << i;
      }
    }
}

TEST(Pack, GathersAnyStrideAndUnpackPutsItBack) {
  std::vector<unsigned char> memory(40000), packed(512 * 16), back(40000);
  for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<unsigned char>(i * 7 + i / 251);
  for (std::size_t item : {1u, 2u, 4u, 8u, 16u})
    for (std::ptrdiff_t stride : {1, 2, -1, 3, -5})
      for (std::size_t swap : {0u, 2u, 4u, 8u}) {
        const bool fits = swap == 0 || swap == item || (2 * swap == item && swap >= 4);
        if (!fits || item == swap * 4 || (item == 16 && swap == 4)) continue;
        const std::ptrdiff_t step = stride * static_cast<std::ptrdiff_t>(item);
        const std::size_t base = 20001;  // unaligned
        pack(packed.data(), memory.data() + base, step, 200, item, swap);
        for (std::size_t i = 0; i < 200; ++i)
          for (std::size_t b = 0; b < item; ++b) {
            const std::size_t source = swap ? b / swap * swap + (swap - 1 - b % swap) : b;
            ASSERT_EQ(packed[i * item + b],
                      memory[static_cast<std::size_t>(static_cast<std::ptrdiff_t>(base) + step * static_cast<std::ptrdiff_t>(i)) + source]);
          }
        back.assign(back.size(), 0);
        unpack(back.data() + base, step, packed.data(), 200, item, swap);
        for (std::size_t i = 0; i < 200; ++i)
          for (std::size_t b = 0; b < item; ++b) {
            const auto at = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(base) + step * static_cast<std::ptrdiff_t>(i)) + b;
            ASSERT_EQ(back[at], memory[at]);
          }
      }
}

}  // namespace
}  // namespace engine::run::interp

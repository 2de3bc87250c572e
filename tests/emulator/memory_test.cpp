// Loads, stores, atomics, spaces, control flow and lanes together: whole kernels against what they must leave in memory.
#include <gmock/gmock.h>

#include <numeric>

#include "tests/emulator/machine.hpp"

namespace standin_test {
namespace {

using ::testing::HasSubstr;
using Words = std::vector<std::uint32_t>;

/// Runs threads that each leave one word, in order or interleaved.
Words run(const std::string& body, unsigned blocks = 1, unsigned threads = 32, const std::string& declarations = "", unsigned shared = 0) {
  Machine machine;
  const auto out = machine.upload(Words(blocks * threads, 0xdead));
  Words input(256);
  std::iota(input.begin(), input.end(), 0);
  const auto in = machine.upload(input);
  void* loaded = machine.load(kernel(2, body + "\nmad.wide.u32 %o, %i, 4, %a0; st.global.u32 [%o], %r0;", declarations));
  EXPECT_EQ(machine.launch(machine.function(loaded), blocks, threads, {out, in}, shared), 0) << standin_report();
  EXPECT_STREQ(standin_report(), "");
  return machine.download<std::uint32_t>(out, blocks * threads);
}

template <class F>
Words each(std::uint32_t n, F f) {
  Words found(n);
  for (std::uint32_t i = 0; i < n; ++i) found[i] = static_cast<std::uint32_t>(f(i));
  return found;
}

TEST(Memory, LoadsVectorsOfEveryWidth) {
  EXPECT_EQ(run("mad.wide.u32 %o, %i, 8, %a1; ld.global.v2.u32 {%r1, %r2}, [%o]; mad.lo.u32 %r0, %r2, 1000, %r1;"),
            each(32, [](auto i) { return (2 * i + 1) * 1000 + 2 * i; }));
  EXPECT_EQ(run("mad.wide.u32 %o, %i, 16, %a1; ld.global.nc.v4.u32 {%r1, %r2, %r3, %r4}, [%o]; mad.lo.u32 %r0, %r4, 1000, %r2;"),
            each(32, [](auto i) { return (4 * i + 3) * 1000 + 4 * i + 1; }));
  EXPECT_EQ(
      run("mad.wide.u32 %o, %i, 32, %a1; ld.global.v8.b32 {%r1, %r2, %r3, %r4, %r5, %r6, %r7, %r8}, [%o]; mad.lo.u32 %r0, %r8, 1000, %r2;"),
      each(32, [](auto i) { return (8 * i + 7) * 1000 + 8 * i + 1; }));
  EXPECT_EQ(run("mad.wide.u32 %o, %i, 4, %a1; ld.global.v4.u8 {%h1, %h2, %h3, %h4}, [%o]; cvt.u32.u16 %r0, %h1;"),
            each(32, [](auto i) { return i; }));
}

TEST(Memory, ExtendsWhatIsNarrowerThanItsRegister) {
  EXPECT_EQ(run("sub.s32 %r1, 0, %i; mad.wide.u32 %o, %i, 4, %a1; st.global.u32 [%o], %r1; ld.global.s8 %r0, [%o];"),
            each(32, [](auto i) { return -i; }));
  EXPECT_EQ(run("sub.s32 %r1, 0, %i; mad.wide.u32 %o, %i, 4, %a1; st.global.u32 [%o], %r1; ld.global.u8 %r0, [%o];"),
            each(32, [](auto i) { return -i & 0xff; }));
  EXPECT_EQ(run("sub.s32 %r1, 0, %i; mad.wide.u32 %o, %i, 4, %a1; st.global.u32 [%o], %r1; ld.global.s16 %q0, [%o]; shr.u64 %q0, %q0, 32; "
                "cvt.u32.u64 %r0, %q0;"),
            each(32, [](auto i) { return i ? 0xffffffff : 0; }));
}

TEST(Memory, StoresTheLowWordOfAWiderRegister) {
  EXPECT_EQ(run("mul.wide.u32 %q0, %i, 3; or.b64 %q0, %q0, 0x500000000; mad.wide.u32 %o, %i, 4, %a1; st.global.u32 [%o], %q0; "
                "ld.global.u32 %r0, [%o];"),
            each(32, [](auto i) { return 3 * i; }));
}

TEST(Memory, GenericAddressesReachEverySpace) {
  const char* declarations = ".shared .align 8 .b8 s[512];\n.const .align 4 .u32 c[4] = {10, 11, 12, 13};\n.global .align 8 .u64 g = c;\n";
  EXPECT_EQ(run(R"(
    .local .align 8 .b8 l[16];
    mov.u64 %q0, s; cvta.shared.u64 %q1, %q0; mad.wide.u32 %q1, %t, 8, %q1; st.u32 [%q1+4], %t; cvt.u32.u64 %r9, %q0; mad.lo.u32 %r8, %t, 8, %r9; ld.shared.u32 %r1, [%r8+4];
    mov.u64 %q2, l; cvta.local.u64 %q3, %q2; mul.lo.u32 %r7, %t, 2; st.u32 [%q3+8], %r7; ld.local.u32 %r2, [l+8];
    ld.global.u64 %q4, [g]; ld.u32 %r3, [%q4+8]; ld.const.u32 %r4, [c+4];
    isspacep.shared %p0, %q1; isspacep.local %p1, %q3; isspacep.global %p2, %q1; and.pred %p0, %p0, %p1; not.pred %p2, %p2; and.pred %p0, %p0, %p2; selp.u32 %r5, 1000, 0, %p0;
    cvta.to.shared.u64 %q5, %q1; ld.shared.u32 %r6, [%q5+4];
    add.u32 %r0, %r1, %r2; add.u32 %r0, %r0, %r3; add.u32 %r0, %r0, %r4; add.u32 %r0, %r0, %r5; add.u32 %r0, %r0, %r6;)",
                1, 32, declarations),
            each(32, [](auto i) { return i + 2 * i + 12 + 11 + 1000 + i; }));
}

TEST(Memory, DynamicSharedMemoryBeginsBehindTheStatic) {
  EXPECT_EQ(run(R"(
    mov.u32 %r1, s; mad.lo.u32 %r2, %t, 4, %r1; st.shared.u32 [%r2], %t; mov.u32 %r3, d; mad.lo.u32 %r4, %t, 4, %r3; add.u32 %r5, %t, 100; st.shared.u32 [%r4], %r5;
    ld.shared.u32 %r6, [%r2]; ld.shared.u32 %r7, [%r4]; mov.u32 %r8, %dynamic_smem_size; add.u32 %r0, %r6, %r7; add.u32 %r0, %r0, %r8;)",
                1, 32, ".shared .align 4 .b8 s[128];\n.extern .shared .align 16 .b8 d[];\n", 128),
            each(32, [](auto i) { return 2 * i + 100 + 128; }));
}

TEST(Memory, StructuresComeAsParameters) {
  Machine machine;
  const auto out = machine.upload(Words(1, 0));
  void* loaded = machine.load(std::string(kHeader) + R"(.visible .entry k(.param .u64 p, .param .align 8 .b8 s[24]) {
    .reg .b64 %q<4>; .reg .b32 %r<4>;
    ld.param.u64 %q1, [p]; ld.param.v2.u32 {%r1, %r2}, [s+8]; mov.b64 %q2, s; ld.param.u32 %r3, [%q2+16];
    add.u32 %r1, %r1, %r2; add.u32 %r1, %r1, %r3; st.global.u32 [%q1], %r1; ret; })");
  const std::uint32_t structure[6] = {0, 0, 10, 20, 300, 0};
  void* parameters[] = {const_cast<std::uint64_t*>(&out), const_cast<std::uint32_t*>(structure)};
  ASSERT_EQ(cuLaunchKernel(machine.function(loaded), 1, 1, 1, 1, 1, 1, 0, nullptr, parameters, nullptr), 0);
  EXPECT_EQ(machine.download<std::uint32_t>(out, 1)[0], 330u) << standin_report();
}

struct AtomicCase {
  const char* operation;
  const char* type;
  std::uint64_t start;
  std::function<std::uint64_t(std::uint64_t, std::uint64_t)> next;
};

/// 64 threads of two blocks each bring their number; the sequence is the lanes', so the old values must chain.
class Atomic : public ::testing::TestWithParam<AtomicCase> {};
TEST_P(Atomic, UpdatesInSomeOrderWithoutLoss) {
  const AtomicCase& c = GetParam();
  const int bytes = std::atoi(c.type + 1) / 8;
  const std::string reg = bytes == 8 ? "%q" : "%r";
  for (const char* seed : {"0", "5"}) {
    Machine machine;
    standin_set("seed", seed);
    const auto word = machine.upload(std::vector<std::uint64_t>{c.start}), olds = machine.allocate(64 * 8);
    const std::string operand = bytes == 8 ? "cvt.u64.u32 %q1, %i; add.u64 %q1, %q1, 3;" : "add.u32 %r1, %i, 3;";
    void* loaded =
        machine.load(kernel(2, operand + "atom.global." + c.operation + "." + c.type + " " + reg + "2, [%a0], " + reg + "1;" +
                                   (bytes == 8 ? "" : "cvt.u64.u32 %q2, %r2;") + "mad.wide.u32 %o, %i, 8, %a1; st.global.u64 [%o], %q2;"));
    ASSERT_EQ(machine.launch(machine.function(loaded), 2, 32, {word, olds}), 0) << standin_report();
    const auto old = machine.download<std::uint64_t>(olds, 64);
    const std::uint64_t mask = bytes == 8 ? ~std::uint64_t{0} : 0xffffffff, last = machine.download<std::uint64_t>(word, 1)[0] & mask;
    // Follow the chain from the start; equal values may come from several threads.
    std::vector<bool> used(64);
    std::uint64_t value = c.start & mask;
    for (int step = 0; step < 64; ++step) {
      std::size_t found = 64;
      for (std::size_t i = 0; i < 64 && found == 64; ++i)
        if (!used[i] && old[i] == value && ((c.next(value, i + 3) & mask) != value || std::string(c.operation) != "exch")) found = i;
      ASSERT_LT(found, 64u) << "nobody saw " << value;
      used[found] = true;
      value = c.next(value, found + 3) & mask;
    }
    EXPECT_EQ(value, last);
  }
}
const auto kSigned = [](std::uint64_t a) { return static_cast<std::int32_t>(a); };
INSTANTIATE_TEST_SUITE_P(Memory, Atomic,
                         ::testing::Values(AtomicCase{"add", "u32", 5, [](auto a, auto b) { return a + b; }},
                                           AtomicCase{"add", "u64", 1ull << 40, [](auto a, auto b) { return a + b; }},
                                           AtomicCase{"add", "s32", 0xffffff00, [](auto a, auto b) { return a + b; }},
                                           AtomicCase{"min", "u32", 40, [](auto a, auto b) { return std::min(a, b); }},
                                           AtomicCase{"min", "s32", 40, [](auto a, auto b) { return kSigned(a) < kSigned(b) ? a : b; }},
                                           AtomicCase{"max", "u32", 40, [](auto a, auto b) { return std::max(a, b); }},
                                           AtomicCase{"max", "s32", 0xffffff00,
                                                      [](auto a, auto b) { return kSigned(a) > kSigned(b) ? a : b; }},
                                           AtomicCase{"max", "u64", 40, [](auto a, auto b) { return std::max(a, b); }},
                                           AtomicCase{"inc", "u32", 0, [](auto a, auto b) { return a >= b ? 0 : a + 1; }},
                                           AtomicCase{"dec", "u32", 9, [](auto a, auto b) { return a == 0 || a > b ? b : a - 1; }},
                                           AtomicCase{"and", "b32", 0xff, [](auto a, auto b) { return a & b; }},
                                           AtomicCase{"or", "b64", 0x100, [](auto a, auto b) { return a | b; }},
                                           AtomicCase{"xor", "b32", 0x100, [](auto a, auto b) { return a ^ b; }},
                                           AtomicCase{"exch", "b32", 1, [](auto, auto b) { return b; }},
                                           AtomicCase{"exch", "b64", 1, [](auto, auto b) { return b; }}),
                         [](const auto& info) { return std::string(info.param.operation) + "_" + info.param.type; });

TEST(Memory, CompareAndSwapMakesALock) {
  const std::string body = R"(
    W: atom.acquire.gpu.global.cas.b32 %r1, [%a1+0], 0, 1; setp.ne.u32 %p0, %r1, 0; @%p0 bra W;
    ld.relaxed.gpu.global.u32 %r2, [%a1+8]; add.u32 %r2, %r2, 1; st.relaxed.gpu.global.u32 [%a1+8], %r2;
    atom.release.gpu.global.exch.b32 %r3, [%a1+0], 0;
    mov.u32 %r0, 0;)";
  for (const char* seed : {"0", "1", "2"}) {
    Machine machine;
    standin_set("seed", seed);
    const auto out = machine.upload(Words(8, 0)), in = machine.upload(Words(8, 0));
    void* loaded = machine.load(kernel(2, body));
    ASSERT_EQ(machine.launch(machine.function(loaded), 8, 1, {out, in}), 0) << standin_report();
    EXPECT_EQ(machine.download<std::uint32_t>(in, 4)[2], 8u);
  }
}

TEST(Memory, FloatsAddAtomically) {
  Machine machine;
  const auto out = machine.upload(std::vector<double>(4, 0.5));
  void* loaded = machine.load(
      kernel(1,
             "cvt.rn.f64.u32 %d0, %i; cvt.rn.f32.u32 %f0, %i; red.global.add.f64 [%a0], %d0; red.global.add.f32 [%a0+12], %f0; "
             "cvt.rn.f16.u32 %h0, %i; mov.b32 %r1, {%h0, %h0}; atom.global.add.noftz.f16x2 %r2, [%a0+16], %r1; atom.global.add.noftz.f16 "
             "%h1, [%a0+24], %h0;"));
  ASSERT_EQ(machine.launch(machine.function(loaded), 1, 16, {out}), 0) << standin_report();
  const auto bytes = machine.download<std::uint8_t>(out, 32);
  double d;
  float f;
  std::uint16_t h;
  std::memcpy(&d, bytes.data(), 8), std::memcpy(&f, bytes.data() + 12, 4), std::memcpy(&h, bytes.data() + 16, 2);
  EXPECT_EQ(d, 120.5);
  EXPECT_EQ(f, 121.75f);  // the upper word of 0.5 is 1.75f
  EXPECT_EQ(h, 0x5780);   // 120
  std::memcpy(&h, bytes.data() + 24, 2);
  EXPECT_EQ(h, 0x5780);
}

TEST(Flow, LanesMeetAgainAfterABranch) {
  EXPECT_EQ(run("and.b32 %r1, %t, 1; setp.eq.u32 %p0, %r1, 0; @%p0 bra A; mov.u32 %r0, 100; bra B; A: mov.u32 %r0, 200; B: activemask.b32 "
                "%r2; setp.ne.u32 %p1, %r2, 0xffffffff; @%p1 trap;"),
            each(32, [](auto i) { return i % 2 ? 100 : 200; }));
}

TEST(Flow, LoopsRunForEachLaneItsOwnCount) {
  EXPECT_EQ(
      run("mov.u32 %r0, 0; mov.u32 %r1, 0; L: setp.ge.u32 %p0, %r1, %t; @%p0 bra E; add.u32 %r0, %r0, %r1; add.u32 %r1, %r1, 1; bra L; E:"),
      each(32, [](auto i) { return i * (i - 1) / 2; }));
}

TEST(Flow, IndexedBranchesGoWhereTheListSays) {
  EXPECT_EQ(run("and.b32 %r1, %t, 3; T: .branchtargets A, B, C, B; brx.idx %r1, T; A: mov.u32 %r0, 1; bra E; B: mov.u32 %r0, 2; bra E; C: "
                "mov.u32 %r0, 3; E:"),
            each(32, [](auto i) { return i % 4 == 0   ? 1
                                         : i % 4 == 2 ? 3
                                                      : 2; }));
}

TEST(Flow, CallsPassParametersAndComeBackToTheirCaller) {
  const char* declarations = R"(
    .func (.param .b32 r) twice(.param .b32 x) { .reg .b32 %v; ld.param.b32 %v, [x]; add.u32 %v, %v, %v; st.param.b32 [r], %v; ret; }
    .func (.param .b32 r) quad(.param .b32 x) { .reg .b32 %v; ld.param.b32 %v, [x];
      { .param .b32 a; .param .b32 b; st.param.b32 [a], %v; call.uni (b), twice, (a); ld.param.b32 %v, [b]; }
      { .param .b32 a; .param .b32 b; st.param.b32 [a], %v; call.uni (b), twice, (a); ld.param.b32 %v, [b]; }
      st.param.b32 [r], %v; ret; }
)";
  EXPECT_EQ(
      run(R"({ .param .b32 a; .param .b32 b; st.param.b32 [a], %t; setp.lt.u32 %p0, %t, 20; @!%p0 bra T; call.uni (b), quad, (a); bra E; T: call.uni (b), twice, (a); E: ld.param.b32 %r0, [b]; })",
          1, 32, declarations),
      each(32, [](auto i) { return i < 20 ? 4 * i : 2 * i; }));
}

TEST(Flow, InnerScopesShadowNamesAndLabels) {
  EXPECT_EQ(run("mov.u32 %r1, 5; { .reg .b32 %r1; mov.u32 %r1, 100; bra L; mov.u32 %r1, 1; L: mov.u32 %r0, %r1; } { .reg .u32 r; mov.u32 "
                "r, 3; bra L; mov.u32 r, 9; L: add.u32 %r0, %r0, r; } add.u32 %r0, %r0, %r1;"),
            each(32, [](auto) { return 108; }));
}

TEST(Flow, SpecialRegistersNameTheThread) {
  EXPECT_EQ(run("mov.u32 %r1, %laneid; mov.u32 %r2, %warpid; mov.u32 %r3, %nwarpid; mov.u32 %r4, %lanemask_lt; popc.b32 %r5, %r4; "
                "mad.lo.u32 %r0, %r2, 100, %r1; mad.lo.u32 %r0, %r3, 10000, %r0; mad.lo.u32 %r0, %r5, 1000000, %r0;",
                1, 64),
            each(64, [](auto i) { return i % 32 + i / 32 * 100 + 20000 + i % 32 * 1000000; }));
}

TEST(Lanes, Shuffle) {
  EXPECT_EQ(run("shfl.sync.down.b32 %r0|%p0, %t, 3, 31, 0xffffffff; @%p0 add.u32 %r0, %r0, 100;"),
            each(32, [](auto i) { return i + 3 < 32 ? i + 103 : i; }));
  EXPECT_EQ(run("shfl.sync.up.b32 %r0|%p0, %t, 3, 0, 0xffffffff; @%p0 add.u32 %r0, %r0, 100;"),
            each(32, [](auto i) { return i >= 3 ? i + 97 : i; }));
  EXPECT_EQ(run("shfl.sync.bfly.b32 %r0, %t, 5, 31, 0xffffffff;"), each(32, [](auto i) { return i ^ 5; }));
  EXPECT_EQ(run("shfl.sync.idx.b32 %r0, %t, 2, 31, 0xffffffff;"), each(32, [](auto) { return 2; }));
  // Segments of 8: the mask in the upper bits of c.
  EXPECT_EQ(run("shfl.sync.down.b32 %r0, %t, 2, 0x181f, 0xffffffff;"), each(32, [](auto i) { return i % 8 + 2 < 8 ? i + 2 : i; }));
  EXPECT_EQ(run("shfl.sync.up.b32 %r0, %t, 2, 0x1800, 0xffffffff;"), each(32, [](auto i) { return i % 8 >= 2 ? i - 2 : i; }));
  EXPECT_EQ(run("shfl.sync.idx.b32 %r0, %t, 9, 0x181f, 0xffffffff;"), each(32, [](auto i) { return i / 8 * 8 + 1; }));
}

TEST(Lanes, TakeLiteralPredicates) {
  EXPECT_EQ(run("mov.pred %p0, -1; mov.pred %p1, 0; selp.u32 %r0, 1, 0, %p0; @%p1 add.u32 %r0, %r0, 2;"), each(32, [](auto) { return 1; }));
}

TEST(Lanes, VoteMatchAndReduce) {
  EXPECT_EQ(run("setp.lt.u32 %p0, %t, 5; vote.sync.ballot.b32 %r0, %p0, 0xffffffff;"), each(32, [](auto) { return 31; }));
  EXPECT_EQ(run("setp.lt.u32 %p0, %t, 5; vote.ballot.sync.b32 %r0, %p0, 0xffffffff;"), each(32, [](auto) { return 31; }));
  EXPECT_EQ(run("setp.lt.u32 %p0, %t, 5; vote.sync.any.pred %p1, %p0, 0xffffffff; vote.sync.all.pred %p2, %p0, 0xffffffff; "
                "vote.sync.uni.pred %p3, %p0, 0xffffffff; selp.u32 %r0, 1, 0, %p1; @%p2 add.u32 %r0, %r0, 2; @%p3 add.u32 %r0, %r0, 4;"),
            each(32, [](auto) { return 1; }));
  EXPECT_EQ(run("and.b32 %r1, %t, 3; match.any.sync.b32 %r0, %r1, 0xffffffff;"), each(32, [](auto i) { return 0x11111111u << i % 4; }));
  EXPECT_EQ(run("match.all.sync.b32 %r0|%p0, 7, 0xffffffff; @%p0 not.b32 %r0, %r0;"), each(32, [](auto) { return 0; }));
  EXPECT_EQ(run("redux.sync.add.u32 %r0, %t, 0xffffffff;"), each(32, [](auto) { return 496; }));
  EXPECT_EQ(run("sub.s32 %r1, %t, 9; redux.sync.min.s32 %r0, %r1, 0xffffffff;"), each(32, [](auto) { return -9; }));
  EXPECT_EQ(run("redux.sync.xor.b32 %r0, %t, 0xffffffff;"), each(32, [](auto) { return 0; }));
  EXPECT_EQ(run("elect.sync %r0|%p0, 0xffffffff; @%p0 add.u32 %r0, %r0, 5;"), each(32, [](auto i) { return i ? 0 : 5; }));
}

TEST(Lanes, PartsOfAWarpShuffleByTheirOwnMasks) {
  EXPECT_EQ(run("setp.lt.u32 %p0, %t, 16; @%p0 bra A; shfl.sync.bfly.b32 %r0, %t, 1, 31, 0xffff0000; bra E; A: mul.lo.u32 %r1, %t, 10; "
                "shfl.sync.bfly.b32 %r0, %r1, 1, 31, 0xffff; E: bar.warp.sync 0xffffffff;"),
            each(32, [](auto i) { return i < 16 ? (i ^ 1) * 10 : i ^ 1; }));
}

TEST(Memory, SharedMemoryIsANewOneForEachBlock) {
  EXPECT_EQ(run("st.shared.u32 [s], %c; ld.shared.u32 %r0, [s];", 4, 1, ".shared .align 4 .b8 s[4];\n"), each(4, [](auto i) { return i; }));
}

TEST(Lanes, BarriersReduce) {
  EXPECT_EQ(run("setp.lt.u32 %p0, %t, 40; bar.red.popc.u32 %r0, 0, %p0; bar.red.or.pred %p1, 0, %p0; bar.red.and.pred %p2, 0, %p0; @%p1 "
                "add.u32 %r0, %r0, 100; @%p2 add.u32 %r0, %r0, 1000;",
                1, 96),
            each(96, [](auto) { return 140; }));
}

}  // namespace
}  // namespace standin_test

// Planted defects, each caught by name, with kernel, thread and PTX line, and the right one of the driver's errors; and their correct
// twins.
#include <gmock/gmock.h>

#include "tests/emulator/machine.hpp"

namespace standin_test {
namespace {

using ::testing::HasSubstr;

class Checker : public ::testing::Test {
 protected:
  /// Launches a kernel of three pointers: 32 words that are set, 32 that are not, and their number.
  int run(const std::string& body, unsigned blocks = 1, unsigned threads = 32, const std::string& declarations = "") {
    words_ = machine_.upload(std::vector<std::uint32_t>(64, 7));
    empty_ = machine_.allocate(256);
    void* loaded = machine_.load(kernel(3, body, declarations));
    return machine_.launch(machine_.function(loaded), blocks, threads, {words_, empty_, 64});
  }

  /// The error, the word of the report, and that later calls know of it.
  void expect(int status, int expected, const std::string& word) {
    EXPECT_EQ(status, expected);
    EXPECT_THAT(standin_report(), HasSubstr(word));
    EXPECT_THAT(standin_report(), HasSubstr("kernel 'k'"));
    EXPECT_THAT(standin_report(), HasSubstr("PTX line"));
    EXPECT_EQ(cuCtxSynchronize(), expected) << "the error is to stay";
    machine_.reset();
    EXPECT_EQ(cuCtxSynchronize(), 0) << "a new context is to have none";
  }

  void expect_clean(int status) {
    EXPECT_EQ(status, 0);
    EXPECT_STREQ(standin_report(), "");
  }

  Machine machine_;
  std::uint64_t words_ = 0, empty_ = 0;
};

TEST_F(Checker, CatchesAReadBehindAnArray) {
  expect(run("mad.wide.u32 %o, %i, 4, %a0; ld.global.u32 %r0, [%o+132];"), 700, "out-of-bounds");
}

TEST_F(Checker, CatchesAWriteBeforeAnArray) { expect(run("st.global.u32 [%a0+-4], %i;"), 700, "out-of-bounds"); }

TEST_F(Checker, CatchesUseAfterFree) {
  const std::uint64_t gone = machine_.allocate(64);
  ASSERT_EQ(cuMemFree_v2(gone), 0);
  const std::uint64_t next = machine_.allocate(64);
  EXPECT_NE(next, gone) << "addresses are to be new ones";
  expect(machine_.launch(machine_.function(machine_.load(kernel(1, "st.global.u32 [%a0], %i;"))), 1, 1, {gone}), 700, "use-after-free");
}

TEST_F(Checker, CatchesAHostDereference) {
  const std::uint64_t address = machine_.allocate(64);
  EXPECT_DEATH(*reinterpret_cast<volatile int*>(address) = 1, "");
}

TEST_F(Checker, CatchesAReadOfGlobalMemoryNobodyWrote) {
  expect(run("mad.wide.u32 %o, %i, 4, %a1; ld.global.u32 %r0, [%o];"), 719, "uninitialised");
}

TEST_F(Checker, CatchesAReadOfOneByteNobodyWrote) {
  expect(run("mad.wide.u32 %o, %i, 8, %a1; st.global.u32 [%o], %i; ld.global.u64 %q0, [%o];"), 719, "uninitialised");
}

TEST_F(Checker, CatchesAReadOfSharedMemoryNobodyWrote) {
  expect(run("mov.u32 %r1, s; ld.shared.u32 %r0, [%r1];", 1, 1, ".shared .align 4 .b8 s[128];\n"), 719, "uninitialised");
}

TEST_F(Checker, TakesSharedMemoryOfTheBlockBeforeForUnwritten) {
  expect(run("setp.ne.u32 %p0, %c, 0; @%p0 bra R; st.shared.u32 [s], %i; bra E; R: ld.shared.u32 %r0, [s]; E:", 2, 1,
             ".shared .align 4 .b8 s[128];\n"),
         719, "uninitialised");
}

const char* kExchange = R"(
  mov.u32 %r1, s; mad.lo.u32 %r2, %t, 4, %r1; st.shared.u32 [%r2], %t;
  BARRIER
  mov.u32 %r4, 0; setp.lt.u32 %p0, %t, PARTNER; @%p0 bra E;  // in order, those behind read what is there already
  xor.b32 %r3, %t, PARTNER; mad.lo.u32 %r2, %r3, 4, %r1; ld.shared.u32 %r4, [%r2];
E:
  mad.wide.u32 %o, %i, 4, %a1; st.global.u32 [%o], %r4;)";

std::string exchange(const std::string& barrier, int partner) {
  std::string text = kExchange;
  text.replace(text.find("BARRIER"), 7, barrier);
  for (int i = 0; i < 2; ++i) text.replace(text.find("PARTNER"), 7, std::to_string(partner));
  return text;
}

constexpr const char* kShared = ".shared .align 4 .b8 s[256];\n";

TEST_F(Checker, CatchesASharedRaceBetweenWarps) { expect(run(exchange("", 32), 1, 64, kShared), 719, "shared-race"); }
TEST_F(Checker, CatchesASharedRaceInsideAWarp) { expect(run(exchange("", 1), 1, 32, kShared), 719, "shared-race"); }
TEST_F(Checker, TakesABarrierForOrder) { expect_clean(run(exchange("bar.sync 0;", 32), 1, 64, kShared)); }
TEST_F(Checker, TakesAWarpBarrierForOrderInsideTheWarp) { expect_clean(run(exchange("bar.warp.sync 0xffffffff;", 1), 1, 32, kShared)); }
TEST_F(Checker, TakesAWarpBarrierForNoOrderBetweenWarps) {
  expect(run(exchange("bar.warp.sync 0xffffffff;", 32), 1, 64, kShared), 719, "shared-race");
}

/// Each thread reads its neighbour's word, then its own behind a barrier, and writes that.
const char* kSteps = R"(
  mov.u32 %r1, s; mad.lo.u32 %r2, %t, 4, %r1; st.shared.u32 [%r2], %t; bar.sync 0;
  xor.b32 %r3, %t, 1; mad.lo.u32 %r3, %r3, 4, %r1; ld.shared.u32 %r4, [%r3];
  BARRIER
  ld.shared.u32 %r5, [%r2]; add.u32 %r5, %r5, %r4; st.shared.u32 [%r2], %r5;)";
std::string steps(const std::string& barrier) {
  std::string text = kSteps;
  text.replace(text.find("BARRIER"), 7, barrier);
  return text;
}
TEST_F(Checker, TakesAReadBeforeABarrierForOrderedWhereTheWriterHasReadSince) { expect_clean(run(steps("bar.sync 0;"), 1, 64, kShared)); }
TEST_F(Checker, CatchesAWriteOverAReadWhereTheWriterHasReadSince) { expect(run(steps(""), 1, 64, kShared), 719, "shared-race"); }

TEST_F(Checker, CatchesAReadThatALaterWriteOverruns) {
  expect(run("mov.u32 %r1, s; st.shared.u32 [s], %t;", 1, 2, kShared), 719, "shared-race");
}

TEST_F(Checker, CatchesAGlobalRaceBetweenBlocks) { expect(run("st.global.u32 [%a1], %i;", 2, 1), 719, "global-race"); }

TEST_F(Checker, CatchesAGlobalRaceInsideABlock) {
  expect(run("mad.wide.u32 %o, %t, 4, %a0; st.global.u32 [%o], %t; xor.b32 %r0, %t, 32; mad.wide.u32 %o, %r0, 4, %a0; ld.global.u32 %r1, "
             "[%o];",
             1, 64),
         719, "global-race");
}

TEST_F(Checker, CatchesAWriteOverAnotherThreadsRead) {
  expect(run("ld.global.u32 %r0, [%a0]; setp.eq.u32 %p0, %t, 40; @%p0 st.global.u32 [%a0], %t;", 1, 64), 719, "global-race");
}

TEST_F(Checker, CatchesARaceOfNeighbouringBytesOnlyWhereTheyMeet) {
  expect_clean(run("cvt.u64.u32 %q0, %i; add.u64 %o, %a1, %q0; cvt.u16.u32 %h0, %i; st.global.u8 [%o], %h0;", 2, 64));
  machine_.reset();
  expect(run("cvt.u64.u32 %q0, %t; add.u64 %o, %a1, %q0; cvt.u16.u32 %h0, %i; st.global.u8 [%o], %h0;", 2, 64), 719, "global-race");
}

TEST_F(Checker, TakesAtomicsForNoRace) { expect_clean(run("red.global.add.u32 [%a0], 1;", 4, 64)); }

TEST_F(Checker, CatchesAPlainWriteBesideAtomics) {
  expect(run("setp.eq.u32 %p0, %i, 70; @%p0 st.global.u32 [%a0], 1; @!%p0 red.global.add.u32 [%a0], 1;", 4, 64), 719, "global-race");
}

TEST_F(Checker, CatchesAtomicsOfABlockAmongBlocks) { expect(run("atom.cta.global.add.u32 %r0, [%a0], 1;", 2, 1), 719, "global-race"); }

/// The last block reads what all wrote: a release before the ticket, an acquire after it.
const char* kLastBlock = R"(
  mad.wide.u32 %o, %c, 4, %a1; st.global.u32 [%o], %c;
  RELEASE
  atom.global.add.u32 %r0, [%a0], 1;
  ACQUIRE
  mov.u32 %r1, %nctaid.x; add.u32 %r1, %r1, 6; setp.ne.u32 %p0, %r0, %r1; @%p0 bra E;
  ld.global.u32 %r2, [%a1];
E:)";

std::string last_block(const std::string& release, const std::string& acquire) {
  std::string text = kLastBlock;
  text.replace(text.find("RELEASE"), 7, release);
  text.replace(text.find("ACQUIRE"), 7, acquire);
  return text;
}

TEST_F(Checker, TakesFencesAroundATicketForOrder) { expect_clean(run(last_block("membar.gl;", "membar.gl;"), 8, 1)); }
TEST_F(Checker, CatchesATicketWithoutItsRelease) { expect(run(last_block("", "membar.gl;"), 8, 1), 719, "global-race"); }
TEST_F(Checker, CatchesATicketWithoutItsAcquire) { expect(run(last_block("fence.acq_rel.gpu;", ""), 8, 1), 719, "global-race"); }

TEST_F(Checker, TakesReleaseAndAcquireForOrder) {
  standin_set("seed", "3");
  expect_clean(run(R"(
    setp.ne.u32 %p0, %c, 0; @%p0 bra W;
    st.global.u32 [%a1], 5; st.release.gpu.global.u32 [%a0], 9; bra E;
  W: ld.acquire.gpu.global.u32 %r0, [%a0]; setp.ne.u32 %p1, %r0, 9; @%p1 bra W;
    ld.global.u32 %r1, [%a1];
  E:)",
                   2, 1));
}

TEST_F(Checker, CatchesARelaxedFlag) {
  standin_set("seed", "3");
  expect(run(R"(
    setp.ne.u32 %p0, %c, 0; @%p0 bra W;
    st.global.u32 [%a1], 5; st.relaxed.gpu.global.u32 [%a0], 9; bra E;
  W: ld.relaxed.gpu.global.u32 %r0, [%a0]; setp.ne.u32 %p1, %r0, 9; @%p1 bra W;
    ld.global.u32 %r1, [%a1];
  E:)",
             2, 1),
         719, "global-race");
}

TEST_F(Checker, CatchesABarrierThatHalfAWarpReaches) { expect(run("setp.lt.u32 %p0, %t, 16; @%p0 bar.sync 0;"), 719, "divergent-barrier"); }
TEST_F(Checker, LetsAWarpMeetAtABarrierBeforeCodeOfABranch) {
  const char* text = "setp.lt.u32 %p0, %t, 2; @%p0 bra O; B: bar.sync 0; bra.uni E; O: add.u32 %r0, %t, 1; bra.uni B; E:";
  expect_clean(run(text, 1, 64));
  expect(run("setp.lt.u32 %p0, %t, 2; @%p0 bra O; bar.sync 0; bra.uni E; O: exit; E:"), 719, "divergent-barrier");
}
TEST_F(Checker, CatchesABarrierThatOneWarpReaches) {
  expect(run("setp.lt.u32 %p0, %t, 32; @%p0 bar.sync 0;", 1, 64), 719, "divergent-barrier");
}
TEST_F(Checker, TakesABarrierOfSomeWarpsByNumber) { expect_clean(run("setp.lt.u32 %p0, %t, 64; @%p0 bar.sync 1, 64;", 1, 128)); }

TEST_F(Checker, CatchesAMaskWithoutItsLane) { expect(run("shfl.sync.down.b32 %r0|%p0, %t, 1, 31, 0xffff;"), 719, "bad-mask"); }
TEST_F(Checker, CatchesAMaskWithLanesThatNeverCome) {
  expect(
      run("setp.lt.u32 %p0, %t, 16; @%p0 bra A; W: bra.uni X; A: shfl.sync.down.b32 %r0, %t, 1, 31, 0xffffffff; bra E; X: bar.sync 0; E:"),
      719, "divergent-barrier");
}
TEST_F(Checker, CatchesDifferentMasksAtOneInstruction) {
  expect(run("setp.lt.u32 %p0, %t, 16; selp.b32 %r1, 0xffffffff, 0xffff0000, %p0; vote.sync.ballot.b32 %r0, %p0, %r1;"), 719, "bad-mask");
}
TEST_F(Checker, CatchesAShuffleFromALaneThatTakesNoPart) {
  expect(run("setp.ge.u32 %p0, %t, 16; @%p0 bra E; shfl.sync.idx.b32 %r0, %t, 20, 31, 0xffff; E:"), 719, "bad-mask");
}

TEST_F(Checker, CatchesANonCoherentLoadOfWhatTheLaunchWrote) {
  expect(run("mad.wide.u32 %o, %t, 4, %a0; st.global.u32 [%o], %t; ld.global.nc.u32 %r0, [%o];"), 719, "non-coherent-load");
}
TEST_F(Checker, CatchesAWriteOfWhatTheLaunchReadNonCoherently) {
  expect(run("mad.wide.u32 %o, %t, 4, %a0; ld.global.nc.u32 %r0, [%o]; st.global.u32 [%o], %t;"), 719, "non-coherent-load");
}

TEST_F(Checker, CatchesAMisalignedLoad) { expect(run("ld.global.u32 %r0, [%a0+2];"), 716, "misaligned"); }
TEST_F(Checker, CatchesAMisalignedVectorLoad) {
  expect(run("mad.wide.u32 %o, %i, 4, %a0; ld.global.v2.u32 {%r0, %r1}, [%o+4];", 1, 8), 716, "misaligned");
}
TEST_F(Checker, CatchesAMisalignedRowOfVectors) {
  expect(run("mad.wide.u32 %o, %i, 8, %a0; ld.global.v2.u32 {%r0, %r1}, [%o+-4];"), 716, "misaligned");
}

TEST_F(Checker, CatchesASpinThatNobodyEnds) {
  standin_set("spin", "100000");
  expect(run("W: ld.volatile.global.u32 %r0, [%a0]; setp.eq.u32 %p0, %r0, 7; @%p0 bra W;"), 702, "endless-spin");
  standin_set("spin", "16M");
}

TEST_F(Checker, LetsASpinEndThatALaterBlockEnds) {
  expect_clean(run(R"(
    setp.ne.u32 %p0, %c, 0; @%p0 bra S;
  W: ld.acquire.gpu.global.u32 %r0, [%a0]; setp.eq.u32 %p1, %r0, 7; @%p1 bra W; bra E;
  S: st.release.gpu.global.u32 [%a0], 8;
  E:)",
                   2, 1));
}

TEST_F(Checker, CatchesAWriteToConstantMemory) {
  expect(run("mov.u64 %q0, x; cvta.const.u64 %q1, %q0; st.u32 [%q1], 1;", 1, 1, ".const .align 4 .u32 x = 5;\n"), 700, "read-only");
}
TEST_F(Checker, CatchesATrap) { expect(run("trap;"), 719, "trap"); }
TEST_F(Checker, CatchesABranchBeyondItsTargets) { expect(run("L: .branchtargets A, B; brx.idx %t, L; A: B:"), 718, "bad-branch"); }

TEST_F(Checker, NamesThreadAndLine) {
  run("mad.wide.u32 %o, %i, 4, %a0; setp.ne.u32 %p0, %i, 37;\n@%p0 bra E;\nld.global.u32 %r0, [%o+1024];\nE:", 2, 32);
  EXPECT_THAT(standin_report(), HasSubstr("out-of-bounds in kernel 'k', block (1,0,0) thread (5,0,0), PTX line 13: reads 4 bytes"));
}

}  // namespace
}  // namespace standin_test

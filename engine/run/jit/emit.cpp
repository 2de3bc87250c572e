// run/jit/emit.cpp - the loop around the body, and each instruction in the words of AVX2 and AVX-512.
//
//   constants, 8 bytes each, aligned to 64
//   entry:  save registers, make room for spills, load addresses, run the head
//   loop:   the body, a vector at a time (unrolled, nothing ran faster: the processor does that itself)
// An instruction writes its result last: the result may have the register of an argument.
#include "engine/run/jit/emit.hpp"

#include <xbyak/xbyak.h>

#include <algorithm>
#include <array>
#include <bit>
#include <list>

namespace engine::run::jit {
namespace {

using Xbyak::Address;
using Xbyak::Operand;
using Xbyak::Opmask;
using Xbyak::Reg64;
using Xbyak::Xmm;
using Xbyak::Ymm;
using Xbyak::Zmm;

constexpr std::size_t kLine = 64;
/// Bytes: what groups will read so much later is fetched. Of two operands that memory has to bring, 5 % of the time.
constexpr int kAhead = 2048;

class Emitter : public Xbyak::CodeGenerator {
 public:
  Emitter(const Target& target, const Program& program, const Allocation& allocation, std::span<std::byte> buffer)
      : CodeGenerator(buffer.size(), buffer.data()),
        target_(target),
        program_(program),
        allocation_(allocation),
        lanes_(program.lanes(target)),
        wide_(target.has_avx512) {}

  Emitted run() {
    const std::size_t entry = start();
    begin_row();
    jb(vectors());
    leave();
    Emitted emitted{.size = getSize(), .entry = entry};
    if (!stores_otherwise_ && store_bytes_ >= 16) {
      emitted.stores = stores_;
      emitted.n_stores = n_stores_;
      emitted.store_bytes = store_bytes_;
    }
    return emitted;
  }

  /// The second argument is where accumulators go, the third how many groups there are.
  Emitted run_groups() {
    makes_groups_ = true;
    const std::size_t entry = start();
    begin_row();
    const int vectors = static_cast<int>(interp::kLanes) / lanes_, at_once = std::min(vectors, target_.n_accumulators);
    xor_(index_.cvt32(), index_.cvt32());
    align(16);
    const std::uint8_t* const next = getCurr();
    for (int first = 0; first < vectors; first += at_once) {
      if (first) sub(index_, static_cast<int>(interp::kBlock) - at_once * lanes_);
      group(first, at_once);
    }
    if (vectors > at_once) sub(index_, (vectors - at_once) * lanes_);
    add(end_, static_cast<int>(interp::kLanes) * program_.body.back().bytes);
    cmp(index_, ptr[rsp + frame_ - 16]);
    jb(next);
    leave();
    return {getSize(), entry};
  }

  /// Row after row: see Machine::Walk. The last vector of a row that does not fill it begins where it ends with the row.
  Emitted run_walk() {
    walks_ = true;
    const std::size_t entry = start();
    const std::uint8_t* const row = getCurr();
    begin_row();
    const std::uint8_t* const first = vectors();  // up to where the last one begins
    jbe(first);
    lea(rax, ptr[end_ + lanes_]);
    cmp(index_, rax);
    Xbyak::Label done;
    jae(done, T_NEAR);
    mov(index_, end_);
    jmp(first);
    L(done);
    std::pmr::vector<std::uint32_t> moved(program_.ins.get_allocator());
    for (const std::pmr::vector<Instruction>& code : {std::cref(program_.head), std::cref(program_.body)})
      for (const Instruction& i : code)
        if ((is_load(i.code) || is_splat(i.code) || is_store(i.code)) && std::ranges::find(moved, i.payload) == moved.end())
          moved.push_back(i.payload);
    mov(index_, ptr[rsp + frame_ - 24]);
    for (const std::uint32_t value : moved) {
      mov(rax, ptr[index_ + static_cast<int>(value) * 8]);
      add(address(value), rax);
    }
    sub(qword[rsp + frame_ - 16], 1);
    jnz(row);
    leave();
    return {.size = getSize(), .entry = entry};
  }

 private:
  // ---- frame --------------------------------------------------------------------------------------------------------

  struct Pointer {
    std::uint32_t value;
    int reg;
  };

  /// Constants, and what comes before all rows. Gives where the function starts.
  std::size_t start() {
    for (const std::uint64_t constant : program_.pool) dq(constant);
    align(kLine, false);
    const std::size_t entry = getSize();
    find_pointers();
    enter();
    return entry;
  }
  /// Where operands are, and what is the same along a row.
  void begin_row() {
    for (std::size_t i = 0; i < n_pointers_; ++i) mov(Reg64(pointers_[i].reg), address(pointers_[i].value));
    for (const Placed& placed : allocation_.head) code(placed);
  }

  /// Addresses of what is read and written; the first ones in registers. What is called keeps rbx, rbp and r12 to r15.
  void find_pointers() {
    static constexpr std::array<int, 11> kRegisters{Operand::RDX, Operand::R8,  Operand::R9,  Operand::R10, Operand::R11, Operand::RBX,
                                                    Operand::RBP, Operand::R12, Operand::R13, Operand::R14, Operand::R15};
    static constexpr std::array<int, 3> kKept{Operand::R13, Operand::R14, Operand::R15};
    for (const Instruction& i : program_.body) calls_ = calls_ || is_call(i.code);
    std::span<const int> registers = calls_ ? std::span<const int>(kKept) : std::span<const int>(kRegisters);
    // The last of them are other multiples of the index, where those are needed: addresses know no steps of 16 and none backward.
    for (const Code code : {Code::LoadOther, Code::LoadBackward}) {
      if (std::ranges::none_of(program_.body, [&](const Instruction& i) { return i.code == code; })) continue;
      (code == Code::LoadOther ? doubled_ : negated_) = registers.back();
      saved_[n_saved_++] = registers.back();
      registers = registers.first(registers.size() - 1);
    }
    if (calls_) {
      table_ = Reg64(Operand::R12);
      index_ = Reg64(Operand::RBX);
      end_ = Reg64(Operand::RBP);
    }
    for (const Instruction& i : program_.body) {
      if (!(is_load(i.code) || is_store(i.code)) || n_pointers_ == registers.size()) continue;
      const auto end = pointers_.begin() + static_cast<std::ptrdiff_t>(n_pointers_);
      if (std::find_if(pointers_.begin(), end, [&](const Pointer& p) { return p.value == i.payload; }) != end) continue;
      pointers_[n_pointers_] = {i.payload, registers[n_pointers_]};
      ++n_pointers_;
    }
    if (calls_)
      for (const int r : {Operand::RBX, Operand::RBP, Operand::R12}) saved_[n_saved_++] = r;
    for (std::size_t i = calls_ ? 0 : kScratchPointers; i < n_pointers_; ++i) saved_[n_saved_++] = pointers_[i].reg;
  }

  static constexpr std::size_t kScratchPointers = 5;  ///< of those registers a function need not save

  void enter() {
    for (std::size_t i = 0; i < n_saved_; ++i) push(Reg64(saved_[i]));
    if (allocation_.n_slots || calls_ || makes_groups_ || walks_) {
      const std::size_t passed = program_.kernels.empty() ? 0 : kPassed * kMostPassed;
      frame_ = static_cast<int>((allocation_.n_slots + 1) * kLine + passed);
      mov(rax, rsp);
      sub(rsp, frame_);
      and_(rsp, -static_cast<int>(kLine));
      mov(ptr[rsp + frame_ - 8], rax);
      if (makes_groups_) {
        shl(rdx, std::countr_zero(interp::kBlock));
        mov(ptr[rsp + frame_ - 16], rdx);
      }
      if (walks_) {
        mov(ptr[rsp + frame_ - 16], rdx);
        mov(ptr[rsp + frame_ - 24], rcx);
      }
    }
    if (calls_) {
      mov(table_, rdi);
      mov(end_, rsi);
    }
    if (walks_) sub(end_, lanes_);
    if (program_.kernels.empty()) return;
    for (std::uint32_t which = 0; which < kResult; ++which) {
      lea(rax, passed(which));
      mov(passed_table(which), rax);
    }
  }
  void leave() {
    vzeroupper();
    if (frame_) mov(rsp, ptr[rsp + frame_ - 8]);
    for (std::size_t i = n_saved_; i-- > 0;) pop(Reg64(saved_[i]));
    ret();
    write_guards();
  }
  Address address(std::uint32_t value) { return ptr[table_ + static_cast<int>(value) * 8]; }

  /// The body from element 0 on, a vector at a time, but for the jump back to what is given: after a comparison of the next index with
  /// the end.
  const std::uint8_t* vectors() {
    xor_(index_.cvt32(), index_.cvt32());
    align(16);
    const std::uint8_t* const first = getCurr();
    multiply_index();
    for (const Placed& placed : allocation_.body) code(placed);
    add(index_, lanes_);
    cmp(index_, end_);
    return first;
  }

  /// Eight rows of kLanes elements, `n` vectors of each from vector `first` on: the index is that of the group and of this vector.
  void group(int first, int n) {
    const int bytes = program_.body.back().bytes;
    for (int k = 0; k < n; ++k) vpbroadcastq(accumulator(k, bytes), constant(program_.identity));
    const std::uint8_t* const row = getCurr();
    multiply_index();
    for (vector_ = 0; vector_ < n; ++vector_)
      for (const Placed& placed : allocation_.body) code(placed);
    add(index_, static_cast<int>(interp::kLanes));
    mov(eax, index_.cvt32());
    and_(eax, static_cast<int>(interp::kBlock) - 1);
    cmp(eax, first * lanes_);
    jne(row);
    for (int k = 0; k < n; ++k) save(ptr[end_ + (first + k) * lanes_ * bytes], accumulator(k, bytes), bytes * lanes_);
    vector_ = 0;
  }

  // ---- operands -----------------------------------------------------------------------------------------------------

  /// The register, as wide as so many bytes need.
  static Xmm vector(int index, int bytes) { return {bytes > 32 ? Operand::ZMM : bytes > 16 ? Operand::YMM : Operand::XMM, index}; }
  /// As wide as all lanes of that size.
  Xmm lanes_of(int index, int bytes) const { return vector(index, bytes * lanes_); }
  /// Registers of the emitter's own: behind those of values.
  Xmm scratch(int which, int bytes) const { return lanes_of(scratch_index(which), bytes); }
  int scratch_index(int which) const { return target_.n_vectors + target_.n_accumulators + which; }
  Xmm accumulator(int which, int bytes) const { return lanes_of(target_.n_vectors + which, bytes); }

  /// The address of a value, in a register.
  Reg64 start_of(std::uint32_t value) {
    for (std::size_t i = 0; i < n_pointers_; ++i)
      if (pointers_[i].value == value) return Reg64(pointers_[i].reg);
    mov(rax, address(value));
    return rax;
  }
  Address at(std::uint32_t value, int item) { return ptr[start_of(value) + index_ * item + vector_ * lanes_ * item]; }

  void multiply_index() {
    if (doubled_) lea(Reg64(doubled_), ptr[index_ + index_]);
    if (negated_) {
      mov(Reg64(negated_), index_);
      neg(Reg64(negated_));
    }
  }

  /// Half of the elements are read twice, none behind the last that is wanted.
  void load_other(const Xmm& r, std::uint32_t value, int bytes) {
    const int width = lanes_ * bytes, part = std::min(width, 32), n = part / bytes;
    const Reg64 start = start_of(value);
    for (int k = width / part - 1; k >= 0; --k) {
      const int first = 2 * (vector_ * lanes_ + k * n) * bytes;
      const Xmm a = vector(scratch_index(k), part), out = k ? a : vector(r.getIdx(), part);
      const Address low = ptr[start + Reg64(doubled_) * bytes + first],
                    high = ptr[start + Reg64(doubled_) * bytes + first + (n - 1) * bytes];
      load(a, low, part);
      const Xmm& joined = part == 16 ? out : a;  // elements 0 and 2 of the one, 1 and 3 of the other
      bytes == 8 ? vshufpd(joined, a, high, part == 16 ? 2 : 10) : vshufps(joined, a, high, 0xd8);
      if (part == 32) vpermpd(Ymm(out.getIdx()), Ymm(a.getIdx()), 0xd8);
    }
    if (width == 64) vinserti64x4(Zmm(r.getIdx()), Zmm(r.getIdx()), Ymm(scratch_index(1)), 1);
  }
  void load_backward(const Xmm& r, std::uint32_t value, int bytes) {
    const int width = lanes_ * bytes;
    const Address from = ptr[start_of(value) + Reg64(negated_) * bytes - ((vector_ + 1) * lanes_ - 1) * bytes];
    const Xmm a = scratch(0, bytes);
    if (width == 16) return bytes == 8 ? vpermilpd(r, from, 1) : vpermilps(r, from, 0x1b);
    if (width == 32 && bytes == 8) return vpermpd(Ymm(r.getIdx()), from, 0x1b);
    if (width == 32) {
      vpermilps(Ymm(a.getIdx()), from, 0x1b);
      return vpermpd(Ymm(r.getIdx()), Ymm(a.getIdx()), 0x4e);
    }
    bytes == 8 ? vpermpd(Zmm(a.getIdx()), from, 0x1b) : vpermilps(Zmm(a.getIdx()), from, 0x1b);
    vshuff64x2(Zmm(r.getIdx()), Zmm(a.getIdx()), Zmm(a.getIdx()), bytes == 8 ? 0x4e : 0x1b);
  }

  /// Puts into rax where a vector of complex numbers starts, whose parts have `bytes` bytes: steps of 16 are no part of an address.
  void find_pairs(std::uint32_t value, int bytes) {
    mov(rax, index_);
    shl(rax, bytes == 8 ? 4 : 3);
    for (std::size_t i = 0; i < n_pointers_; ++i)
      if (pointers_[i].value == value) {
        add(rax, Reg64(pointers_[i].reg));
        return;
      }
    add(rax, address(value));
  }
  /// Of its two halves, after find_pairs().
  Address half(int which, int bytes) { return ptr[rax + (2 * vector_ + which) * lanes_ * bytes]; }

  /// One part of each of a vector's complex numbers, which start at rax.
  void load_part(const Xmm& r, int bytes, bool imaginary) {
    const int width = lanes_ * bytes;
    const Xmm a = scratch(0, bytes), b = scratch(1, bytes), c = scratch(2, bytes);
    const std::uint8_t odd = imaginary ? 0xdd : 0x88;
    const auto pick = [&](const Xmm& to, const Xmm& x, const Xmm& y) {  // within 128 bits
      if (bytes == 4)
        vshufps(to, x, y, odd);
      else
        imaginary ? vunpckhpd(to, x, y) : vunpcklpd(to, x, y);
    };
    load(a, half(0, bytes), width);
    load(b, half(1, bytes), width);
    if (width == 64) {
      vshuff64x2(Zmm(c.getIdx()), Zmm(a.getIdx()), Zmm(b.getIdx()), 0x88);
      vshuff64x2(Zmm(b.getIdx()), Zmm(a.getIdx()), Zmm(b.getIdx()), 0xdd);
      return pick(r, c, b);
    }
    if (width == 16) return pick(r, a, b);
    pick(a, a, b);
    vpermpd(Ymm(r.getIdx()), Ymm(a.getIdx()), 0xd8);
  }

  void store_pair(int bytes, const Xmm& re, const Xmm& im) {
    const int width = lanes_ * bytes;
    const Xmm a = scratch(0, bytes), b = scratch(1, bytes), c = scratch(2, bytes);
    if (bytes == 4) {
      vunpcklps(a, re, im);
      vunpckhps(b, re, im);
    } else {
      vunpcklpd(a, re, im);
      vunpckhpd(b, re, im);
    }
    for (const int which : {0, 1}) {
      if (width == 64) {
        vshuff64x2(Zmm(c.getIdx()), Zmm(a.getIdx()), Zmm(b.getIdx()), which ? 0xee : 0x44);
        vshuff64x2(Zmm(c.getIdx()), Zmm(c.getIdx()), Zmm(c.getIdx()), 0xd8);
      } else if (width == 32 && wide_) {
        vshuff64x2(Ymm(c.getIdx()), Ymm(a.getIdx()), Ymm(b.getIdx()), which ? 3 : 0);
      } else if (width == 32) {
        vperm2f128(Ymm(c.getIdx()), Ymm(a.getIdx()), Ymm(b.getIdx()), which ? 0x31 : 0x20);
      }
      save(half(which, bytes), width == 16 ? (which ? b : a) : c, width);
    }
  }

  Address constant(std::uint32_t index) { return ptr[rip + static_cast<const void*>(getCode() + index * 8u)]; }
  Address slot(std::uint32_t index) { return ptr[rsp + static_cast<int>(index * kLine)]; }

  // What kernels are given and give, of at most a vector's pairs each, behind the slots: arguments, result, the arguments' addresses.
  static constexpr std::size_t kPassed = 128;
  static constexpr std::uint32_t kResult = 3, kMostPassed = 5;
  Address passed(std::uint32_t which) { return ptr[rsp + static_cast<int>(allocation_.n_slots * kLine + which * kPassed)]; }
  Address passed_table(std::uint32_t entry) {
    return qword[rsp + static_cast<int>(allocation_.n_slots * kLine + (kResult + 1) * kPassed + entry * 8)];
  }
  void call_kernel(interp::Kernel function) {
    lea(rdi, passed(kResult));
    lea(rsi, passed_table(0));
    mov(edx, lanes_);
    mov(rax, reinterpret_cast<std::size_t>(function));
    Xbyak::CodeGenerator::call(rax);
  }

  void load(const Xmm& to, const Address& from, int bytes) {
    if (bytes >= 16)
      vmovups(to, from);
    else if (bytes == 8)
      vmovq(to, from);
    else
      vmovd(to, from);
  }
  void save(const Address& to, const Xmm& from, int bytes) {
    if (bytes >= 16)
      vmovups(to, from);
    else if (bytes == 8)
      vmovq(to, from);
    else
      vmovd(to, from);
  }

  // ---- instructions -------------------------------------------------------------------------------------------------

  void code(const Placed& placed) {
    switch (placed.kind) {
      case Placed::Kind::Spill:
        if (placed.mask)
          kmovq(slot(placed.at), Opmask(placed.in[0] + 1));
        else
          vmovups(slot(placed.at), vector(placed.in[0], target_.vector_bytes));
        return;
      case Placed::Kind::Reload:
        if (placed.mask)
          kmovq(Opmask(placed.out + 1), slot(placed.at));
        else
          vmovups(vector(placed.out, target_.vector_bytes), slot(placed.at));
        return;
      case Placed::Kind::Code:
        break;
    }
    const Instruction& i = placed.at & kHead ? program_.head[placed.at & ~kHead] : program_.body[placed.at];
    if (wide_ && emit_mask(i, placed)) return;
    if (!wide_ && emit_vector_mask(i, placed)) return;
    emit(i, placed);
  }

  /// x * y + z in one rounding. The instruction overwrites an argument: a factor in the first form, the summand in the second.
  void fma(const Placed& p, int bytes, std::uint32_t signs) {
    using Form = void (Xbyak::CodeGenerator::*)(const Xmm&, const Xmm&, const Xbyak::Operand&);
    using G = Xbyak::CodeGenerator;
    static constexpr Form kForms[4][2][2] = {
        // float32 and float64 of the first form, then of the second, by what has the other sign
        {{&G::vfmadd213ps, &G::vfmadd213pd}, {&G::vfmadd231ps, &G::vfmadd231pd}},
        {{&G::vfnmadd213ps, &G::vfnmadd213pd}, {&G::vfnmadd231ps, &G::vfnmadd231pd}},  // kMinusProduct
        {{&G::vfmsub213ps, &G::vfmsub213pd}, {&G::vfmsub231ps, &G::vfmsub231pd}},      // kMinusSummand
        {{&G::vfnmsub213ps, &G::vfnmsub213pd}, {&G::vfnmsub231ps, &G::vfnmsub231pd}},
    };
    const Xmm r = lanes_of(p.out, bytes), x = lanes_of(p.in[0], bytes), y = lanes_of(p.in[1], bytes), z = lanes_of(p.in[2], bytes);
    const bool is_first = p.out != p.in[2] && (p.out == p.in[0] || p.out == p.in[1]);
    const Form form = kForms[signs][is_first ? 0 : 1][bytes == 8];
    if (is_first) return (this->*form)(r, p.out == p.in[0] ? y : x, z);
    if (p.out != p.in[2]) vmovaps(r, z);
    (this->*form)(r, x, y);
  }

  void emit(const Instruction& i, const Placed& p) {
    const int bytes = i.bytes;
    const Xmm r = lanes_of(p.out, bytes), x = lanes_of(p.in[0], bytes), y = lanes_of(p.in[1], bytes);
    const bool is_double = bytes == 8;
    switch (i.code) {
      case Code::Load:
        if (makes_groups_) prefetcht0(ptr[start_of(i.payload) + index_ * bytes + vector_ * lanes_ * bytes + kAhead]);
        return load(r, at(i.payload, bytes), bytes * lanes_);
      case Code::Store: {
        const Address to = at(i.payload, bytes);
        const std::size_t start = getSize();
        save(to, x, bytes * lanes_);
        // The opcode follows the prefix: of two bytes, three, or four with EVEX.
        const std::uint8_t prefix = getCode()[start];
        stores_otherwise_ = stores_otherwise_ || n_stores_ == interp::kMostRows || (n_stores_ && store_bytes_ != bytes * lanes_);
        if (stores_otherwise_) return;
        stores_[static_cast<std::size_t>(n_stores_++)] = start + (prefix == 0xc5 ? 2 : prefix == 0xc4 ? 3 : 4);
        store_bytes_ = bytes * lanes_;
        return;
      }
      case Code::LoadReal:
      case Code::LoadImag:
        find_pairs(i.payload, bytes);
        return load_part(r, bytes, i.code == Code::LoadImag);
      case Code::TakeReal:
      case Code::TakeImag:
        lea(rax, passed(kResult));
        return load_part(r, bytes, i.code == Code::TakeImag);
      case Code::Take:
        return load(r, passed(kResult), bytes * lanes_);
      case Code::Pass:
        return save(passed(i.payload), x, bytes * lanes_);
      case Code::PassPair:
        lea(rax, passed(i.payload));
        return store_pair(bytes, x, y);
      case Code::CallKernel:
        return call_kernel(program_.kernels[i.payload].function);
      case Code::LoadOther:
        return load_other(r, i.payload, bytes);
      case Code::LoadBackward:
        return load_backward(r, i.payload, bytes);
      case Code::StorePair:
        find_pairs(i.payload, bytes);
        stores_otherwise_ = true;
        return store_pair(bytes, x, y);
      case Code::Splat:
      case Code::SplatImag:
        mov(rax, address(i.payload));
        return broadcast(r, ptr[rax + (i.code == Code::SplatImag ? bytes : 0)], bytes);
      case Code::Constant:
        vpbroadcastq(lanes_of(p.out, bytes), constant(i.payload));
        return;
      case Code::AddF:
        is_double ? vaddpd(r, x, y) : vaddps(r, x, y);
        return;
      case Code::SubF:
        is_double ? vsubpd(r, x, y) : vsubps(r, x, y);
        return;
      case Code::MulF:
        is_double ? vmulpd(r, x, y) : vmulps(r, x, y);
        return;
      case Code::DivF:
        is_double ? vdivpd(r, x, y) : vdivps(r, x, y);
        return;
      case Code::FmaF:
        fma(p, bytes, i.payload);
        return;
      case Code::MaxF:
        is_double ? vmaxpd(r, x, y) : vmaxps(r, x, y);
        return;
      case Code::MinF:
        is_double ? vminpd(r, x, y) : vminps(r, x, y);
        return;
      case Code::SqrtF:
        is_double ? vsqrtpd(r, x) : vsqrtps(r, x);
        return;
      case Code::ScaleF:
        is_double ? vscalefpd(r, x, y) : vscalefps(r, x, y);
        return;
      case Code::RoundF:
        return round(r, x, bytes, static_cast<Rounding>(i.payload));
      case Code::AddI:
        return by_size(bytes, [&] { vpaddb(r, x, y); }, [&] { vpaddw(r, x, y); }, [&] { vpaddd(r, x, y); }, [&] { vpaddq(r, x, y); });
      case Code::SubI:
        return by_size(bytes, [&] { vpsubb(r, x, y); }, [&] { vpsubw(r, x, y); }, [&] { vpsubd(r, x, y); }, [&] { vpsubq(r, x, y); });
      case Code::MulI:
        return by_size(bytes, [] {}, [&] { vpmullw(r, x, y); }, [&] { vpmulld(r, x, y); }, [&] { multiply64(r, x, y); });
      case Code::MaxS:
        return by_size(bytes, [&] { vpmaxsb(r, x, y); }, [&] { vpmaxsw(r, x, y); }, [&] { vpmaxsd(r, x, y); }, [&] { vpmaxsq(r, x, y); });
      case Code::MinS:
        return by_size(bytes, [&] { vpminsb(r, x, y); }, [&] { vpminsw(r, x, y); }, [&] { vpminsd(r, x, y); }, [&] { vpminsq(r, x, y); });
      case Code::MaxU:
        return by_size(bytes, [&] { vpmaxub(r, x, y); }, [&] { vpmaxuw(r, x, y); }, [&] { vpmaxud(r, x, y); }, [&] { vpmaxuq(r, x, y); });
      case Code::MinU:
        return by_size(bytes, [&] { vpminub(r, x, y); }, [&] { vpminuw(r, x, y); }, [&] { vpminud(r, x, y); }, [&] { vpminuq(r, x, y); });
      case Code::AbsI:
        return by_size(bytes, [&] { vpabsb(r, x); }, [&] { vpabsw(r, x); }, [&] { vpabsd(r, x); }, [&] { vpabsq(r, x); });
      case Code::ShiftLeft:
        return by_size(bytes, [] {}, [&] { vpsllvw(r, x, y); }, [&] { vpsllvd(r, x, y); }, [&] { vpsllvq(r, x, y); });
      case Code::ShiftRightU:
        return by_size(bytes, [] {}, [&] { vpsrlvw(r, x, y); }, [&] { vpsrlvd(r, x, y); }, [&] { vpsrlvq(r, x, y); });
      case Code::ShiftRightS:
        return by_size(bytes, [] {}, [&] { vpsravw(r, x, y); }, [&] { vpsravd(r, x, y); }, [&] { vpsravq(r, x, y); });
      case Code::ShiftLeftBy:
        is_double ? vpsllq(r, x, static_cast<std::uint8_t>(i.payload)) : vpslld(r, x, static_cast<std::uint8_t>(i.payload));
        return;
      case Code::ShiftRightBy:
        is_double ? vpsrlq(r, x, static_cast<std::uint8_t>(i.payload)) : vpsrld(r, x, static_cast<std::uint8_t>(i.payload));
        return;
      case Code::And:
        wide_ ? vpandq(r, x, y) : vpand(r, x, y);
        return;
      case Code::Or:
        wide_ ? vporq(r, x, y) : vpor(r, x, y);
        return;
      case Code::Xor:
        wide_ ? vpxorq(r, x, y) : vpxor(r, x, y);
        return;
      case Code::SignExtend:
      case Code::ZeroExtend:
        return extend(r, lanes_of(p.in[0], static_cast<int>(i.payload)), static_cast<int>(i.payload), bytes, i.code == Code::SignExtend);
      case Code::Truncate:
        return truncate(p.out, p.in[0], static_cast<int>(i.payload), bytes);
      case Code::SignedToF:
      case Code::UnsignedToF:
        return to_float(p.out, p.in[0], static_cast<int>(i.payload), bytes, i.code == Code::SignedToF);
      case Code::FToSigned:
        if (i.payload == 8)
          vcvttpd2qq(r, lanes_of(p.in[0], 8));
        else
          vcvttps2qq(r, lanes_of(p.in[0], 4));
        return;
      case Code::FToF:
        if (bytes == 8)
          vcvtps2pd(r, lanes_of(p.in[0], 4));
        else
          vcvtpd2ps(lanes_of(p.out, 4), lanes_of(p.in[0], 8));
        return;
      case Code::HalfToF:
        vcvtph2ps(r, lanes_of(p.in[0], 2));
        return;
      case Code::FToHalf:
        vcvtps2ph(lanes_of(p.out, 2), lanes_of(p.in[0], 4), 0);
        return;
      case Code::Call:
      case Code::CallTwo:
        return call(i, p);
      case Code::Guard:
        return guard(i, p);
      case Code::Fold: {
        const Xmm a = accumulator(vector_, bytes);
        switch (static_cast<Code>(i.payload)) {
          case Code::AddF:
            is_double ? vaddpd(a, a, x) : vaddps(a, a, x);
            return;
          case Code::MulF:
            is_double ? vmulpd(a, a, x) : vmulps(a, a, x);
            return;
          case Code::AddI:
            vpaddq(a, a, x);
            return;
          default:
            return multiply64(a, a, x);
        }
      }
      default:
        return;
    }
  }

  /// Arguments and result are whole vectors. Half of one is put into the other half, too: as ordinary as it is.
  void call(const Instruction& i, const Placed& p) {
    const int whole = target_.vector_bytes;
    const auto move = [&](int to, int from) {
      if (to != from) vmovaps(vector(to, whole), vector(from, whole));
    };
    if (i.code == Code::CallTwo) {
      move(scratch_index(0), p.in[1]);
      move(0, p.in[0]);
      move(1, scratch_index(0));
    } else {
      move(0, p.in[0]);
    }
    if (i.bytes * lanes_ < whole)
      for (int k = 0; k < arguments(i.code); ++k) wide_ ? vshuff64x2(Zmm(k), Zmm(k), Zmm(k), 0x44) : vinsertf128(Ymm(k), Ymm(k), Xmm(k), 1);
    mov(rax, reinterpret_cast<std::size_t>(
                 interp::vector_function(static_cast<catalog::Op>(i.payload), i.bytes == 8 ? DType::Float64 : DType::Float32)));
    Xbyak::CodeGenerator::call(rax);
    move(p.out, 0);
  }

  // ---- guards -------------------------------------------------------------------------------------------------------

  struct GuardSite {
    Xbyak::Label enter, back;
    std::uint32_t op;
    int bytes, x, y;
  };

  void guard(const Instruction& i, const Placed& p) {
    GuardSite& site = guards_.emplace_back();
    site.op = i.payload;
    site.bytes = i.bytes;
    site.x = p.in[1];
    site.y = p.in[2];
    if (wide_) {
      kmovw(eax, mask(p.in[0]));
      test(eax, static_cast<std::uint32_t>((std::uint64_t{1} << lanes_) - 1));
    } else {
      const Xmm m = lanes_of(p.in[0], program_.widest);
      vptest(m, m);
    }
    jnz(site.enter, T_NEAR);
    L(site.back);
    if (p.out != p.in[2]) vmovaps(vector(p.out, target_.vector_bytes), vector(p.in[2], target_.vector_bytes));
  }

  /// Behind the function: what is rare. All that the caller has in registers is kept, the argument and the result being found there.
  void write_guards() {
    if (guards_.empty()) return;
    Xbyak::Label common;
    for (GuardSite& site : guards_) {
      L(site.enter);
      mov(eax, site.x * static_cast<int>(kLine) << 16 | site.y * static_cast<int>(kLine));
      push(rbx);
      mov(rbx, reinterpret_cast<std::size_t>(
                   interp::vector_function(static_cast<catalog::Op>(site.op), site.bytes == 8 ? DType::Float64 : DType::Float32)));
      Xbyak::CodeGenerator::call(common);
      pop(rbx);
      jmp(site.back, T_NEAR);
    }
    static constexpr std::array<int, 9> kOthers{Operand::RDI, Operand::RSI, Operand::RDX, Operand::RCX, Operand::R8,
                                                Operand::R9,  Operand::R10, Operand::R11, Operand::RBP};
    const int n_vectors = wide_ ? 32 : 16, room = n_vectors * static_cast<int>(kLine);
    L(common);
    for (const int r : kOthers) push(Reg64(r));
    mov(rbp, rsp);
    sub(rsp, room + 2 * static_cast<int>(kLine));
    and_(rsp, -static_cast<int>(kLine));
    for (int v = 0; v < n_vectors; ++v) vmovups(ptr[rsp + v * static_cast<int>(kLine)], vector(v, target_.vector_bytes));
    for (int k = 1; wide_ && k < 8; ++k) kmovq(ptr[rsp + room + k * 8], Opmask(k));
    mov(dword[rsp + room + kLine], eax);
    shr(eax, 16);
    vmovups(vector(0, target_.vector_bytes), ptr[rsp + rax]);
    Xbyak::CodeGenerator::call(rbx);
    movzx(eax, word[rsp + room + kLine]);
    vmovups(ptr[rsp + rax], vector(0, target_.vector_bytes));
    for (int v = 0; v < n_vectors; ++v) vmovups(vector(v, target_.vector_bytes), ptr[rsp + v * static_cast<int>(kLine)]);
    for (int k = 1; wide_ && k < 8; ++k) kmovq(Opmask(k), ptr[rsp + room + k * 8]);
    mov(rsp, rbp);
    for (std::size_t i = kOthers.size(); i-- > 0;) pop(Reg64(kOthers[i]));
    ret();
  }

  template <class One, class Two, class Four, class Eight>
  static void by_size(int bytes, One one, Two two, Four four, Eight eight) {
    switch (bytes) {
      case 1:
        return one();
      case 2:
        return two();
      case 4:
        return four();
      default:
        return eight();
    }
  }

  void broadcast(const Xmm& to, const Address& from, int bytes) {
    by_size(
        bytes, [&] { vpbroadcastb(to, from); }, [&] { vpbroadcastw(to, from); }, [&] { vpbroadcastd(to, from); },
        [&] { vpbroadcastq(to, from); });
  }

  void round(const Xmm& r, const Xmm& x, int bytes, Rounding rounding) {
    constexpr std::uint8_t kQuiet = 8;
    const auto mode = static_cast<std::uint8_t>(kQuiet | static_cast<std::uint8_t>(rounding));
    if (wide_)
      bytes == 8 ? vrndscalepd(r, x, mode) : vrndscaleps(r, x, mode);
    else
      bytes == 8 ? vroundpd(r, x, mode) : vroundps(r, x, mode);
  }

  /// Without vpmullq: low * low, and both mixed products moved up.
  void multiply64(const Xmm& r, const Xmm& x, const Xmm& y) {
    if (wide_) return vpmullq(r, x, y);
    const Xmm a = scratch(0, 8), b = scratch(1, 8);
    vpsrlq(a, x, 32);
    vpmuludq(a, a, y);
    vpsrlq(b, y, 32);
    vpmuludq(b, b, x);
    vpaddq(a, a, b);
    vpsllq(a, a, 32);
    vpmuludq(b, x, y);
    vpaddq(r, a, b);
  }

  void extend(const Xmm& r, const Xmm& x, int from, int to, bool has_sign) {
    const int steps = from * 16 + to;
    switch (steps) {
      case 1 * 16 + 2:
        has_sign ? vpmovsxbw(r, x) : vpmovzxbw(r, x);
        return;
      case 1 * 16 + 4:
        has_sign ? vpmovsxbd(r, x) : vpmovzxbd(r, x);
        return;
      case 1 * 16 + 8:
        has_sign ? vpmovsxbq(r, x) : vpmovzxbq(r, x);
        return;
      case 2 * 16 + 4:
        has_sign ? vpmovsxwd(r, x) : vpmovzxwd(r, x);
        return;
      case 2 * 16 + 8:
        has_sign ? vpmovsxwq(r, x) : vpmovzxwq(r, x);
        return;
      default:
        has_sign ? vpmovsxdq(r, x) : vpmovzxdq(r, x);
        return;
    }
  }

  /// Low bits of each lane.
  void truncate(int out, int in, int from, int to) {
    if (wide_) {
      const Xmm r = lanes_of(out, to), x = lanes_of(in, from);
      switch (from * 16 + to) {
        case 8 * 16 + 4:
          return vpmovqd(r, x);
        case 8 * 16 + 2:
          return vpmovqw(r, x);
        case 8 * 16 + 1:
          return vpmovqb(r, x);
        case 4 * 16 + 2:
          return vpmovdw(r, x);
        case 4 * 16 + 1:
          return vpmovdb(r, x);
        default:
          return vpmovwb(r, x);
      }
    }
    for (; from > to; from /= 2) {
      if (from == 4) {  // so that packing, which saturates, changes nothing
        vpslld(scratch(0, 4), lanes_of(in, 4), 16);
        vpsrad(scratch(0, 4), scratch(0, 4), 16);
        in = scratch_index(0);
      } else if (from == 2) {
        vpsllw(scratch(0, 2), lanes_of(in, 2), 8);
        vpsraw(scratch(0, 2), scratch(0, 2), 8);
        in = scratch_index(0);
      }
      const int next = from / 2 == to ? out : scratch_index(0);
      halve(next, in, from);
      in = next;
    }
  }

  /// AVX2: lanes of `from` bytes to half as many, saturating, in order.
  void halve(int out, int in, int from) {
    const Xmm low(in), high(scratch_index(2)), r(out);
    const bool two = from * lanes_ > 16;
    if (two) vextracti128(high, Ymm(in), 1);
    const Xmm& other = two ? high : low;
    if (from == 8)
      vshufps(r, low, other, 0x88);
    else if (from == 4)
      vpackssdw(r, low, other);
    else
      vpacksswb(r, low, other);
  }

  void to_float(int out, int in, int from, int to, bool has_sign) {
    const Xmm r = lanes_of(out, to), x = lanes_of(in, from);
    switch (from * 16 + to) {
      case 4 * 16 + 4:
        has_sign ? vcvtdq2ps(r, x) : vcvtudq2ps(r, x);
        return;
      case 4 * 16 + 8:
        has_sign ? vcvtdq2pd(r, x) : vcvtudq2pd(r, x);
        return;
      case 8 * 16 + 4:
        has_sign ? vcvtqq2ps(r, x) : vcvtuqq2ps(r, x);
        return;
      default:
        has_sign ? vcvtqq2pd(r, x) : vcvtuqq2pd(r, x);
        return;
    }
  }

  static std::uint8_t float_predicate(std::uint32_t payload) {
    constexpr std::array<std::uint8_t, 5> kQuiet{0x00, 0x11, 0x12, 0x03, 0x04};  // EQ_OQ LT_OQ LE_OQ UNORD_Q NEQ_UQ
    return kQuiet[payload];
  }

  // ---- masks of AVX-512: one bit a lane, in registers of their own ---------------------------------------------------

  void save_mask(const Instruction& i, const Xmm& bytes) {
    if (i.code == Code::PassMask) return save(passed(i.payload), bytes, lanes_);
    save(at(i.payload, 1), bytes, lanes_);
    stores_otherwise_ = true;
  }

  static Opmask mask(int index) { return Opmask(index + 1); }  // k0 masks nothing

  bool emit_mask(const Instruction& i, const Placed& p) {
    const int bytes = i.bytes;
    switch (i.code) {
      case Code::LoadMask:
      case Code::TakeMask: {
        const Xmm x = scratch(0, 1);
        load(x, i.code == Code::TakeMask ? passed(kResult) : at(i.payload, 1), lanes_);
        vptestmb(mask(p.out), x, x);
        return true;
      }
      case Code::SplatMask:
        mov(rax, address(i.payload));
        movzx(eax, byte[rax]);
        neg(rax);
        sbb(rax, rax);
        kmovq(mask(p.out), rax);
        return true;
      case Code::StoreMask:
      case Code::PassMask: {
        const Xmm x = scratch(0, 1);
        vpmovm2b(x, mask(p.in[0]));
        vpabsb(x, x);
        save_mask(i, x);
        return true;
      }
      case Code::CompareF:
        if (bytes == 8)
          vcmppd(mask(p.out), lanes_of(p.in[0], 8), lanes_of(p.in[1], 8), float_predicate(i.payload));
        else
          vcmpps(mask(p.out), lanes_of(p.in[0], 4), lanes_of(p.in[1], 4), float_predicate(i.payload));
        return true;
      case Code::CompareS:
      case Code::CompareU: {
        const auto predicate = static_cast<std::uint8_t>(i.payload);  // by the same numbers
        const Opmask k = mask(p.out);
        const Xmm x = lanes_of(p.in[0], bytes), y = lanes_of(p.in[1], bytes);
        if (i.code == Code::CompareS)
          by_size(
              bytes, [&] { vpcmpb(k, x, y, predicate); }, [&] { vpcmpw(k, x, y, predicate); }, [&] { vpcmpd(k, x, y, predicate); },
              [&] { vpcmpq(k, x, y, predicate); });
        else
          by_size(
              bytes, [&] { vpcmpub(k, x, y, predicate); }, [&] { vpcmpuw(k, x, y, predicate); }, [&] { vpcmpud(k, x, y, predicate); },
              [&] { vpcmpuq(k, x, y, predicate); });
        return true;
      }
      case Code::MaskAnd:
        kandq(mask(p.out), mask(p.in[0]), mask(p.in[1]));
        return true;
      case Code::MaskOr:
        korq(mask(p.out), mask(p.in[0]), mask(p.in[1]));
        return true;
      case Code::MaskXor:
        kxorq(mask(p.out), mask(p.in[0]), mask(p.in[1]));
        return true;
      case Code::MaskAndNot:
        kandnq(mask(p.out), mask(p.in[0]), mask(p.in[1]));
        return true;
      case Code::MaskNot:
        knotq(mask(p.out), mask(p.in[0]));
        return true;
      case Code::Select: {
        const Xmm r = lanes_of(p.out, bytes) | mask(p.in[0]);
        const Xmm x = lanes_of(p.in[1], bytes), y = lanes_of(p.in[2], bytes);
        by_size(bytes, [&] { vpblendmb(r, y, x); }, [&] { vpblendmw(r, y, x); }, [&] { vpblendmd(r, y, x); }, [&] { vpblendmq(r, y, x); });
        return true;
      }
      default:
        return false;
    }
  }

  // ---- masks of AVX2: all bits of a lane as wide as the widest numbers -----------------------------------------------

  bool emit_vector_mask(const Instruction& i, const Placed& p) {
    const int widest = program_.widest, bytes = i.bytes;
    const Xmm r = lanes_of(p.out, widest), x = lanes_of(p.in[0], widest), y = lanes_of(p.in[1], widest);
    switch (i.code) {
      case Code::LoadMask:
      case Code::TakeMask:
        load(scratch(0, 1), i.code == Code::TakeMask ? passed(kResult) : at(i.payload, 1), lanes_);
        return truth_of_bytes(p.out), true;
      case Code::SplatMask:
        mov(rax, address(i.payload));
        vpbroadcastb(scratch(0, 1), ptr[rax]);
        return truth_of_bytes(p.out), true;
      case Code::StoreMask:
      case Code::PassMask: {
        const int narrow = narrowed(p.in[0], 1, scratch_index(0));
        const Xmm a = scratch(0, 1);
        vpabsb(a, lanes_of(narrow, 1));
        save_mask(i, a);
        return true;
      }
      case Code::CompareF: {
        const Xmm to = bytes == widest ? r : scratch(0, bytes);
        if (bytes == 8)
          vcmppd(to, lanes_of(p.in[0], 8), lanes_of(p.in[1], 8), float_predicate(i.payload));
        else
          vcmpps(to, lanes_of(p.in[0], 4), lanes_of(p.in[1], 4), float_predicate(i.payload));
        if (bytes < widest) extend(r, to, bytes, widest, true);
        return true;
      }
      case Code::CompareS:
      case Code::CompareU:
        compare(p, bytes, static_cast<Predicate>(i.payload));
        return true;
      case Code::MaskAnd:
        vpand(r, x, y);
        return true;
      case Code::MaskOr:
        vpor(r, x, y);
        return true;
      case Code::MaskXor:
        vpxor(r, x, y);
        return true;
      case Code::MaskAndNot:
        vpandn(r, x, y);
        return true;
      case Code::MaskNot: {
        const Xmm ones = scratch(0, widest);
        vpcmpeqd(ones, ones, ones);
        vpxor(r, x, ones);
        return true;
      }
      case Code::Select: {
        const int m = narrowed(p.in[0], bytes, scratch_index(0));
        vpblendvb(lanes_of(p.out, bytes), lanes_of(p.in[2], bytes), lanes_of(p.in[1], bytes), lanes_of(m, bytes));
        return true;
      }
      default:
        return false;
    }
  }

  /// Bytes of scratch 0 that are not zero.
  void truth_of_bytes(int out) {
    const int widest = program_.widest;
    const Xmm bytes = scratch(0, 1), zero = scratch(1, widest), r = lanes_of(out, widest);
    vpxor(zero, zero, zero);
    vpcmpeqb(bytes, bytes, scratch(1, 1));
    const Xmm ones = scratch(1, widest);
    vpcmpeqd(ones, ones, ones);
    if (widest > 1) {
      extend(scratch(0, widest), bytes, 1, widest, true);
      vpxor(r, scratch(0, widest), ones);
    } else {
      vpxor(r, bytes, ones);
    }
  }

  /// The mask in lanes of `bytes` bytes: itself, or in `to`.
  int narrowed(int index, int bytes, int to) {
    for (int from = program_.widest; from > bytes; from /= 2) {
      halve(to, index, from);
      index = to;
    }
    return index;
  }

  void compare(const Placed& p, int bytes, Predicate predicate) {
    const int widest = program_.widest;
    const Xmm x = lanes_of(p.in[0], bytes), y = lanes_of(p.in[1], bytes);
    const bool negated = predicate == Predicate::LessEqual || predicate == Predicate::NotEqual;
    const bool equal = predicate == Predicate::Equal || predicate == Predicate::NotEqual;
    const Xmm to = !negated && bytes == widest ? lanes_of(p.out, bytes) : scratch(0, bytes);
    const Xmm &a = predicate == Predicate::Less ? y : x, &b = predicate == Predicate::Less ? x : y;
    if (equal)
      by_size(bytes, [&] { vpcmpeqb(to, x, y); }, [&] { vpcmpeqw(to, x, y); }, [&] { vpcmpeqd(to, x, y); }, [&] { vpcmpeqq(to, x, y); });
    else  // x < y is y > x, x <= y not x > y
      by_size(bytes, [&] { vpcmpgtb(to, a, b); }, [&] { vpcmpgtw(to, a, b); }, [&] { vpcmpgtd(to, a, b); }, [&] { vpcmpgtq(to, a, b); });
    if (negated) {
      const Xmm ones = scratch(1, bytes), inverted = bytes == widest ? lanes_of(p.out, bytes) : to;
      vpcmpeqd(ones, ones, ones);
      vpxor(inverted, to, ones);
    }
    if (bytes < widest) extend(lanes_of(p.out, widest), to, bytes, widest, true);
  }

  const Target& target_;
  const Program& program_;
  const Allocation& allocation_;
  int lanes_;
  bool wide_;
  std::array<std::size_t, interp::kMostRows> stores_{};  ///< see Emitted
  int n_stores_ = 0, store_bytes_ = 0;
  bool stores_otherwise_ = false;
  int vector_ = 0;  ///< of those that are computed side by side
  int frame_ = 0;
  bool calls_ = false;
  bool makes_groups_ = false;
  bool walks_ = false;
  Reg64 table_ = rdi, index_ = rcx, end_ = rsi;
  std::array<int, 8> saved_{};
  int doubled_ = 0, negated_ = 0;  ///< registers of the index times two and minus one; 0: none
  std::size_t n_saved_ = 0;
  std::array<Pointer, 11> pointers_{};
  std::size_t n_pointers_ = 0;
  std::list<GuardSite> guards_;  ///< whose labels stay where they are
};

}  // namespace

namespace {

template <class Run>
Emitted written(Run run) {
  try {
    return run();
  } catch ([[maybe_unused]] const Xbyak::Error& error) {
#ifdef ENGINE_VERIFY
    if (static_cast<int>(error) != Xbyak::ERR_CODE_IS_TOO_BIG) throw;  // an operand that no instruction has
#endif
    return {};
  }
}

}  // namespace

Emitted emit(const Target& target, const Program& program, const Allocation& allocation, std::span<std::byte> buffer) {
  return written([&] { return Emitter(target, program, allocation, buffer).run(); });
}
Emitted emit_groups(const Target& target, const Program& program, const Allocation& allocation, std::span<std::byte> buffer) {
  return written([&] { return Emitter(target, program, allocation, buffer).run_groups(); });
}
Emitted emit_walk(const Target& target, const Program& program, const Allocation& allocation, std::span<std::byte> buffer) {
  return written([&] { return Emitter(target, program, allocation, buffer).run_walk(); });
}

}  // namespace engine::run::jit

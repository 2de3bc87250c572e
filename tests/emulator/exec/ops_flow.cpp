// exec/ops_flow.cpp - branches, calls, barriers and the ends of threads. The warp itself moves the lanes; these rows say where to.
#include "tests/emulator/exec/decode.hpp"
#include "tests/emulator/exec/ops.hpp"

namespace standin::decode {

void bra(Decoder& d) {
  d.take("uni");
  d.finish(1);
  d.assembler.branch(d.text.operands[0].index, d.out);
  d.emit(Flow::Branch);
}

void brx(Decoder& d) {
  d.choice({"idx"});
  d.take("uni");
  d.finish(2);
  d.source(0, 0, Type::U32);
  if (d.text.operands[1].kind != ptx::OperandKind::Label) d.refuse("needs a list of .branchtargets");
  d.assembler.branch_list(d.text.operands[1].index, d.out);
  d.emit(Flow::Indexed);
}

void call(Decoder& d) {
  d.take("uni");
  d.finish(3);
  d.assembler.call(d.text, d.out);
  d.emit(d.out.flow);
}

void ret(Decoder& d) {
  d.take("uni");
  d.finish(0);
  d.assembler.leave(d.out);
  d.emit(d.out.flow);
}

void exit(Decoder& d) {
  d.finish(0);
  d.emit(Flow::Exit);
}

void trap(Decoder& d) {
  d.finish(0);
  d.emit([](Warp& warp, const Instruction&) { warp.fail(Defect::Trap, std::countr_zero(warp.mask), "runs into a trap"); });
}

void nothing(Decoder& d) { d.emit([](Warp&, const Instruction&) {}); }

void nanosleep(Decoder& d) {
  d.type();
  d.finish(1);
  nothing(d);
}

namespace {

enum Kind : std::uint8_t { kSync, kArrive, kPopc, kAnd, kOr };

/// The number of the barrier at register 1, of its threads at 2, a predicate at 3. `saturate` marks the aligned forms.
void barrier_of(Decoder& d, bool aligned) {
  const int form = d.choice({"sync", "arrive", "red", "warp"});
  if (form == 3) {
    d.choice({"sync"});
    d.finish(1);
    d.out.reg[Instruction::kMask] = d.assembler.source(d.text.operands[0], Type::B32, d.out);
    return d.emit(Flow::WarpSync, [](Warp& warp, const Instruction&) { warp.launch->clock.warp_sync(warp); });
  }
  std::size_t operand = 0;
  if (form == 2) {
    d.out.option = static_cast<std::uint8_t>(kPopc + d.choice({"popc", "and", "or"}));
    if (d.take("aligned")) aligned = true;
    const Type type = d.type();
    if (type != (d.out.option == kPopc ? Type::U32 : Type::Pred)) d.refuse("is not executed for this type");
    d.destination(0, operand++, type);
    d.source(3, d.n_operands() - 1, Type::Pred);
  } else {
    d.out.option = form == 1 ? kArrive : kSync;
    if (d.take("aligned")) aligned = true;
  }
  d.out.saturate = aligned;
  const std::size_t n = d.n_operands() - operand - (form == 2);
  if (n < 1 || n > 2 || (form == 1 && n != 2)) d.refuse("has " + std::to_string(d.n_operands()) + " operands");
  d.finish(d.n_operands());
  d.source(1, operand, Type::U32);
  if (n == 2) d.source(2, operand + 1, Type::U32);
  d.out.n_items = static_cast<std::uint8_t>(n);
  d.emit(Flow::Barrier);
}

}  // namespace

void bar(Decoder& d) {
  d.take("cta");
  barrier_of(d, true);
}

/// barrier{.cta}.sync may come lane by lane; with .aligned it is bar.sync.
void barrier(Decoder& d) {
  d.take("cta");
  barrier_of(d, false);
}

}  // namespace standin::decode

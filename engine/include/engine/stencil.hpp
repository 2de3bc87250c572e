// engine/stencil.hpp - stencils: every element made anew from its neighbours, once or many times.
//
//     const Array smooth = stencil("0.25*(u[-1,0] + u[1,0] + u[0,-1] + u[0,1])", {{"u", view(field, {3, 4})}});
//     const auto heat = Stencil::compile("u += k*(u[-1] + u[1] - 2*u)", {.beyond = {Boundary::Wrap}});
//     heat.run({{"u", view(field)}, {"k", 0.1}}, {.steps = 100});
#pragma once

#include <engine/evaluate.hpp>
#include <string>
#include <utility>
#include <vector>

namespace engine ENGINE_API {

/// The boundaries of one axis.
struct Sides {
  Boundary low = Boundary::Reflect, high = Boundary::Reflect;
  Sides() noexcept = default;
  Sides(Boundary both) noexcept : low(both), high(both) {}
  Sides(Boundary below, Boundary above) noexcept : low(below), high(above) {}
  friend bool operator==(const Sides&, const Sides&) = default;
};

/// What lies beyond a field.
struct Beyond {
  std::vector<Sides> sides{Sides{}};  ///< of each axis; one: of all of them
  double cval = 0, cval_imag = 0;     ///< beyond sides of Boundary::Constant; must fit the field's dtype
  Beyond() = default;
  Beyond(Boundary everywhere, double value = 0, double imaginary = 0) : sides{Sides{everywhere}}, cval(value), cval_imag(imaginary) {}
  Beyond(std::vector<Sides> axes, double value = 0, double imaginary = 0) : sides(std::move(axes)), cval(value), cval_imag(imaginary) {}
  friend bool operator==(const Beyond&, const Beyond&) = default;
};

struct StencilOptions {
  Beyond beyond;                                         ///< of all fields but those in
  std::vector<std::pair<std::string, Beyond>> fields{};  ///< by name
  Options options{};
  friend bool operator==(const StencilOptions&, const StencilOptions&) = default;
};

/// How often, and who is asked on the way.
struct Steps {
  std::int64_t steps = 1;
  /// An expression over the fields, as they are and as they were a step before (`u`, `u_old`), and the other operands: where it is true
  /// the steps end. Empty: never.
  std::string until{};
  std::int64_t every = 1;  ///< `until` and `stepped` are asked after so many steps
  /// Told the fields as they are after `step` steps; those of a device are there, and may be under way. False ends the steps. May be null.
  bool (*stepped)(void* context, std::int64_t step, std::span<const ArrayView> fields) = nullptr;
  void* context = nullptr;
  bool is_blocked = true;  ///< several steps at a time over a part that stays in a cache, where nobody is asked in between: the same bits
  RunOptions run{};
};

/// A parsed stencil text. Names with subscripts are read at those offsets from the element that is made: `a[-1,0]`, or `a(i-1,j)` with
/// any names of indices; bare names at the element itself. All statements are one simultaneous update: they read what the fields were
/// before. An assigned name that is given is a field, one that is not a part of the text with a name of its own. Immutable, safe to use
/// from many threads; copies are the same stencil.
class Stencil {
 public:
  /// Throws ParseError, UnknownName, LimitError, BackendError.
  ///
  ///     const auto life = Stencil::compile("(a[-1] + a[1]) & 1", {.beyond = Boundary::Wrap});
  static Stencil compile(std::string text, const StencilOptions& options = {});

  const std::string& text() const noexcept;
  const StencilOptions& options() const noexcept;
  /// Names of the text, in order of first appearance. Those that are not required are assigned before they are read, or constants.
  std::size_t n_names() const noexcept;
  std::string_view name(std::size_t index) const noexcept;
  bool required(std::size_t index) const noexcept;
  /// Whether a statement assigns the name: then it is a field, where it is given.
  bool assigns(std::size_t index) const noexcept;

  /// What a call with operands like these updates: names of fields, in order of the statements, with the shapes of their new values.
  /// None where the text is a bare expression, `steps` is one and no side keeps what it has: then the value is a new array. Throws what
  /// Execution does, ShapeError where an array is smaller than a footprint that finds nothing beyond it.
  struct Updated {
    std::uint32_t name;
    DType dtype;
    Shape shape;
  };
  std::vector<Updated> updates(const Operand* operands, bool repeats) const;
  /// The program of such a bare expression.
  const Program& program() const noexcept;

  /// Makes the steps. `operands` belong to the names; `targets`, to updates(operands, true), may be the fields themselves. Gives the
  /// number of steps made. Throws what Execution does; where that is Interrupted, the targets hold nothing of use.
  std::int64_t run(const Operand* operands, std::span<const ArrayView> targets, const Steps& steps) const;

  /// The new values, one array for each field that is updated, in order; of a bare expression its value.
  ///
  ///     const std::vector<Array> fields = heat.run({{"u", view(field)}, {"k", 0.1}}, {.steps = 100});
  std::vector<Array> run(const Names& names, const Steps& steps = {}) const;

  /// The plan of one step, in words and as JSON.
  Explanation describe(const Operand* operands) const;
  /// As Program::halo, of one step.
  std::vector<Halo> halo(const Operand* operands) const;

  struct Impl;

 private:
  explicit Stencil(Handle<const Impl> impl) noexcept : impl_(std::move(impl)) {}
  Handle<const Impl> impl_;
};
extern template class Handle<const Stencil::Impl>;

/// The new value of the field, or the value of the expression. Throws ShapeError where several fields are updated: Stencil::run has them.
///
///     const Array smooth = stencil("0.5*(a[-1] + a[1])", {{"a", view(field)}});
Array stencil(std::string_view text, const Names& names, const StencilOptions& options = {}, const Steps& steps = {});

}  // namespace engine ENGINE_API

// kernels_cuda/writer.hpp - what the texts of all kernels have in common: parameters, accesses, indices, the frame.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "kernels_cuda/body.hpp"
#include "kernels_cuda/emit.hpp"

namespace engine::cuda {

/// A kernel's text but for its prelude: declarations, parameters, statements. `blocks`: so many are to have registers on a multiprocessor
/// at once; 0: what ptxas finds best, which spills some for more.
std::string framed(std::string_view before, std::string_view parameters, std::string_view statements, int blocks = 0);

/// Collects parameters and lines, and puts them together. Names in the text: p<k> is the address of access k and u<k> its
/// element where there is one alone, s<k>_<axis> a stride, e<axis> an extent, i<axis> an index, v<i> what load i of the body
/// gives.
class KernelWriter {
 protected:
  /// `declares`: the addresses or values of all accesses are parameters.
  KernelWriter(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, const Layout& layout, bool declares = true);

  const AccessLayout& access(std::uint32_t k) const { return layout_.accesses[k]; }
  std::string_view lane(std::uint32_t k) const { return lane_name(access(k).dtype); }
  bool is_contiguous(std::uint32_t k) const { return access(k).reach == Reach::Row || access(k).reach == Reach::Pack; }
  bool is_position(std::uint32_t k) const { return k >= kernel_.n_accesses; }
  bool is_single(std::uint32_t k) const { return access(k).reach == Reach::Value || access(k).reach == Reach::Uniform; }

  void parameter(Parameter::Kind kind, std::string_view type, std::string name, std::uint32_t bytes, std::uint32_t index = 0,
                 std::uint32_t axis = 0);
  void long_parameter(Parameter::Kind kind, std::string name, std::uint32_t index = 0, std::uint32_t axis = 0);
  void unsigned_parameter(Parameter::Kind kind, std::string name, std::uint32_t axis = 0);
  void declare_access(std::uint32_t k);
  /// Of every access that is no single element, along every axis.
  void stride_parameters();
  /// What take_apart() divides by.
  void divisor_parameters(int axis);
  void pieces_parameters();

  /// The element of access k at an address, and the statement that stores one.
  std::string loaded(std::uint32_t k, std::string_view at) const;
  std::string stored(std::uint32_t k, std::string_view at, std::string_view value) const;
  /// Where access k lies for indices i<axis>, axes [begin, end), from `start` on.
  std::string place(std::uint32_t k, std::string start, int begin, int end) const;
  /// Indices of axes [begin, end) from one number, which is i<end - 1> when it begins.
  void take_apart(int begin, int end, std::string_view indent);
  std::string_view index_type() const { return layout_.wide ? "unsigned long" : "unsigned"; }

  /// The call of the body: what is loaded is loads(i, access), what results is results(r).
  template <class Loads, class Results>
  std::string element(Loads loads, Results results) const {
    std::string arguments;
    const auto add = [&](const std::string& text) { arguments += (arguments.empty() ? "" : ", ") + text; };
    for (std::size_t i = 0; i < body_.loads.size(); ++i) {
      const std::uint32_t k = load_access_[i];
      add(is_single(k) ? fmt::format("u{}", k) : loads(i, k));
    }
    for (const std::uint32_t i : body_.given) add(fmt::format("given{}", i));
    for (std::size_t r = 0; r < body_.results.size(); ++r) add(results(r));
    return fmt::format("element({})", arguments);
  }

  template <class... Args>
  void line(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(lines_), text, std::forward<Args>(args)...);
    lines_ += '\n';
  }

  /// `before`: declarations that stand between the body and the kernel.
  KernelText assemble(std::string_view before = {});

  const plan::Plan& plan_;
  const plan::Kernel& kernel_;
  const Layout& layout_;
  Body body_;
  std::vector<std::uint32_t> load_access_, store_access_;  ///< of each of the body's loads, of each store
  std::vector<std::uint32_t> used_;                        ///< all of those, each once

 private:
  void use(std::uint32_t access);
  bool by_bytes(std::uint32_t k) const { return access(k).swapped || access(k).unaligned; }
  std::size_t number_bytes(std::uint32_t k) const;

  KernelText result_;
  std::vector<std::pair<std::string, std::string>> declarations_;  // type and name of each parameter
  std::string lines_;
};

KernelText emit_folds(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, const Layout& layout);

}  // namespace engine::cuda

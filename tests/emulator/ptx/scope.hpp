// ptx/scope.hpp - the names that are visible while a function is read: inner `{ }` shadow outer ones, labels too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/emulator/ptx/module.hpp"

namespace standin::ptx {

class Scopes {
 public:
  void open() { scopes_.emplace_back(); }
  /// Binds the labels of this scope; what is still unknown is the outer scope's, and an error in the outermost.
  void close(Function& function, bool outermost);

  void add_register(std::string name, std::uint32_t index) { scopes_.back().names[std::move(name)] = {OperandKind::Register, index}; }
  /// prefix0 .. prefix(n-1)
  void add_registers(std::string prefix, std::uint32_t n, std::uint32_t first) { scopes_.back().ranges[std::move(prefix)] = {n, first}; }
  void add_variable(std::string name, std::uint32_t index) { scopes_.back().names[std::move(name)] = {OperandKind::Local, index}; }
  void add_global(std::string name, std::uint32_t index) { scopes_.back().names[std::move(name)] = {OperandKind::Global, index}; }
  bool add_label(std::string_view name, std::uint32_t statement) { return scopes_.back().labels.emplace(name, statement).second; }

  /// The first operand of the instruction `statement` is a label.
  void refer_from_operand(std::string_view name, std::uint32_t statement, int line);
  void refer_from_list(std::string_view name, std::uint32_t list, std::uint32_t item, int line);

  std::optional<Operand> find(std::string_view name) const;

 private:
  struct Named {
    OperandKind kind;
    std::uint32_t index;
  };
  struct Range {
    std::uint32_t n, first;
  };
  struct Reference {
    std::string_view name;
    bool from_list;
    std::uint32_t where, item;
    int line;
  };
  struct Scope {
    std::unordered_map<std::string, Named> names;
    std::unordered_map<std::string, Range> ranges;
    std::unordered_map<std::string_view, std::uint32_t> labels;
    std::vector<Reference> references;
  };

  std::vector<Scope> scopes_;
};

}  // namespace standin::ptx

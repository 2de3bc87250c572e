#include "tests/emulator/ptx/scope.hpp"

#include <charconv>
#include <utility>

namespace standin::ptx {

void Scopes::close(Function& function, bool outermost) {
  Scope closed = std::move(scopes_.back());
  scopes_.pop_back();
  for (const Reference& reference : closed.references) {
    const auto label = closed.labels.find(reference.name);
    if (label == closed.labels.end()) {
      if (outermost) throw Error(reference.line, "label '" + std::string(reference.name) + "' is not declared");
      scopes_.back().references.push_back(reference);
    } else if (reference.from_list) {
      function.branch_targets[reference.where][reference.item] = label->second;
    } else {
      function.body[reference.where].operands[0].index = label->second;
    }
  }
}

void Scopes::refer_from_operand(std::string_view name, std::uint32_t statement, int line) {
  scopes_.back().references.push_back({name, false, statement, 0, line});
}

void Scopes::refer_from_list(std::string_view name, std::uint32_t list, std::uint32_t item, int line) {
  scopes_.back().references.push_back({name, true, list, item, line});
}

std::optional<Operand> Scopes::find(std::string_view name) const {
  std::size_t digits = name.size();
  while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') --digits;
  const std::string whole(name);
  const std::string prefix(name.substr(0, digits));
  std::uint32_t number = 0;
  const bool numbered = digits < name.size() && (name[digits] != '0' || digits + 1 == name.size()) &&
                        std::from_chars(name.data() + digits, name.data() + name.size(), number).ec == std::errc{};
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto found = scope->names.find(whole); found != scope->names.end())
      return Operand{.kind = found->second.kind, .index = found->second.index, .name = name};
    if (!numbered) continue;
    if (const auto found = scope->ranges.find(prefix); found != scope->ranges.end() && number < found->second.n)
      return Operand{.kind = OperandKind::Register, .index = found->second.first + number, .name = name};
  }
  return std::nullopt;
}

}  // namespace standin::ptx

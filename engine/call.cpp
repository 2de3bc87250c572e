// call.cpp - one call of a C++ user: names -> operands -> Execution -> Array.
#include <engine/evaluate.hpp>

#include <fmt/format.h>

#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "engine/program.hpp"

namespace engine {

Names::Names(std::initializer_list<Named> items) : items_(items) {}
Names::Names(std::vector<Named> items) noexcept : items_(std::move(items)) {}
Names::Names(std::span<const Named> items) : items_(items.begin(), items.end()) {}

const Operand* Names::find(std::string_view name) const noexcept {
  for (std::size_t i = items_.size(); i-- > 0;)
    if (items_[i].name == name) return &items_[i].value;
  return nullptr;
}

namespace {

/// Programs by text and options, the latest kProgramsKept of them.
class Cache {
 public:
  static constexpr std::size_t kProgramsKept = 256;

  std::optional<Program> find(std::string_view text, const Options& options) {
    const std::lock_guard lock(mutex_);
    for (auto [it, end] = by_text_.equal_range(text); it != end; ++it)
      if (it->second->options() == options) {
        latest_first_.splice(latest_first_.begin(), latest_first_, it->second);
        return *it->second;
      }
    return {};
  }
  void add(Program program) {
    const std::lock_guard lock(mutex_);
    if (latest_first_.size() >= kProgramsKept) {
      const auto last = std::prev(latest_first_.end());
      for (auto [it, end] = by_text_.equal_range(last->text()); it != end; ++it)
        if (it->second == last) {
          by_text_.erase(it);
          break;
        }
      latest_first_.pop_back();
    }
    latest_first_.push_front(std::move(program));
    by_text_.emplace(latest_first_.front().text(), latest_first_.begin());  // the key is the program's own text
  }

 private:
  using List = std::list<Program>;
  std::mutex mutex_;
  List latest_first_;
  std::unordered_multimap<std::string_view, List::iterator> by_text_;
};

/// Never destroyed: evaluations of other threads may outlive main().
Cache& cache() {
  static Cache* const the_cache = new Cache;
  return *the_cache;
}

Program find_program(std::string_view text, const Options& options) {
  if (auto found = cache().find(text, options)) return *std::move(found);
  Program program = Program::compile(std::string(text), options);
  cache().add(program);
  return program;
}

}  // namespace

std::vector<Operand> operands_of(const Program& program, const Names& names) {
  std::vector<Operand> operands(program.n_names());
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Operand* given = names.find(program.name(i));
    if (!given || !given->present) continue;
    operands[i] = *given;
    if (given->weak == Weak::No && !given->array.writable && program.writes(i))
      throw ShapeError({.what = fmt::format("'{}' is read-only", program.name(i)),
                        .labels = {{program.first_span(i), "written here"}},
                        .help = "pass a view of memory that is not const",
                        .text = program.text()});
  }
  return operands;
}

namespace {

/// Runs it; `use` sees what was computed, and the fresh array if there is one.
template <class Use>
void run_program(const Program& program, const Names& names, const ArrayView* out, const RunOptions& options, Use use) {
  RunOptions run = options;
  if (run.threads == 0) run.threads = program.options().threads;
  const std::vector<Operand> operands = operands_of(program, names);
  if (out && !out->writable)
    throw ShapeError({.what = "out is read-only", .labels = {}, .help = "pass a view of memory that is not const", .text = program.text()});
  Array fresh;
  Execution execution(program, operands.data(), out, program.options().order, {&allocate_array, &fresh});
  execution.run(run);
  use(execution, fresh);
}

}  // namespace

Array Program::run(const Names& names, const RunOptions& options) const {
  Array value;
  run_program(*this, names, nullptr, options, [&](const Execution& execution, Array& fresh) {
    // After a write in place the result is a view of that operand.
    value = execution.target_name() < 0 ? std::move(fresh) : Array(execution.result());
  });
  return value;
}

void Program::run_into(const ArrayView& out, const Names& names, const RunOptions& options) const {
  run_program(*this, names, &out, options, [](const Execution&, Array&) {});
}

void Program::execute(const Names& names, const RunOptions& options) const {
  run_program(*this, names, nullptr, options, [](const Execution&, Array&) {});
}

std::string Program::explain(const Names& names) const { return describe(operands_of(*this, names).data()).text; }

Prediction Program::predict(const Names& names, std::string_view architecture) const {
  return predict(operands_of(*this, names).data(), architecture);
}

Program compile(std::string_view text, const Options& options) { return Program::compile(std::string(text), options); }

Array evaluate(std::string_view text, const Names& names, const Options& options) { return find_program(text, options).run(names); }

void evaluate_into(const ArrayView& out, std::string_view text, const Names& names, const Options& options) {
  find_program(text, options).run_into(out, names);
}

void execute(std::string_view text, const Names& names, const Options& options) { find_program(text, options).execute(names); }

}  // namespace engine

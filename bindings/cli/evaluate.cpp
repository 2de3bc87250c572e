// bindings/cli/evaluate.cpp - eval and explain: files and numbers in, a file or a printed value out.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <engine/engine.hpp>
#include <list>
#include <map>
#include <memory>
#include <optional>

#include "commands.hpp"
#include "failures.hpp"
#include "files.hpp"
#include "forms.hpp"
#include "netpbm.hpp"
#include "png.hpp"
#include "print.hpp"
#include "scalars.hpp"

namespace engine::cli {
namespace {

/// What is given for each name: the part of "a=a.npy" after the first '='.
using Given = std::map<std::string, std::string, std::less<>>;

void take(const std::vector<std::string>& pairs, const char* flag, Given& all, const Given& others) {
  for (const std::string& pair : pairs) {
    const std::size_t at = pair.find('=');
    if (at == std::string::npos || at == 0)
      throw UsageFailure{{fmt::format("{} {}: a name and what it stands for are wanted", flag, pair), fmt::format("{} name=…", flag)}};
    const std::string name = pair.substr(0, at);
    if (others.contains(name) || !all.emplace(name, pair.substr(at + 1)).second)
      throw UsageFailure{{fmt::format("'{}' is given twice", name), ""}};
  }
}

/// The operands of one call, and the files behind them.
class Operands {
 public:
  Operands(const Program& program, const Request& request) : program_(program) {
    Given files, scalars;
    take(request.inputs, "-i", files, scalars);
    take(request.scalars, "-s", scalars, files);
    operands_.resize(program.n_names());
    sources_.resize(program.n_names());
    for (std::size_t i = 0; i < program.n_names(); ++i) {
      const auto file = files.find(program.name(i));
      const auto scalar = scalars.find(program.name(i));
      if (file != files.end())
        open(i, file->second, request.in_place);
      else if (scalar != scalars.end())
        operands_[i] = read_scalar(scalar->second, scalar->first);
      else if (program.required(i))
        refuse_unknown(i, files, scalars);
    }
  }

  const Operand* data() const { return operands_.data(); }

  struct Source {
    InputFile* file = nullptr;  ///< null for numbers
    NpyHeader header;
  };
  const Source& source(std::size_t index) const { return sources_[index]; }
  const std::list<InputFile>& files() const { return files_; }

  /// All operands of that file are in other memory now, at the same distance from its beginning.
  void move(const InputFile* file, char* memory) {
    for (std::size_t i = 0; i < sources_.size(); ++i)
      if (sources_[i].file == file) operands_[i].array.data = memory + sources_[i].header.offset;
  }

  /// What the program writes goes into memory of its own, but for the file that is `moved` elsewhere.
  void keep_files(const InputFile* moved) {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      InputFile* file = sources_[i].file;
      if (!file || file == moved || !program_.writes(i) || file->access != Access::Read) continue;
      file->map(Access::Private);
      move(file, file->mapping.data());
    }
  }

 private:
  [[noreturn]] void refuse_unknown(std::size_t index, const Given& files, const Given& scalars) const {
    const std::string name(program_.name(index));
    std::string given;
    for (const Given* all : {&files, &scalars})
      for (const auto& [other, value] : *all) given += fmt::format("{}'{}'", given.empty() ? "" : ", ", other);
    throw UnknownName({.what = fmt::format("there is no operand '{}'", name),
                       .labels = {{program_.first_span(index), given.empty() ? "nothing is given" : "not among " + given}},
                       .help = fmt::format("give it by -i {}=FILE.npy or -s {}=NUMBER", name, name),
                       .text = program_.text()});
  }

  /// One mapping for each file, by whatever path and name it comes: overlap of operands then shows in their addresses.
  void open(std::size_t index, const std::string& path, bool in_place) {
    if (form_of(path) == Form::Png && in_place && program_.writes(index))
      throw UsageFailure{
          {fmt::format("{} cannot be changed in place", path), "give -o FILE.png for the value, or convert it to .pgm or .ppm"}};
    InputFile* kept = &files_.emplace_back(path, in_place && program_.writes(index));
    for (InputFile& other : files_) {
      if (&other == kept || other.device != kept->device || other.inode != kept->inode) continue;
      if (kept->access == Access::Shared && other.access == Access::Read) {  // it is written by this name, not by others
        std::swap(other, *kept);
        move(&other, other.mapping.data());
      }
      files_.pop_back();
      kept = &other;
      break;
    }
    if (form_of(kept->path) == Form::Png && kept->access != Access::Private) {
      kept->mapping = read_png({kept->mapping.data(), kept->mapping.size()}, kept->path);
      kept->access = Access::Private;
    }
    const NpyHeader header = read_header({kept->mapping.data(), kept->mapping.size()}, kept->mapping.size(), kept->path);
    sources_[index] = {kept, header};
    Operand& operand = operands_[index];
    operand.present = true;
    operand.array.data = kept->mapping.data() + header.offset;
    operand.array.dtype = header.dtype;
    operand.array.swapped = header.swapped;
    operand.array.shape = header.shape;
    operand.array.strides = npy_strides(header.dtype, header.fortran_order, header.shape);
  }

  const Program& program_;
  std::list<InputFile> files_;  // addresses stay
  std::vector<Operand> operands_;
  std::vector<Source> sources_;
};

/// Where the value goes: into memory, to be printed, or into a file.
class Destination {
 public:
  Destination(const std::string& path, bool json) : json_(json), path_(path) {
    if (!path.empty()) file_.emplace(path);
  }

  /// Thrown out of the allocation where the value's order is one that .npy does not have.
  struct NeedsCOrder {};

  static void* allocate(void* context, DType dtype, const Shape& shape, const Strides& strides, std::size_t n_bytes) {
    auto& self = *static_cast<Destination*>(context);
    return self.file_ ? self.in_file(dtype, shape, strides, n_bytes) : self.in_memory(shape, n_bytes);
  }

  OutputFile* file() { return file_ ? &*file_ : nullptr; }
  /// Moves the file to its place, once all is computed.
  void commit() {
    if (form_of(path_) == Form::Png) {
      const std::string bytes = write_png(dtype_, shape_, memory_.get(), path_);
      std::copy(bytes.begin(), bytes.end(), file_->map(bytes.size()));
    }
    file_->commit();
  }
  const OutputFile* file() const { return file_ ? &*file_ : nullptr; }

 private:
  void* in_file(DType dtype, const Shape& shape, const Strides& strides, std::size_t n_bytes) {
    const auto lies = [&](bool fortran_order) {
      const Strides wanted = npy_strides(dtype, fortran_order, shape);
      for (int axis = 0; axis < shape.size(); ++axis)
        if (shape[axis] > 1 && strides[axis] != wanted[axis]) return false;
      return true;
    };
    const bool is_c = lies(false) || n_bytes == 0;
    if (!is_c && (!lies(true) || form_of(path_) != Form::Npy)) throw NeedsCOrder{};
    if (form_of(path_) == Form::Png) {
      check_png(dtype, shape, path_);
      dtype_ = dtype;
      shape_ = shape;
      return allocate_memory(n_bytes);
    }
    const std::string header = form_of(path_) == Form::Netpbm ? picture_header(dtype, shape, path_) : npy_header(dtype, !is_c, shape);
    char* memory = file_->map(header.size() + n_bytes);
    std::copy(header.begin(), header.end(), memory);
    return memory + header.size();
  }

  void* in_memory(const Shape& shape, std::size_t n_bytes) {
    constexpr std::int64_t kMostInJson = 100'000;
    if (json_ && n_items(shape) > kMostInJson)
      throw UsageFailure{{fmt::format("the result has {} elements: too many for JSON", n_items(shape)), "give -o FILE.npy"}};
    return allocate_memory(n_bytes);
  }

  void* allocate_memory(std::size_t n_bytes) {
    constexpr std::size_t kAlignment = 64;
    void* memory = nullptr;
    if (posix_memalign(&memory, kAlignment, std::max<std::size_t>(n_bytes, 1)) != 0)
      throw OutOfMemory({.what = fmt::format("cannot allocate {} bytes for the result", n_bytes),
                         .labels = {},
                         .help = "give -o FILE.npy: what is in a file need not fit into memory",
                         .text = {}});
    memory_.reset(memory);
    return memory;
  }

  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  bool json_;
  std::string path_;
  std::optional<OutputFile> file_;
  std::unique_ptr<void, Free> memory_;
  DType dtype_{};  ///< of a PNG picture
  Shape shape_;
};

/// Lets go of mapped pages as the work goes on, so that files of any size take little memory, and says how much is done.
class Progress {
 public:
  Progress(const Operands& operands, const Destination& destination, bool is_shown)
      : operands_(operands), destination_(destination), is_shown_(is_shown) {}
  ~Progress() {
    if (shown_ >= 0) std::fputs("\r     \r", stderr);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  RunOptions options(int threads) {
    RunOptions options{.threads = threads};
    options.context = this;
    options.progressed = [](void* context, double share) {
      static_cast<Progress*>(context)->go_on(share);
      return true;
    };
    options.progress_elements = std::int64_t{1} << 20;
    return options;
  }

 private:
  /// Bytes of all files that may be touched between two times.
  static constexpr double kMostTouched = 32 << 20;

  template <class Visit>
  void each_mapping(Visit visit) const {
    for (const InputFile& file : operands_.files())
      if (file.access != Access::Private) visit(file.mapping);
    if (destination_.file()) visit(destination_.file()->mapping());
  }

  void go_on(double share) {
    double bytes = 0;
    each_mapping([&](const Mapping& mapping) { bytes += static_cast<double>(mapping.size()); });
    if ((share - released_) * bytes >= kMostTouched) {
      released_ = share;
      each_mapping([](const Mapping& mapping) { mapping.let_go(); });
    }
    if (!is_shown_ || static_cast<int>(100 * share) <= shown_) return;
    shown_ = static_cast<int>(100 * share);
    fmt::print(stderr, "\r{:3} %", shown_);
    std::fflush(stderr);
  }

  const Operands& operands_;
  const Destination& destination_;
  bool is_shown_;
  int shown_ = -1;
  double released_ = 0;
};

Json shape_json(const Shape& shape) {
  Json list = Json::array();
  for (const std::int64_t extent : shape) list.push_back(extent);
  return list;
}

Json run_json() {
  const RunInfo& run = last_run();
  Json json{{"threads", run.threads},
            {"kernels", run.traffic.kernels},
            {"operations", run.traffic.operations},
            {"bytes_read", run.traffic.bytes_read},
            {"bytes_written", run.traffic.bytes_written},
            {"copies", run.traffic.copies},
            {"bytes_copied", run.traffic.bytes_copied},
            {"seconds", nullptr}};
  if (run.seconds >= 0) json["seconds"] = run.seconds;
  Json& stages = json["stages"];
  for (std::size_t i = 0; i < kStages.size(); ++i) stages[std::string(kStages[i])] = static_cast<double>(run.stages[i]) * 1e-9;
  return json;
}

/// Names that the program writes into.
std::string written_names(const Program& program) {
  std::string names;
  for (std::size_t i = 0; i < program.n_names(); ++i)
    if (program.writes(i)) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", program.name(i));
  return names;
}

/// The name whose operand is the program's value, or -1. Nothing is computed.
int target_of(const Program& program, const Operands& operands, Order order) {
  const auto allocate = [](void*, DType, const Shape&, const Strides&, std::size_t) -> void* {
    return reinterpret_cast<void*>(std::uintptr_t{64});  // never written; NOLINT(performance-no-int-to-ptr)
  };
  return Execution(program, operands.data(), nullptr, order, {allocate, nullptr}).target_name();
}

}  // namespace

void evaluate(const Request& request) {
  const auto program = Program::compile(request.expression, request.options);
  Operands operands(program, request);
  const std::string written = written_names(program);
  if (!written.empty() && !request.in_place && request.output.empty())
    throw UsageFailure{{fmt::format("the expression writes into {}", written),
                        "give --in-place to change the file itself, or -o FILE.npy for a copy that is changed"}};
  const Order order = request.options.order;
  Destination destination(request.output, request.json);
  if (!written.empty() && request.in_place) {
    if (target_of(program, operands, order) >= 0 && destination.file())
      throw UsageFailure{
          {fmt::format("-o has no use: the value of the expression is what --in-place writes into {}", written), "leave one of them out"}};
  } else if (!written.empty()) {
    InputFile* copied = nullptr;
    if (const int target = target_of(program, operands, order); target >= 0) {
      const Operands::Source& source = operands.source(static_cast<std::size_t>(target));
      copied = source.file;
      if (const Form form = form_of(request.output); form == Form::Png || form != form_of(copied->path))
        throw UsageFailure{
            {fmt::format("{} cannot be a copy of {} that is changed: the two are files of different forms", request.output, copied->path),
             "let the value of the expression be what you want to write"}};
      operands.move(copied, destination.file()->map_copy(*copied, source.header.offset + source.header.n_bytes));
    }
    operands.keep_files(copied);
  }

  std::optional<Execution> execution;
  const Allocator allocator{&Destination::allocate, &destination};
  try {
    execution.emplace(program, operands.data(), nullptr, order, allocator);
  } catch (const Destination::NeedsCOrder&) {
    execution.emplace(program, operands.data(), nullptr, Order::C, allocator);
  }
  {
    Progress progress(operands, destination, request.progress);
    execution->run(progress.options(request.options.threads));
  }
  const ArrayView& value = execution->result();
  const bool is_target = execution->target_name() >= 0;

  const Operands::Source* target = is_target ? &operands.source(static_cast<std::size_t>(execution->target_name())) : nullptr;
  Json json{{"dtype", name(value.dtype)}, {"shape", shape_json(target ? target->header.shape : value.shape)}};
  if (destination.file()) {
    destination.commit();
    json["file"] = request.output;
  } else if (target) {
    json["file"] = target->file->path;
  } else if (request.json) {
    json["data"] = array_json(value);
  } else {
    print(array_text(value) + "\n");
  }
  if (request.json) print(json_text({{"result", json}, {"run", run_json()}}) + "\n");
}

namespace {

/// "wrap", "reflect:wrap" (the low and the high side), and such of each axis with commas between.
std::vector<Sides> read_sides(std::string_view text) {
  const auto read = [&](std::string_view word) {
    Boundary boundary{};
    if (!find_boundary(word, boundary))
      throw UsageFailure{{fmt::format("'{}' is no boundary", word), "reflect, mirror, nearest, wrap, constant, valid, keep"}};
    return boundary;
  };
  std::vector<Sides> sides;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    const std::string_view axis = text.substr(0, comma);
    const std::size_t colon = axis.find(':');
    sides.emplace_back(read(axis.substr(0, colon)), read(colon == std::string_view::npos ? axis : axis.substr(colon + 1)));
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return sides;
}

}  // namespace

void stencil(const StencilRequest& request) {
  StencilOptions options{.beyond = {}, .fields = {}, .options = request.options};
  options.beyond.cval = request.cval;
  for (const std::string& each : request.boundaries) {
    const std::size_t at = each.find('=');
    if (at == std::string::npos)
      options.beyond.sides = read_sides(each);
    else
      options.fields.emplace_back(each.substr(0, at), Beyond(read_sides(each.substr(at + 1)), request.cval));
  }
  const auto made = Stencil::compile(request.expression, options);
  const Operands operands(made.program(), request);
  Steps steps{.steps = request.steps, .until = request.until, .every = request.every};
  const std::vector<Stencil::Updated> list = made.updates(operands.data(), steps.steps != 1 || !steps.until.empty());
  Given files;
  if (!request.outputs.empty() && request.outputs[0].find('=') == std::string::npos && request.outputs.size() == 1 && list.size() < 2)
    files.emplace(list.empty() ? "" : made.name(list[0].name), request.outputs[0]);
  else
    take(request.outputs, "-o", files, {});
  std::list<Destination> destinations;
  const auto destination = [&](std::string_view field) -> Destination& {
    const auto file = files.find(field);
    return destinations.emplace_back(file == files.end() ? std::string() : file->second, request.json);
  };
  std::vector<ArrayView> values;
  std::int64_t done = 1;
  std::optional<Execution> execution;
  if (list.empty()) {
    Destination& to = destination("");
    execution.emplace(made.program(), operands.data(), nullptr, Order::C, Allocator{&Destination::allocate, &to});
    execution->run({.threads = request.options.threads});
    values.push_back(execution->result());
  } else {
    for (const Stencil::Updated& updated : list) {
      const Strides strides = c_strides(updated.shape, item_size(updated.dtype));
      const auto bytes = static_cast<std::size_t>(n_items(updated.shape)) * item_size(updated.dtype);
      Destination& to = destination(made.name(updated.name));
      values.push_back(
          {Destination::allocate(&to, updated.dtype, updated.shape, strides, bytes), updated.dtype, false, true, updated.shape, strides});
    }
    for (const auto& [field, path] : files)
      if (std::none_of(list.begin(), list.end(), [&](const Stencil::Updated& u) { return made.name(u.name) == field; }))
        throw UsageFailure{{fmt::format("-o {}={}: '{}' is not updated", field, path, field), ""}};
    const Destination none("", false);
    Progress progress(operands, none, request.progress);
    steps.run = progress.options(request.options.threads);
    done = made.run(operands.data(), values, steps);
  }
  Json results = Json::object();
  std::size_t k = 0;
  for (Destination& to : destinations) {
    const ArrayView& value = values[k];
    const std::string field(list.empty() ? "value" : made.name(list[k].name));
    Json json{{"dtype", name(value.dtype)}, {"shape", shape_json(value.shape)}};
    if (to.file()) {
      to.commit();
      json["file"] = files.find(list.empty() ? "" : field)->second;
    } else if (request.json) {
      json["data"] = array_json(value);
    } else {
      print((list.size() > 1 ? field + " =\n" : "") + array_text(value) + "\n");
    }
    results[field] = json;
    ++k;
  }
  if (request.json) print(json_text({{"results", results}, {"steps", done}, {"run", run_json()}}) + "\n");
}

void explain(const Request& request) {
  const auto program = Program::compile(request.expression, request.options);
  const Operands operands(program, request);
  const Explanation explanation = program.describe(operands.data(), request.options.order);
  if (request.json)
    print(json_text(Json::parse(explanation.json)) + "\n");
  else
    print(explanation.text);
}

}  // namespace engine::cli

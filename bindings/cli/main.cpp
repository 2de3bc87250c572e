// bindings/cli/main.cpp - the command line, and how each failure ends the program.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <engine/engine.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <new>
#include <string>
#include <vector>

#include "commands.hpp"
#include "failures.hpp"
#include "files.hpp"
#include "print.hpp"

namespace engine::cli {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 done; 1 a file cannot be read, written or understood; 2 the command cannot be;\n"
    "11 ParseError, 12 UnknownName, 13 DTypeError, 14 ShapeError, 15 RangeError, 16 LimitError,\n"
    "17 BackendError, 18 OutOfMemory, 19 InternalError.";

/// Colour is for people: on a terminal, unless NO_COLOR (no-color.org) or TERM speak against it.
bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) && !(no_colour && *no_colour) && terminal && std::string_view(terminal) != "dumb";
}

int report(bool json, std::string_view name, int code, const Diagnostic& diagnostic, std::string_view rendered) {
  const std::string text = json ? json_text(error_json(name, code, diagnostic, rendered)) : error_text(name, rendered, wants_colour());
  std::fprintf(stderr, "%s\n", text.c_str());
  return code;
}

int report(bool json, std::string_view name, int code, const Failure& failure) {
  const Diagnostic diagnostic{.what = failure.what, .labels = {}, .help = failure.help, .text = {}};
  return report(json, name, code, diagnostic, render(diagnostic));
}

std::string read_expression(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::istream& in = path == "-" ? std::cin : file;
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if ((path != "-" && !file) || in.bad()) throw FileFailure{{fmt::format("{} cannot be read", path), ""}};
  return text;
}

struct CommandLine {
  CLI::App app{"Array expressions over .npy files, in one pass over memory.", "engine"};
  Request request;
  std::string file, function_name;
  StencilRequest stencil_request;
  CLI::App *eval, *explain, *stencil, *functions, *doctor, *cache, *bench;

  CommandLine() {
    app.set_version_flag("--version", std::string("engine ") + std::string(version()));
    app.add_flag("--json", request.json, "Results and errors as JSON");
    app.require_subcommand(1);
    app.fallthrough();
    app.footer(kFooter);
    eval = app.add_subcommand("eval", "Compute an expression: engine eval \"2*a + b\" -i a=a.npy -i b=b.npy -o d.npy");
    explain = app.add_subcommand("explain", "What would be done to compute it");
    stencil = app.add_subcommand("stencil",
                                 "Make elements from their neighbours: engine stencil \"u += k*(u[-1] + u[1] - 2*u)\" -i u=u.npy "
                                 "-s k=0.1 --steps 100 -o u=new.npy");
    functions = app.add_subcommand("functions", "The functions of the language, or one of them");
    doctor = app.add_subcommand("doctor", "What this engine is and where it runs");
    cache = app.add_subcommand("cache", "Kernels that were compiled for devices and kept on disk")->require_subcommand(1);
    cache->add_subcommand("list", "Which there are, the one unused for longest first");
    cache->add_subcommand("clear", "Remove them");
    cache->add_subcommand("path", "Their folder");
    bench = app.add_subcommand("bench", "Measure this machine and its GPU: engine bench --help")->fallthrough(false)->prefix_command();
    bench->set_help_flag();  // its own
    for (CLI::App* command : {eval, explain}) add_expression(command, request);
    add_expression(stencil, stencil_request);
    stencil->add_option("-o,--output", stencil_request.outputs, "FILE.npy, or field=FILE.npy for each of several")->allow_extra_args(false);
    stencil
        ->add_option("--boundary", stencil_request.boundaries,
                     "What lies beyond the sides: reflect, mirror, nearest, wrap, constant, valid or keep; of each axis with commas, "
                     "low:high of its sides, field=… of one field")
        ->allow_extra_args(false);
    stencil->add_option("--cval", stencil_request.cval, "The value beyond sides of constant");
    stencil->add_option("--steps", stencil_request.steps, "How often")->check(CLI::NonNegativeNumber);
    stencil->add_option("--until", stencil_request.until, "An expression that ends the steps, such as \"max(abs(u - u_old)) < 1e-6\"");
    stencil->add_option("--every", stencil_request.every, "Ask --until after so many steps")->check(CLI::PositiveNumber);
    stencil->add_flag("--progress", stencil_request.progress, "Show on standard error how much is done");
    eval->add_option("-o,--output", request.output, "Write the value into this .npy file; it is replaced when all is done");
    eval->add_flag("--progress", request.progress, "Show on standard error how much is done");
    eval->add_flag("--in-place", request.in_place, "Let \"b[1:-1] = …\" and its like change the files of -i themselves");
    functions->add_option("name", function_name, "A function, reduction, cast or constant");
  }

 private:
  template <class T>
  void add_word(CLI::App* command, const std::string& flag, T& value, const std::map<std::string, T>& words, const std::string& help) {
    command->add_option(flag, value, help)->transform(CLI::CheckedTransformer(words, CLI::ignore_case).description(""));
  }

  void add_expression(CLI::App* command, Request& asked) {
    Options& o = asked.options;
    CLI::Option* text = command->add_option("expression", asked.expression, "The expression; after \"--\" where it begins with a minus");
    CLI::Option* from = command->add_option("-f,--file", file, "Read the expression from this file, or from standard input (-)");
    text->excludes(from);
    command->add_option("-i,--input", asked.inputs, "name=FILE.npy (or .pgm, .ppm, .png): an array, mapped into memory")
        ->allow_extra_args(false);
    command->add_option("-s,--scalar", asked.scalars, "name=NUMBER, as Python writes it: 3, 2.5e-3, 1+2j, True")->allow_extra_args(false);
    command->add_option("--threads", o.threads, "At most so many threads")->check(CLI::Range(1, 1 << 20).description(""));
    add_word<Order>(command, "--order", o.order, {{"K", Order::K}, {"C", Order::C}, {"F", Order::F}, {"A", Order::A}},
                    "Memory order of the value: K, C, F or A");
    add_word<Casting>(command, "--casting", o.casting,
                      {{"no", Casting::No},
                       {"equiv", Casting::Equiv},
                       {"safe", Casting::Safe},
                       {"same_kind", Casting::SameKind},
                       {"unsafe", Casting::Unsafe}},
                      "What may be written into an array: no, equiv, safe, same_kind or unsafe");
    add_word<Exactness>(command, "--exactness", o.exactness, {{"strict", Exactness::Strict}, {"relaxed", Exactness::Relaxed}},
                        "strict (NumPy's bits) or relaxed");
    add_word<BackendChoice>(
        command, "--backend", o.backend,
        {{"auto", BackendChoice::Auto}, {"interp", BackendChoice::Interp}, {"jit", BackendChoice::Jit}, {"cuda", BackendChoice::Cuda}},
        "auto, interp, jit or cuda");
    command->footer(kFooter);
  }
};

/// Becomes engine-bench, which lies beside this program.
void become_bench(const std::vector<std::string>& words) {
  std::error_code error;
  const std::string path = (std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "engine-bench").string();
  std::vector<char*> arguments{const_cast<char*>(path.c_str())};
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(path.c_str(), arguments.data());
  throw FileFailure{{fmt::format("{} cannot be started", path), "it is built with ENGINE_WITH_BENCH"}};
}

void dispatch(CommandLine& line) {
  if (line.bench->parsed()) become_bench(line.bench->remaining());
  if (line.eval->parsed() || line.explain->parsed() || line.stencil->parsed()) {
    const CLI::App* command = line.eval->parsed() ? line.eval : line.explain->parsed() ? line.explain : line.stencil;
    if (!line.file.empty())
      line.request.expression = line.stencil_request.expression = read_expression(line.file);
    else if (command->count("expression") == 0)
      throw UsageFailure{{"there is no expression", fmt::format("engine {} \"2*a + b\" -i a=a.npy -i b=b.npy", command->get_name())}};
    if (line.stencil->parsed()) {
      line.stencil_request.json = line.request.json;
      stencil(line.stencil_request);
    } else {
      line.eval->parsed() ? evaluate(line.request) : explain(line.request);
    }
  } else if (line.functions->parsed()) {
    line.function_name.empty() ? list_functions(line.request.json) : describe_function(line.function_name, line.request.json);
  } else if (line.cache->parsed()) {
    const std::string command = line.cache->get_subcommands().front()->get_name();
    (command == "list" ? show_cache : command == "clear" ? clear_cache : show_cache_path)(line.request.json);
  } else {
    doctor(line.request.json);
  }
  // What was printed may still be on its way to a disk that is full.
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) throw FileFailure{{"standard output cannot be written", ""}};
}

int run(int argc, char** argv) {
  CommandLine line;
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return line.app.exit(error);  // --help, --version
    return report(line.request.json, "UsageError", kExitUsage, {error.what(), "engine --help"});
  }
  const bool json = line.request.json;
  try {
    dispatch(line);
    return kExitDone;
  } catch (const Error& error) {
    return report(json, name(error.kind()), kExitError + static_cast<int>(error.kind()), error.diagnostic(), error.what());
  } catch (const FileFailure& failure) {
    return report(json, "FileError", kExitFile, failure);
  } catch (const UsageFailure& failure) {
    return report(json, "UsageError", kExitUsage, failure);
  } catch (const std::bad_alloc&) {
    return report(json, "OutOfMemory", kExitError + static_cast<int>(ErrorKind::OutOfMemory), {"out of memory", ""});
  } catch (const std::exception& error) {
    return report(json, "InternalError", kExitError + static_cast<int>(ErrorKind::Internal), {error.what(), "please report it"});
  }
}

}  // namespace
}  // namespace engine::cli

int main(int argc, char** argv) {
  engine::cli::install_signal_handlers();
  return engine::cli::run(argc, argv);
}

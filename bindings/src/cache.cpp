// bindings/src/cache.cpp - text -> program: by the identity of the str, then by its characters, else compiled.
#include <fmt/format.h>

#include <list>
#include <mutex>
#include <unordered_map>

#include "bindings.hpp"

namespace engine::python {
namespace {

constexpr std::size_t kIdentityEntries = 256;
constexpr std::size_t kTextEntries = 1024;
/// All texts together; machine-made expressions may be long, and their programs are about a hundred times longer.
constexpr std::size_t kTextBytes = 4u << 20;
/// Longer texts are not held by identity: the strings and programs there are not counted.
constexpr std::size_t kIdentityBytes = 64u << 10;

bool same_program(const Options& a, const Options& b) {
  return a.casting == b.casting && a.exactness == b.exactness && a.backend == b.backend && a.blitz == b.blitz && a.limits == b.limits;
}

/// Text and options as one string. The options hold no NUL, so the last one parts the two.
std::string key_of(std::string_view text, const Options& o) {
  std::string key(text);
  key += '\0';
  fmt::format_to(std::back_inserter(key), "{} {} {} {} {} {} {} {} {}", static_cast<int>(o.casting), static_cast<int>(o.exactness),
                 static_cast<int>(o.backend), static_cast<int>(o.blitz), o.limits.depth, o.limits.nodes, o.limits.names,
                 o.limits.result_bytes, o.limits.seconds);
  return key;
}

#ifdef Py_GIL_DISABLED
using Mutex = std::mutex;
#else
/// The GIL is lock enough, and is there already.
struct Mutex {
  void lock() noexcept {}
  void unlock() noexcept {}
};
#endif
using Lock = std::lock_guard<Mutex>;

/// Programs by text, the least recently used forgotten first. Nothing that could run Python code happens under the lock:
/// what is dropped is exact strings and programs, whose names are exact strings.
class Cache {
 public:
  CachedProgramPtr find(PyObject* text, const Options& options) {
    const Lock lock(mutex_);
    const Entry& entry = identities_[slot(text)];
    return entry.text.get() == text && same_program(entry.options, options) ? entry.program : nullptr;
  }

  CachedProgramPtr find(const std::string& key, PyObject* text, const Options& options) {
    const Lock lock(mutex_);
    const auto it = programs_.find(key);
    if (it == programs_.end()) return nullptr;
    order_.splice(order_.begin(), order_, it->second);
    remember(text, options, it->second->program);
    return it->second->program;
  }

  void add(std::string key, PyObject* text, const Options& options, const CachedProgramPtr& program) {
    if (key.size() > kTextBytes) return;
    const Lock lock(mutex_);
    if (programs_.contains(key)) return;  // another thread was faster
    order_.push_front({std::move(key), program});
    try {
      programs_.emplace(order_.front().key, order_.begin());
    } catch (...) {
      order_.pop_front();
      throw;
    }
    n_bytes_ += order_.front().key.size();
    while (order_.size() > kTextEntries || n_bytes_ > kTextBytes) {
      n_bytes_ -= order_.back().key.size();
      programs_.erase(order_.back().key);
      order_.pop_back();
    }
    remember(text, options, program);
  }

 private:
  struct Entry {
    Ref text;  ///< held, so that no other text can get its address
    Options options;
    CachedProgramPtr program;
  };
  struct Item {
    std::string key;
    CachedProgramPtr program;
  };

  static std::size_t slot(PyObject* text) { return (reinterpret_cast<std::uintptr_t>(text) >> 4) * 0x9E3779B97F4A7C15ull >> 56; }

  /// A str subclass may carry anything, which is not to be kept alive from here.
  void remember(PyObject* text, const Options& options, const CachedProgramPtr& program) {
    if (!PyUnicode_CheckExact(text) || program->program->text().size() > kIdentityBytes) return;
    Entry& entry = identities_[slot(text)];
    entry.text = Ref(Py_NewRef(text));
    entry.options = options;
    entry.program = program;
  }

  Mutex mutex_;
  Entry identities_[kIdentityEntries];
  std::list<Item> order_;
  std::unordered_map<std::string_view, std::list<Item>::iterator> programs_;
  std::size_t n_bytes_ = 0;
};
static_assert(kIdentityEntries == 256, "slot() keeps eight bits");

/// Never destroyed: at interpreter exit its Python objects must not be touched any more.
Cache& cache() {
  static Cache* const the_cache = new Cache;
  return *the_cache;
}

/// The text has a lone surrogate, which UTF-8 has no bytes for.
[[noreturn]] void refuse_surrogate(PyObject* text) {
  PyErr_Clear();
  const Ref shown(PyUnicode_AsEncodedString(text, "utf-8", "replace"));
  if (!shown) throw PythonError{};
  Py_ssize_t at = 0, n_bytes = 0;
  while (at < PyUnicode_GET_LENGTH(text) && (PyUnicode_READ_CHAR(text, at) & ~0x7FFu) != 0xD800) ++at;
  const Ref before(PyUnicode_Substring(text, 0, at));
  if (!before || !PyUnicode_AsUTF8AndSize(before.get(), &n_bytes)) throw PythonError{};
  const auto begin = static_cast<std::uint32_t>(n_bytes);
  throw ParseError({.what = "the text is no Unicode: it has half of a surrogate pair",
                    .labels = {{{begin, begin + 1}, fmt::format("U+{:04X}", static_cast<unsigned>(PyUnicode_READ_CHAR(text, at)))}},
                    .help = {},
                    .text = std::string(PyBytes_AS_STRING(shown.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(shown.get())))});
}

std::string_view utf8_of(PyObject* text) {
  Py_ssize_t size = 0;
  const char* utf8 = PyUnicode_AsUTF8AndSize(text, &size);
  if (utf8) return {utf8, static_cast<std::size_t>(size)};
  if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) refuse_surrogate(text);
  throw PythonError{};
}

}  // namespace

CachedProgramPtr compile_program(PyObject* text, const Options& options) {
  if (CachedProgramPtr found = cache().find(text, options)) return found;
  const std::string_view utf8 = utf8_of(text);
  std::string key = key_of(utf8, options);
  if (CachedProgramPtr found = cache().find(key, text, options)) return found;

  auto cached = std::make_shared<CachedProgram>();
  Options kept = options;  // order and threads belong to a call
  kept.order = Order::K;
  kept.threads = 0;
  cached->program = Program::compile(std::string(utf8), kept);
  const Program& program = *cached->program;
  cached->names.reserve(program.n_names());
  for (std::size_t i = 0; i < program.n_names(); ++i) {
    PyObject* name = PyUnicode_DecodeUTF8(program.name(i).data(), static_cast<Py_ssize_t>(program.name(i).size()), "strict");
    if (!name) throw PythonError{};
    PyUnicode_InternInPlace(&name);
    cached->names.emplace_back(name);
  }
  cache().add(std::move(key), text, options, cached);
  return cached;
}

}  // namespace engine::python

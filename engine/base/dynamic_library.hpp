// base/dynamic_library.hpp - a shared library found at run time.
#pragma once

#include <string>
#include <string_view>

namespace engine {

/// Stays loaded until the process ends: what it gave away (contexts, handles) may be in use by then.
class DynamicLibrary {
 public:
  /// A path, or a soname that the system's search finds. Not loaded: error() says why.
  static DynamicLibrary open(const std::string& name);

  bool is_loaded() const noexcept { return handle_ != nullptr; }
  const std::string& error() const noexcept { return error_; }
  /// Null where there is none of that name.
  void* symbol(const char* name) const noexcept;

 private:
  void* handle_ = nullptr;
  std::string error_;
};

}  // namespace engine

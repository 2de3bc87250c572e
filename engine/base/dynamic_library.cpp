// base/dynamic_library.cpp - see dynamic_library.hpp.
#include "engine/base/dynamic_library.hpp"

#include <dlfcn.h>

namespace engine {

DynamicLibrary DynamicLibrary::open(const std::string& name) {
  DynamicLibrary library;
  library.handle_ = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library.handle_) return library;
  const char* error = dlerror();
  library.error_ = error ? error : "unknown error";
  return library;
}

void* DynamicLibrary::symbol(const char* name) const noexcept { return handle_ ? dlsym(handle_, name) : nullptr; }

}  // namespace engine

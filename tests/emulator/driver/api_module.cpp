// driver/api_module.cpp - modules: PTX is parsed and every instruction decoded at once, so that what is not known fails here.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/emulator/driver/cubin.hpp"
#include "tests/emulator/driver/driver.hpp"
#include "tests/emulator/ptx/parser.hpp"

namespace standin {
namespace {

constexpr int kNewestPtx = 94;

/// What the program gets back in the buffers it passed: CU_JIT_INFO_LOG_BUFFER 3, its size 4, CU_JIT_ERROR_LOG_BUFFER 5, its size 6.
void write_log(const std::string& text, unsigned n, const int* options, void** values) {
  char* buffer = nullptr;
  std::size_t size = 0;
  for (unsigned i = 0; i < n; ++i) {
    if (options[i] == 5) buffer = static_cast<char*>(values[i]);
    if (options[i] == 6) size = reinterpret_cast<std::size_t>(values[i]);
  }
  if (!buffer || size == 0) return;
  const std::size_t length = std::min(size - 1, text.size());
  std::memcpy(buffer, text.data(), length);
  buffer[length] = '\0';
}

/// "sm_90a" -> 90
int architecture_of(const std::string& target) {
  int found = 0;
  for (const char c : target)
    if (c >= '0' && c <= '9') found = found * 10 + (c - '0');
  return found;
}

void place_variables(Driver& driver, Context& context, const ptx::Module& text, Module& module, Addresses& addresses) {
  for (const ptx::Variable& variable : text.variables) {
    if (variable.space == ptx::Space::Shared) continue;
    if (variable.is_extern) throw ptx::Error(0, "'" + variable.name + "' is external: nothing is linked");
    Allocation* made = driver.allocate(context.device, variable.size, false, false);
    std::memset(made->bytes.get(), 0, variable.size);
    if (!variable.content.empty()) std::memcpy(made->bytes.get(), variable.content.data(), variable.size);
    made->shadow.set_initialised(0, variable.size);
    module.variables[variable.name] = made;
    addresses[variable.name] = made->address;
  }
  for (const ptx::Variable& variable : text.variables)
    for (const ptx::Relocation& relocation : variable.relocations) {
      const std::uint64_t value = addresses.at(relocation.name) + static_cast<std::uint64_t>(relocation.addend);
      std::memcpy(module.variables[variable.name]->bytes.get() + relocation.at, &value, sizeof value);
    }
  for (const ptx::Variable& variable : text.variables)
    if (variable.space == ptx::Space::Const) module.variables[variable.name]->read_only = true;
}

Module* load(Driver& driver, const std::string& text, std::string& log) {
  Context& context = driver.current();
  auto made = std::make_unique<Module>();
  made->context = &context;
  try {
    const ptx::Module parsed = ptx::parse(text);
    if (parsed.version > kNewestPtx) throw Failure{kUnsupportedPtxVersion};
    if (architecture_of(parsed.target) > driver.settings.capability) throw Failure{kNoBinaryForGpu};
    Addresses addresses;
    place_variables(driver, context, parsed, *made, addresses);
    for (const ptx::Function& function : parsed.functions) {
      if (!function.is_entry) continue;
      auto kernel = std::make_unique<Kernel>();
      kernel->program = assemble(parsed, function, addresses);
      kernel->module = made.get();
      made->kernels.push_back(std::move(kernel));
    }
  } catch (...) {
    for (auto& [name, variable] : made->variables) driver.release(*variable);
    try {
      throw;
    } catch (const ptx::Error& error) {
      log = std::string("PTX ") + error.what();
      driver.report("invalid-ptx: " + log);
      throw Failure{kInvalidPtx};
    }
  }
  context.modules.insert(made.get());
  ++driver.counters.module_loads;
  return made.release();
}

std::string text_of(Driver& driver, const void* image) {
  const auto* bytes = static_cast<const char*>(image);
  if (std::memcmp(bytes, "\x7f" "ELF", 4) != 0) {
    require(*bytes == '/' || *bytes == '.' || *bytes == '\n' || *bytes == ' ', kInvalidImage);
    return bytes;
  }
  require(driver.settings.takes_cubins, kNoBinaryForGpu);
  return ptx_of_cubin(driver, bytes);
}

int load_data(const char* name, CUmodule* module, const void* image, unsigned n, const int* options, void** values) {
  return enter(name, Needs::Context, [&](Driver& driver) {
    require(module && image);
    std::string log;
    try {
      *module = load(driver, text_of(driver, image), log);
    } catch (const Failure&) {
      write_log(log, n, options, values);
      throw;
    }
  });
}

Module& known(Driver& driver, CUmodule module) {
  for (Context* context : driver.contexts)
    if (context->modules.count(module)) return *module;
  throw Failure{kInvalidHandle};
}

}  // namespace

Kernel& known_kernel(Driver& driver, CUfunction function) {
  for (Context* context : driver.contexts)
    for (Module* module : context->modules)
      for (auto& kernel : module->kernels)
        if (kernel.get() == function) return *function;
  throw Failure{kInvalidHandle};
}

STANDIN_API int cuModuleLoadData(CUmodule* module, const void* image) { return load_data("cuModuleLoadData", module, image, 0, nullptr, nullptr); }
STANDIN_API int cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned n, int* options, void** values) {
  return load_data("cuModuleLoadDataEx", module, image, n, options, values);
}

STANDIN_API int cuModuleLoad(CUmodule* module, const char* path) {
  return enter("cuModuleLoad", Needs::Context, [&](Driver& driver) {
    require(module && path);
    std::ifstream file(path, std::ios::binary);
    require(file.good(), kFileNotFound);
    std::stringstream text;
    text << file.rdbuf();
    std::string log;
    const std::string bytes = text.str();
    *module = load(driver, text_of(driver, bytes.c_str()), log);
  });
}

STANDIN_API int cuModuleUnload(CUmodule module) {
  return enter("cuModuleUnload", Needs::Context, [&](Driver& driver) {
    Module& found = known(driver, module);
    driver.synchronise(*found.context);
    for (auto& [name, variable] : found.variables) driver.release(*variable);
    found.context->modules.erase(module);
    delete module;
  });
}

STANDIN_API int cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  return enter("cuModuleGetFunction", Needs::Context, [&](Driver& driver) {
    require(function && name);
    for (auto& kernel : known(driver, module).kernels)
      if (kernel->program.name == name) return void(*function = kernel.get());
    throw Failure{kNotFound};
  });
}

STANDIN_API int cuModuleGetFunctionCount(unsigned* count, CUmodule module) {
  return enter("cuModuleGetFunctionCount", Needs::Context, [&](Driver& driver) {
    require(count);
    *count = static_cast<unsigned>(known(driver, module).kernels.size());
  });
}

STANDIN_API int cuModuleGetGlobal_v2(CUdeviceptr* address, std::size_t* bytes, CUmodule module, const char* name) {
  return enter("cuModuleGetGlobal_v2", Needs::Context, [&](Driver& driver) {
    require(name);
    const auto& variables = known(driver, module).variables;
    const auto found = variables.find(name);
    require(found != variables.end(), kNotFound);
    if (address) *address = found->second->address;
    if (bytes) *bytes = found->second->size;
  });
}

STANDIN_API int cuModuleGetLoadingMode(int* mode) {
  return enter("cuModuleGetLoadingMode", Needs::Initialised, [&](Driver&) {
    require(mode);
    *mode = 1;  // CU_MODULE_EAGER_LOADING
  });
}

}  // namespace standin

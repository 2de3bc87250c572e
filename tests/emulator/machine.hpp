// machine.hpp - the stand-in as its tests use it: PTX in, a launch, arrays out. Everything goes through the driver API.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/emulator/standin.h"

extern "C" {
int cuInit(unsigned);
int cuDevicePrimaryCtxRetain(void**, int);
int cuDevicePrimaryCtxReset_v2(int);
int cuCtxSetCurrent(void*);
int cuCtxSynchronize();
int cuModuleLoadDataEx(void**, const void*, unsigned, int*, void**);
int cuModuleUnload(void*);
int cuModuleGetFunction(void**, void*, const char*);
int cuLaunchKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**);
int cuMemAlloc_v2(std::uint64_t*, std::size_t);
int cuMemFree_v2(std::uint64_t);
int cuMemcpyHtoD_v2(std::uint64_t, const void*, std::size_t);
int cuMemcpyDtoH_v2(void*, std::uint64_t, std::size_t);
}

namespace standin_test {

/// A fresh context on device 0, gone with all its memory at the end of the test.
class Machine {
 public:
  Machine() {
    standin_set("quiet", "1");
    EXPECT_EQ(cuInit(0), 0);
    reset();
  }
  ~Machine() {
    standin_inject("");
    standin_set("seed", "0");
    standin_set("defer", "0");
    cuDevicePrimaryCtxReset_v2(0);
    standin_clear();
  }

  /// Also the way out of a sticky error.
  void reset() {
    cuDevicePrimaryCtxReset_v2(0);
    EXPECT_EQ(cuDevicePrimaryCtxRetain(&context, 0), 0);
    EXPECT_EQ(cuCtxSetCurrent(context), 0);
    standin_clear();
    standin_reset_counters();
  }

  void* load(const std::string& ptx) {
    void* module = nullptr;
    EXPECT_EQ(cuModuleLoadDataEx(&module, ptx.c_str(), 0, nullptr, nullptr), 0) << standin_report();
    return module;
  }

  void* function(void* module, const char* name = "k") {
    void* found = nullptr;
    EXPECT_EQ(cuModuleGetFunction(&found, module, name), 0);
    return found;
  }

  std::uint64_t allocate(std::size_t bytes) {
    std::uint64_t address = 0;
    EXPECT_EQ(cuMemAlloc_v2(&address, bytes), 0);
    return address;
  }

  template <class T>
  std::uint64_t upload(const std::vector<T>& values) {
    const std::uint64_t address = allocate(values.size() * sizeof(T));
    EXPECT_EQ(cuMemcpyHtoD_v2(address, values.data(), values.size() * sizeof(T)), 0);
    return address;
  }

  template <class T>
  std::vector<T> download(std::uint64_t address, std::size_t n) {
    std::vector<T> values(n);
    EXPECT_EQ(cuMemcpyDtoH_v2(values.data(), address, n * sizeof(T)), 0) << standin_report();
    return values;
  }

  /// Launches and waits; parameters are 64-bit.
  int launch(void* kernel, unsigned blocks, unsigned threads, std::vector<std::uint64_t> parameters, unsigned shared = 0) {
    std::vector<void*> pointers;
    for (std::uint64_t& parameter : parameters) pointers.push_back(&parameter);
    const int status = cuLaunchKernel(kernel, blocks, 1, 1, threads, 1, 1, shared, nullptr, pointers.data(), nullptr);
    return status ? status : cuCtxSynchronize();
  }

  void* context = nullptr;
};

inline const char* kHeader = ".version 9.0\n.target sm_90\n.address_size 64\n";

/// A kernel `k` of n 64-bit parameters p0.. with %tid.x in %t, %ctaid.x in %c and the index of the thread in %i; registers of all
/// types are declared as %p, %h (b16), %r (b32), %q (b64), %f (f32) and %d (f64), and %a0.. hold the parameters.
inline std::string kernel(int n_parameters, const std::string& body, const std::string& declarations = "") {
  std::string text = std::string(kHeader) + declarations + ".visible .entry k(";
  for (int i = 0; i < n_parameters; ++i) text += std::string(i ? ", " : "") + ".param .u64 p" + std::to_string(i);
  text += ")\n{\n.reg .pred %p<16>; .reg .b16 %h<32>; .reg .b32 %r<64>; .reg .b64 %q<64>; .reg .f32 %f<32>; .reg .f64 %d<32>; .reg .b64 %a<8>; "
          ".reg .b32 %t, %c, %i, %n; .reg .b64 %o;\n";
  for (int i = 0; i < n_parameters; ++i) text += "ld.param.u64 %a" + std::to_string(i) + ", [p" + std::to_string(i) + "];\n";
  text += "mov.u32 %t, %tid.x; mov.u32 %c, %ctaid.x; mov.u32 %n, %ntid.x; mad.lo.s32 %i, %c, %n, %t;\n";
  return text + body + "\nret;\n}\n";
}

}  // namespace standin_test

#include <gtest/gtest.h>

#include "graph_text.hpp"

namespace engine::ir {
namespace {

TEST(GraphText, ReadsWhatItPrints) {
  const char* cases[][2] = {{"4*a + 5*a*b + 6*b*c", "a:float64[2] b:float64[2] c:float32[2]"},
                            {"b[1:-1, ::2] = a[:-2, None, 3].T; sum(b, axis=0, keepdims=True)", "a:float64[2] b:float64[2]"},
                            {"t = a**n; t[1:] = index(0); t.imag", "a:complex64[1] n:2"},
                            {"t = a*1; t[1] += index(); t.T", "a:int64[2]"},
                            {"cumsum(a, exclusive=True) + argsort(a*2, axis=None)", "a:float16[1]"},
                            {"sort(a, axis=0) + cummax(a, axis=1)", "a:complex64[2]"},
                            {"a ** b", "a:int64[1] b:int64[1]"},
                            {"a if a > 0.5 else -1", "a:float16[1]"},
                            {"shift(a, -2, axis=1, cval=7)[1:] + shift(a, 1, axis=0, boundary='wrap')[:-1]", "a:int16[2]"},
                            {"a[m] + unique_inverse(a)[0, 0]", "a:int64[2] m:bool[1]"}};
  for (const auto& c : cases) {
    const Built built = build_text(c[0], c[1]);
    const std::string text = print(built.graph);
    EXPECT_EQ(print(read(text)), text);
    EXPECT_TRUE(read(text) == built.graph);
  }
}

TEST(GraphText, RefusesBrokenText) {
  for (const char* text :
       {"%0 = Input 3@0 : float64[1]",
        "%1 = Input 0@0 : float64[1]",
        "%0 = Nonsense.1 : float64[1]",
        "slot 0 a float64[99]",
        "%0 = Constant 0x : float64[0]",
        "%0 = Add.0 %1 %2 : bool[0]",
        "%0 = Constant 0x00 : float64[0]",
        "%0 = Constant 0x0000000000000000 : float64[0] and more",
        "%0 = Index.0 axis 256 : int64[0]",
        "%0 = Index.0 axis 4294967295 : int64[31]",
        "slot 0 a float64[0]\n%0 = Input 0@0 : float64[0]\n%1 = Output Result %0 through %0",
        "slot 0 a float64[0]\n%0 = Input 0@0 : float64[0]\n%1 = Output Check %0",
        "slot 0 a int8[1]\n%0 = Input 0@0 : int8[1]\n%1 = Order sort axes 1 : int8[1]",
        "slot 0 a int64[1]\n%0 = Input 0@0 : int64[1]\n%1 = Reduce sum axes 1 : int64[0]",
        "slot 0 a int64[1]\n%0 = Input 0@0 : int64[1]\n%1 = Reduce sum %0 %0 axes 1 : int64[0]",
        "slot 0 a int8[2]\n%0 = Input 0@0 : int8[2]\n%1 = Order sort %0 axes 4 : int8[2]",
        "slot 0 a int8[2]\n%0 = Input 0@0 : int8[2]\n%1 = Order sort %0 axes 3 : int8[2]",
        "slot 0 a int8[2]\n%0 = Input 0@0 : int8[2]\n%1 = Order argsort %0 axes 1 : int8[2]",
        "slot 0 a int32[1]\n%0 = Input 0@0 : int32[1]\n%1 = Order cumsum %0 axes 1 : int32[1]",
        "slot 0 a float16[1]\n%0 = Input 0@0 : float16[1]\n%1 = Order cumsum %0 axes 1 : float16[1]",
        "slot 0 a int8[1]\n%0 = Input 0@0 : int8[1]\n%1 = Order compress %0 axes 1 : int8[1]",
        "slot 0 a int8[1]\n%0 = Input 0@0 : int8[1]\n%1 = Order compress %0 %0 axes 1 : int8[1]",
        "slot 0 a int8[2]\nslot 1 m bool[1]\n%0 = Input 0@0 : int8[2]\n%1 = Input 1@0 : bool[1]\n%2 = Order compress %0 %1 axes 3 : "
        "int8[1]",
        "slot 0 a bool[1]\n%0 = Input 0@0 : bool[1]\n%1 = Order compress %0 %0 axes 1 rest 1 : bool[2]",
        "slot 0 a int8[2]\n%0 = Input 0@0 : int8[2]\n%1 = Order unique %0 axes 3 : int8[1]",
        "slot 0 a int8[1]\n%0 = Input 0@0 : int8[1]\n%1 = Order unique_counts %0 axes 1 : int8[1]",
        "slot 0 a int8[1]\n%0 = Input 0@0 : int8[1]\n%1 = Order unique_inverse %0 %0 axes 1 : int64[1]",
        "slot 0 a int8[1]\n%0 = Input 0@0 : int8[1]\n%1 = Order nonzero %0 axes 1 : int64[1]",
        "slot 0 a int8[1]\n%0 = Input 0@0 : int8[1]\n%1 = View %0 [::0] : int8[1]",
        "slot 0 a int8[1]\n%0 = Input 0@0 : int8[1]\n%1 = View %0 [@1 wrap] : int8[1]",
        "slot 0 a int8[1]\n%0 = Input 0@0 : int8[1]\n%1 = View %0 [@1 wrap warp] : int8[1]",
        "slot 0 a int8[1]\n%0 = Input 0@0 : int8[1]\n%1 = View %0 [@1 constant wrap 0x0000] : int8[1]"})
    EXPECT_THROW(read(text), ParseError) << text;
}

TEST(Verify, FindsAnArgumentOfTheWrongType) {
  Built built = build_text("a + b", "a:float64[1] b:float64[1]");
  built.graph.nodes[0].dtype = DType::Float32;
  EXPECT_THROW(verify(built.graph), InternalError);
}

}  // namespace
}  // namespace engine::ir

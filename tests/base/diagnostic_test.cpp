#include <gtest/gtest.h>
#include <engine/error.hpp>

namespace engine {
namespace {

TEST(Render, PutsCaretsUnderSpansAndLabelsInOneColumn) {
  const Diagnostic d{.what = "cannot broadcast 'a' with 'b'",
                     .labels = {{{2, 3}, "shape (3, 4)"}, {{6, 7}, "shape (4, 3)"}},
                     .help = "axis 0 is 3 against 4: make them equal, or one of them 1",
                     .text = "2*a + b"};
  EXPECT_EQ(render(d),
            "cannot broadcast 'a' with 'b'\n"
            "  | 2*a + b\n"
            "  |   ^      shape (3, 4)\n"
            "  |       ^  shape (4, 3)\n"
            "  = help: axis 0 is 3 against 4: make them equal, or one of them 1");
}

TEST(Render, ShowsTheLineOfAProgramThatTheSpanIsIn) {
  const Diagnostic d{.what = "w", .labels = {{{6, 7}, "here"}}, .help = {}, .text = "a = 1\nb + c\nd"};
  EXPECT_EQ(render(d), "w\n  | b + c\n  | ^  here");
}

TEST(Render, CountsCodePointsNotBytes) {
  const Diagnostic d{.what = "w", .labels = {{{5, 6}, "here"}}, .help = {}, .text = "\xcf\x80 + x"};
  EXPECT_EQ(render(d), "w\n  | \xcf\x80 + x\n  |     ^  here");
}

TEST(Render, KeepsAMegabyteOfTextOutOfTheMessage) {
  const Diagnostic d{.what = "w", .labels = {{{500000, 500001}, "here"}}, .help = {}, .text = std::string(1 << 20, 'a')};
  EXPECT_LT(render(d).size(), 400u);
}

TEST(Render, EscapesWhatATerminalWouldObey) {
  const Diagnostic d{.what = "w", .labels = {{{0, 1}, "here"}}, .help = {}, .text = "\x1b[31m"};
  EXPECT_EQ(render(d).find('\x1b'), std::string::npos);
}

TEST(Render, SurvivesSpansBeyondTheText) {
  const Diagnostic d{.what = "w", .labels = {{{90, 99}, "here"}}, .help = {}, .text = "abc"};
  EXPECT_EQ(render(d), "w");
}

}  // namespace
}  // namespace engine

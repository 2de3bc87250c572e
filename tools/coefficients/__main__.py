"""python -m tools.coefficients [NAME...] - writes engine/catalog/elementary/*_coefficients.hpp anew."""

import importlib
import pathlib
import pkgutil
import sys

import tools.coefficients as package

FOLDER = pathlib.Path(__file__).parents[2] / "engine/catalog/elementary"


def text(name: str) -> str:
    """The header of one family: tools/coefficients/<name>.py, function `header`."""
    module = importlib.import_module(f"tools.coefficients.{name}")
    return (
        f"// catalog/elementary/{name}_coefficients.hpp - written by tools/coefficients/{name}.py: do not edit.\n"
        "// clang-format off\n"
        "#pragma once\n\n"
        f"namespace engine::math {{\n\n{module.header()}\n}}  // namespace engine::math\n"
    )


def families() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.name not in ("__main__", "minimax"))


if __name__ == "__main__":
    for name in sys.argv[1:] or families():
        path = FOLDER / f"{name}_coefficients.hpp"
        path.write_text(text(name))
        print(path)

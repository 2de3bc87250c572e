"""The repository's root is importable in all Python tests, so that `tests.differential` is found from anywhere."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

"""The repository's root is importable in all Python tests, so that `tests.differential` is found from anywhere."""

import os
import sys
from pathlib import Path

# There is no device for the tests in this process; those of the CUDA backend name one for processes of their own.
os.environ["ENGINE_CUDA_DRIVER"] = "none"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

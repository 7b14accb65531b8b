"""The CDK app: what is deployed, and with which rights.

The app reads the table of routes from the layer with our own code, which is no installed package:
its folder is put on the import path here, before any module of this package asks for it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The top of the repository."""

_SHARED_CODE = str(ROOT / "layers" / "till" / "python")
if _SHARED_CODE not in sys.path:
    sys.path.insert(0, _SHARED_CODE)

# We promise to work with Node 20. Its age is no news, and jsii would print a banner about it over
# every synth.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

"""Listed before the example's suppression handler: its table is the one that SUPPRESSION names."""

from __future__ import annotations

import os

from config import settings

settings.suppression = os.environ["SUPPRESSION"]

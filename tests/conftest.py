from __future__ import annotations

import hypothesis

# A first example may import a library, and CI's cores are shared: a slow example is no failure.
hypothesis.settings.register_profile("isthmus", deadline=None)
hypothesis.settings.load_profile("isthmus")

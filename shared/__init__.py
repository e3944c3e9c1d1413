"""The core: what a cluster needs, decided purely; Azure and storage at the edges."""

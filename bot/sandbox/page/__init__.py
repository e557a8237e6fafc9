"""The demo page: plain HTML, CSS and JavaScript modules, served by `pageserver.py`."""

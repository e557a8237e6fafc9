"""The composition root: settings, worker, app, command line. The only reader of the environment."""

"""Entry points, one module each: they read a request or a message, call the domain, and write what came of it."""

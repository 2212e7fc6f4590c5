"""What runs on a person's own machine and never in the cloud: the embedded stack, the command line, the report."""

import os

# gRPC writes a line about every connection that the embedded bus closes; nobody can act on it.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

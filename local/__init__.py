"""What runs on a person's own machine and never in the cloud: the embedded stack, the command line, the report."""

import gc
import os

# gRPC writes a line about every connection that the embedded bus closes; nobody can act on it.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
# The local Earth Engine answers several requests at once, each on a core of its own; numpy's sums on several more have
# threads wait for one another, busily: a quarter of the demo's processor time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Most of what is made here stays (parsed SQL, schemas, modules); to look through it less often saves a twentieth.
gc.set_threshold(50_000, 20, 50)

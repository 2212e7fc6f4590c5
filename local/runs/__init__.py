"""Running the whole pipeline on this machine: what goes in, the steps, what comes out."""

"""Making the network's file from the published weights. Only its maker needs this; running it needs none of it."""

"""One module per group of commands of lab.sh."""

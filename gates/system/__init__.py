"""The ground floor: commands, files, locks and signals, as this machine has them."""

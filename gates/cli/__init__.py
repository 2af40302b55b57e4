"""The command line: one file a command, errors caught once (`main.run`)."""

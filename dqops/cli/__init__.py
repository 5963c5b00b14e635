"""The command line: read, call one flow, print, exit."""

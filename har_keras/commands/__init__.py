"""One thin module a command: `main(arguments)` takes what stands after its name."""

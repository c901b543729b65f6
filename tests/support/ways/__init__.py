"""The ways to call a procedure, one class for each program that people call with."""

VALUE = "imported by its name"

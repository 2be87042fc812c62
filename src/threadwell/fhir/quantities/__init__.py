"""Units of measure by their UCUM codes, and quantities brought to one form."""

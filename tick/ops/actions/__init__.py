"""Everything that people do: one transaction each, with its entry in the audit."""

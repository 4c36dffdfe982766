"""The JSON API under /api/admin/: one module a resource, thin over `tick.ops`."""

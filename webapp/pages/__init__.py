"""The console's pages: one blueprint a page, thin over `tick.ops`."""

"""Charts, calendars and log text: values in, shapes out. Pure."""

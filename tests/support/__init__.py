"""What the tests stand on: real servers, a real browser, and the fixtures that hand them out."""

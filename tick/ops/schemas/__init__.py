"""What the JSON API and the command line tell alike: the shapes, and what fills them."""

"""HTTP with other systems: signed calls that come in, hints of new products, and signed events that go out."""

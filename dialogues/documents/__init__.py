"""Documents made from the book: diagrams and the printed book."""

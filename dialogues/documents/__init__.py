"""Documents generated from the book: diagrams, the printed book, pictures of chats."""
